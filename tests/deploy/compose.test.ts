/** docker-compose.yml: what Compose itself asks of it, and what we ask of every container. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { mountsOf, portsOf, readCompose, readText, ROOT } from './read-compose.ts';
import type { Service } from './read-compose.ts';

const compose = readCompose();
const services = Object.entries(compose.services);
/** Nobody asks them anything: one runs to its end, one writes until it is stopped or fails. */
const WITHOUT_HEALTH = ['topics', 'sim'];
const JOBS = ['topics'];

function wrong(check: (service: Service, name: string) => boolean): string[] {
  return services.filter(([name, service]) => !check(service, name)).map(([name]) => name);
}

describe('the compose file', () => {
  test('is valid by the schema of the Compose Specification', () => {
    const validate = new Ajv2020({ strict: false, allErrors: true }).compile(
      JSON.parse(readText('tests/deploy/compose-spec/compose-spec.json')) as object,
    );
    validate(compose);
    expect(validate.errors ?? []).toEqual([]);
    expect(validate({ services: { kafka: { image: 'kafka:1', restrat: 'no' } } })).toBe(false);
  });

  test('starts the core, and the rest by profile', () => {
    const profiles = Object.fromEntries(
      services.map(([name, { profiles: [profile = 'core'] = [] }]) => [name, profile]),
    );
    expect(profiles).toEqual({
      kafka: 'core',
      registry: 'core',
      clickhouse: 'core',
      topics: 'core',
      ingest: 'core',
      forecast: 'core',
      serve: 'core',
      sim: 'sim',
      prometheus: 'observability',
      alertmanager: 'observability',
      grafana: 'observability',
      mlflow: 'mlops',
    });
  });

  test('waits for nothing that is not started with it', () => {
    const unmet: string[] = [];
    for (const [name, { depends_on = {}, profiles = [] }] of services) {
      for (const [needed, { condition }] of Object.entries(depends_on)) {
        const other = compose.services[needed];
        const meets =
          condition === 'service_healthy'
            ? other?.healthcheck !== undefined
            : condition === 'service_completed_successfully' && JOBS.includes(needed);
        const started = (other?.profiles ?? []).every((profile) => profiles.includes(profile));
        if (!meets || !started) unmet.push(`${name} → ${needed}: ${condition}`);
      }
    }
    expect(unmet).toEqual([]);
  });

  test('asks for passwords and has none in it', () => {
    expect(() => readCompose({})).toThrow(/FORETILL_STORE_PASSWORD is not set: see \.env\.example/);
    const open = services.flatMap(([name, { environment = {} }]) =>
      Object.entries(environment)
        .filter(([variable]) => /PASSWORD|TOKEN|SECRET/.test(variable))
        .filter(([, value]) => !String(value).endsWith('for-tests-only'))
        .map(([variable]) => `${name}: ${variable}`),
    );
    expect(open).toEqual([]);
  });

  test('mounts files that are there, read-only, and volumes that are declared', () => {
    const mounts = services.flatMap(([name, service]) =>
      mountsOf(service).map((mount) => ({ name, ...mount })),
    );
    const binds = mounts.filter(({ source }) => source.startsWith('.'));
    expect(binds.filter(({ source }) => !existsSync(join(ROOT, source)))).toEqual([]);
    expect(binds.filter(({ readOnly }) => !readOnly)).toEqual([]);
    const volumes = new Set(
      mounts.filter(({ source }) => !source.startsWith('.')).map(({ source }) => source),
    );
    expect([...volumes].toSorted()).toEqual(Object.keys(compose.volumes).toSorted());
  });
});

describe('every container', () => {
  const checks: Readonly<Record<string, (service: Service, name: string) => boolean>> = {
    'runs an image of one version': ({ image }) => /^[\w./-]+:v?\d+(\.\d+){2,3}(-[\w.-]+)?$/.test(image),
    'runs as a user of its own, not root': ({ user = '0' }) => /^[1-9]\d*(:\d+)?$/.test(user),
    'has no rights beyond those of that user': ({ cap_drop, cap_add, privileged, security_opt }) =>
      cap_drop?.join() === 'ALL' &&
      cap_add === undefined &&
      privileged === undefined &&
      security_opt?.includes('no-new-privileges:true') === true,
    'cannot write to its image': ({ read_only }) => read_only === true,
    'has a limit of memory': ({ mem_limit = '' }) => /^\d+[mg]$/.test(mem_limit),
    'has a limit of log': ({ logging }) =>
      logging?.driver === 'json-file' &&
      logging.options['max-size'] !== undefined &&
      logging.options['max-file'] !== undefined,
    'starts again unless it was to end': ({ restart }, name) =>
      restart === (JOBS.includes(name) ? 'no' : 'unless-stopped'),
    'can be asked how it is': ({ healthcheck }, name) =>
      WITHOUT_HEALTH.includes(name) === (healthcheck === undefined),
    'has a check of its health that ends': ({ healthcheck }) =>
      healthcheck === undefined ||
      ['interval', 'timeout', 'retries', 'start_period', 'start_interval'].every(
        (name) => name in healthcheck,
      ),
    'is reached from this machine only': (service) =>
      portsOf(service).every(
        ({ host, published, target }) => host === '127.0.0.1' && published > 0 && target > 0,
      ),
  };

  test.each(Object.entries(checks))('%s', (_name, check) => {
    expect(wrong(check)).toEqual([]);
  });

  test('has a port of its own on this machine', () => {
    const published = services.flatMap(([, service]) => portsOf(service).map(({ published }) => published));
    expect(new Set(published).size).toBe(published.length);
  });
});
