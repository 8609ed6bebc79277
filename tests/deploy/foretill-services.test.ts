/** What docker-compose.yml says to Foretill, against the code that hears it. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterEach, describe, expect, test, vi } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import lockFile from '../../package-lock.json' with { type: 'json' };
import openapi from '../../schemas/http/openapi.json' with { type: 'json' };
import { registryUrl } from '../../deploy/stack/registry.ts';
import { createAccess } from '../../src/adapters/http/access.ts';
import { startHealthServer } from '../../src/adapters/http/health-server.ts';
import { loadConfig } from '../../src/commands/data-dir-settings.ts';
import { platformPlaces } from '../../src/commands/platform-options.ts';
import { DEFAULT_CONFIG } from '../../src/config.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';
import { mountsOf, portsOf, readCompose, readText, ROOT, SECRETS } from './read-compose.ts';
import type { Service } from './read-compose.ts';

const { services } = readCompose();
const { kafka, registry, clickhouse } = services as Record<'kafka' | 'registry' | 'clickhouse', Service>;
const ours = Object.entries(services).filter(([, { image }]) => image.startsWith('foretill:'));
const NEEDED = [
  'KAFKA_BROKERS',
  'SCHEMA_REGISTRY_URL',
  'CLICKHOUSE_URL',
  'CLICKHOUSE_USER',
  'CLICKHOUSE_DATABASE',
  'FORETILL_STORE_PASSWORD',
  'FORETILL_TOKEN',
  'FORETILL_DIR',
];

/** The options of a service's command line, as its own command reads them; nothing is run. */
async function optionsOf({ command: [name = '', ...args] = [] }: Service): Promise<Record<string, unknown>> {
  expect(readText('src/cli.ts')).toContain(`import('./commands/${name}.ts')`);
  const module = (await import(`../../src/commands/${name}.ts`)) as Record<string, () => Command>;
  const command = module[`${name}Command`]!()
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .action(() => {});
  await command.parseAsync(args, { from: 'user' });
  return command.opts();
}

/** As if this process were the container. */
function enter(service: Service): void {
  for (const name of Object.keys(process.env).filter((each) =>
    /^(KAFKA|SCHEMA|CLICKHOUSE|FORETILL)_/.test(each),
  ))
    vi.stubEnv(name, undefined);
  for (const [name, value] of Object.entries(service.environment ?? {})) vi.stubEnv(name, String(value));
}

afterEach(() => {
  vi.unstubAllEnvs();
});

test('there is a service for each role and for what comes before them', async () => {
  const roles = await Promise.all(
    ours.map(async ([name, service]) => [name, (await optionsOf(service))['roles']]),
  );
  expect(Object.fromEntries(roles)).toEqual({
    topics: undefined,
    ingest: ['ingest'],
    forecast: ['forecast'],
    serve: ['serve'],
    sim: undefined,
  });
});

describe.each(ours)('service %s', (name, service) => {
  const environment = service.environment ?? {};

  test('is told nothing that no code reads, and all that is needed', () => {
    const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readText(join('src', file)))
      .join('\n');
    expect(Object.keys(environment).filter((variable) => !sources.includes(`'${variable}'`))).toEqual([]);
    expect(NEEDED.filter((variable) => !environment[variable])).toEqual([]);
  });

  test('finds Kafka, the registry and the store where they are', async () => {
    enter(service);
    const { cluster, store } = platformPlaces(await optionsOf(service), {
      createTopics: name === 'topics',
    });
    expect(cluster?.kafka.brokers).toEqual(advertised('CONTAINERS'));
    expect(cluster?.register).toBe(name === 'topics');
    const { pathname: confluentApi } = new URL(registryUrl(1));
    expect(cluster?.registry.url).toBe(`http://registry:${portsOf(registry)[0]?.target}${confluentApi}`);
    expect(store).toEqual({
      url: `http://clickhouse:${portsOf(clickhouse)[0]?.target}`,
      username: 'foretill',
      database: 'foretill',
      password: clickhouse.environment?.['FORETILL_STORE_PASSWORD'],
    });
  });

  test('can write to its directory, and finds its settings in it', () => {
    const dir = environment['FORETILL_DIR'];
    expect(mountsOf(service)).toEqual([
      { source: 'foretill', target: dir, readOnly: false },
      { source: './deploy/foretill.json', target: `${dir}/foretill.json`, readOnly: true },
    ]);
  });

  test('is this version, and hears when it is to stop', () => {
    expect(service.image).toBe(`foretill:${packageJson.version}`);
    expect(service.build).toEqual({ context: '.', dockerfile: 'deploy/Dockerfile' });
    expect(service.init).toBe(true);
    expect(service.entrypoint).toBeUndefined();
    expect(Number.parseInt(service.stop_grace_period ?? '', 10) * 1000).toBeGreaterThan(
      DEFAULT_CONFIG.engine.drainMsMax,
    );
  });
});

describe('a role', () => {
  const READY = '/api/v1/ready';

  test.each([
    { name: 'ingest', asked: READY },
    { name: 'forecast', asked: READY },
    // Without forecasts it is not ready, which is no fault of a new system.
    { name: 'serve', asked: '/api/v1/health' },
  ])('$name listens where it is asked', async ({ name, asked }) => {
    const service = services[name] as Service;
    const { host, port, metricsPort } = await optionsOf(service);
    const listening = name === 'serve' ? port : metricsPort;
    expect(service.healthcheck?.test.slice(0, 3)).toEqual(['CMD', 'node', '-e']);
    expect(service.healthcheck?.test[3]).toContain(`fetch('http://127.0.0.1:${String(listening)}${asked}')`);
    expect(Object.keys(openapi.paths)).toContain(asked);
    expect(host).toBe('0.0.0.0');
    expect(portsOf(service).map(({ target }) => target)).toEqual(name === 'serve' ? [port] : []);
    const token = String(service.environment?.['FORETILL_TOKEN']);
    expect(() => createAccess({ host: host as string, port: listening as number, token })).not.toThrow();
  });

  test('says without a token whether it is ready, and its metrics only with one', async () => {
    const token = 'a-token-for-tests-only';
    const { url, stop } = await startHealthServer({
      config: DEFAULT_CONFIG,
      telemetry: createTelemetry({ level: 'silent' }),
      listen: { host: '127.0.0.1', port: 0, token },
      notReady: () => [],
    });
    try {
      expect((await fetch(url + READY)).status).toBe(200);
      expect((await fetch(`${url}/metrics`)).status).toBe(401);
      const headers = { authorization: `Bearer ${token}` };
      expect((await fetch(`${url}/metrics`, { headers })).status).toBe(200);
    } finally {
      await stop();
    }
  });
});

describe('the settings', () => {
  test('are accepted, and leave work for more than one process of a role', () => {
    const { shards, transactionPartitions } = loadConfig(join(ROOT, 'deploy'));
    expect(shards).toBeGreaterThan(1);
    expect(transactionPartitions).toBeGreaterThan(1);
  });
});

describe('Kafka', () => {
  const environment = kafka.environment ?? {};

  test('is told to its clients as they can reach it: by name in containers, by the loopback on this machine', () => {
    const [port] = portsOf(kafka);
    expect(advertised('CONTAINERS')).toEqual(['kafka:19092']);
    expect(advertised('MACHINE')).toEqual([`127.0.0.1:${port?.published}`]);
    expect(listeners('KAFKA_LISTENERS')).toEqual({
      CONTAINERS: ':19092',
      MACHINE: `:${port?.target}`,
      CONTROLLER: ':9093',
    });
    expect(environment['KAFKA_CONTROLLER_QUORUM_VOTERS']).toBe('1@kafka:9093');
    const moved = readCompose({ ...SECRETS, KAFKA_PORT: '39092' }).services['kafka'] as Service;
    expect(portsOf(moved)).toEqual([{ host: '127.0.0.1', published: 39_092, target: 9092 }]);
    expect(moved.environment?.['KAFKA_ADVERTISED_LISTENERS']).toContain('MACHINE://127.0.0.1:39092');
  });

  test('keeps its data in its volume, and the schemas of the registry for ever', () => {
    expect(mountsOf(kafka).map(({ target }) => target)).toEqual([environment['KAFKA_LOG_DIRS']]);
    expect(registry.environment?.['APICURIO_STORAGE_KIND']).toBe('kafkasql');
    expect(registry.environment?.['APICURIO_KAFKASQL_BOOTSTRAP_SERVERS']).toBe(
      advertised('CONTAINERS').join(),
    );
    expect(environment['KAFKA_LOG_RETENTION_MS']).toBe(-1);
    expect(environment['KAFKA_AUTO_CREATE_TOPICS_ENABLE']).toBe('false');
  });
});

test('the versions are those that the local stack and the embedded store have', () => {
  const pom = readText('deploy/stack/pom.xml');
  const pinned = (name: string) => new RegExp(`<${name}.version>([^<]+)<`).exec(pom)?.[1];
  expect(kafka.image).toBe(`apache/kafka:${pinned('kafka')}`);
  expect(registry.image).toBe(`apicurio/apicurio-registry:${pinned('apicurio')}`);
  const engine = lockFile.packages['node_modules/@chdb/lib-linux-x64-gnu'].version.split('-')[0];
  expect(clickhouse.image).toMatch(new RegExp(`^clickhouse/clickhouse-server:${engine}\\.\\d+$`));
});

function listeners(variable: string): Record<string, string> {
  const text = String(kafka.environment?.[variable]);
  return Object.fromEntries(text.split(',').map((each) => each.split('://') as [string, string]));
}

function advertised(name: string): string[] {
  return [listeners('KAFKA_ADVERTISED_LISTENERS')[name] ?? ''];
}
