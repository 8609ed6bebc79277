/** Prometheus, Alertmanager, Grafana and the store's users, against the compose file that starts them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { findProgram } from '../../deploy/stack/find-program.ts';
import { DEFAULT_CONFIG } from '../../src/config.ts';
import { mountsOf, portsOf, readCompose, readText, ROOT } from './read-compose.ts';
import type { Service } from './read-compose.ts';

const { services } = readCompose();
const CI = process.env['CI'] === 'true' || process.env['CI'] === '1';
/** They come with Prometheus and Alertmanager; CI has them. */
const promtool = findProgram(['promtool']);
const amtool = findProgram(['amtool']);

type Scrape = {
  readonly job_name: string;
  readonly authorization?: { readonly credentials_file: string };
  readonly dns_sd_configs?: readonly { names: readonly string[]; type: string; port: number }[];
  readonly static_configs?: readonly { readonly targets: readonly string[] }[];
};

const prometheus = parse(readText('deploy/prometheus/prometheus.yml')) as {
  readonly rule_files: readonly string[];
  readonly alerting: { readonly alertmanagers: readonly Scrape[] };
  readonly scrape_configs: readonly Scrape[];
};

function service(name: string): Service {
  const found = services[name];
  if (found === undefined) throw new Error(`there is no service ${name}`);
  return found;
}

/** Where a file of the repository is in a container, and what is mounted from where. */
function mountAt(name: string, target: string): string | undefined {
  return mountsOf(service(name)).find((mount) => mount.target === target)?.source;
}

/** The port on which a service is asked whether it is well. */
function healthPort(name: string): number {
  return Number(/127\.0\.0\.1:(\d+)/.exec(service(name).healthcheck?.test.join(' ') ?? '')?.[1]);
}

describe('Prometheus', () => {
  test('asks every process of every role, with the token', () => {
    const [foretill] = prometheus.scrape_configs.filter(({ job_name }) => job_name === 'foretill');
    const roles = Object.entries(services).filter(([, { command }]) => command?.[0] === 'run');
    expect(foretill?.dns_sd_configs?.map(({ names, type, port }) => ({ names, type, port }))).toEqual(
      roles.map(([name]) => ({ names: [name], type: 'A', port: healthPort(name) })),
    );
    const script = service('prometheus').command?.[0] ?? '';
    expect(script).toContain(`printf %s "$FORETILL_TOKEN" > ${foretill?.authorization?.credentials_file}\n`);
    expect(service('prometheus').environment?.['FORETILL_TOKEN']).toBe(
      service('serve').environment?.['FORETILL_TOKEN'],
    );
  });

  test('asks itself and Alertmanager, and sends alerts there', () => {
    const targets = [...prometheus.scrape_configs, ...prometheus.alerting.alertmanagers]
      .flatMap(({ static_configs = [] }) => static_configs)
      .flatMap(({ targets }) => targets);
    const alertmanager = `alertmanager:${portsOf(service('alertmanager'))[0]?.target}`;
    expect(targets).toEqual([
      `localhost:${portsOf(service('prometheus'))[0]?.target}`,
      alertmanager,
      alertmanager,
    ]);
  });

  test('reads its rules from the same files in the container as in the repository', () => {
    expect(mountAt('prometheus', '/etc/prometheus')).toBe('./deploy/prometheus');
    const [rules = ''] = prometheus.rule_files;
    const inContainer = posix.dirname(posix.resolve('/etc/prometheus', rules));
    const inRepository = posix.relative(ROOT, posix.dirname(posix.resolve(ROOT, 'deploy/prometheus', rules)));
    expect(mountAt('prometheus', inContainer)).toBe(`./${inRepository}`);
    expect(rules).toMatch(/\/\*\.rules\.yml$/);
  });

  test('gives way to its successor when told to: the shell is not in between', () => {
    const script = service('prometheus').command?.[0] ?? '';
    expect(script).toMatch(/^exec \/bin\/prometheus --config\.file=\/etc\/prometheus\/prometheus\.yml /m);
    const [data] = mountsOf(service('prometheus')).filter(({ source }) => source === 'prometheus');
    expect(script).toContain(`--storage.tsdb.path=${data?.target} `);
  });

  test.runIf(CI || promtool !== null)('is told nothing that it does not understand', () => {
    const dir = mkdtempSync(join(tmpdir(), 'foretill-prometheus-'));
    try {
      const token = join(dir, 'token');
      const configuration = join(dir, 'prometheus.yml');
      writeFileSync(token, 'x');
      writeFileSync(
        configuration,
        readText('deploy/prometheus/prometheus.yml')
          .replace('/tmp/foretill-token', token)
          .replace('../../', ROOT),
      );
      expect(
        execFileSync(promtool ?? 'promtool is not on the PATH', ['check', 'config', configuration], {
          encoding: 'utf8',
        }),
      ).toMatch(/SUCCESS/);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

describe('Alertmanager', () => {
  test('reads its own file', () => {
    const { command = [] } = service('alertmanager');
    const [file] = command.filter((word) => word.startsWith('--config.file='));
    const path = file?.split('=')[1] ?? '';
    expect(mountAt('alertmanager', posix.dirname(path))).toBe('./deploy/alertmanager');
    expect(readdirSync(join(ROOT, 'deploy/alertmanager'))).toContain(posix.basename(path));
    expect(command).toContain(
      `--storage.path=${mountsOf(service('alertmanager')).find(({ source }) => source === 'alertmanager')?.target}`,
    );
  });

  test.runIf(CI || amtool !== null)('is told nothing that it does not understand', () => {
    const file = join(ROOT, 'deploy/alertmanager/alertmanager.yml');
    expect(
      execFileSync(amtool ?? 'amtool is not on the PATH', ['check-config', file], { encoding: 'utf8' }),
    ).toMatch(/SUCCESS/);
  });
});

describe('Grafana', () => {
  type DataSource = {
    readonly type: string;
    readonly url?: string;
    readonly jsonData: { readonly host?: string; readonly port?: number; readonly [name: string]: unknown };
    readonly secureJsonData?: { readonly password: string };
  };
  const { datasources } = parse(readText('deploy/grafana/provisioning/datasources/foretill.yml')) as {
    readonly datasources: readonly DataSource[];
  };
  const { providers } = parse(readText('deploy/grafana/provisioning/dashboards/foretill.yml')) as {
    readonly providers: readonly { readonly options: { readonly path: string } }[];
  };
  const of = (type: string) => datasources.find((source) => source.type === type);
  const environment = service('grafana').environment ?? {};

  test('finds Prometheus and the store where they are', () => {
    expect(datasources).toHaveLength(2);
    expect(of('prometheus')?.url).toBe(`http://prometheus:${portsOf(service('prometheus'))[0]?.target}`);
    expect(of('grafana-clickhouse-datasource')?.jsonData).toEqual({
      host: 'clickhouse',
      port: portsOf(service('clickhouse'))[0]?.target,
      protocol: 'http',
      username: 'grafana',
      defaultDatabase: service('serve').environment?.['CLICKHOUSE_DATABASE'],
    });
    expect(String(environment['GF_PLUGINS_PREINSTALL_SYNC'])).toMatch(
      /^grafana-clickhouse-datasource@\d+\.\d+\.\d+$/,
    );
  });

  test('takes the store’s password from the environment, as the store does', () => {
    const name = /^\$\{([A-Z_]+)\}$/.exec(
      of('grafana-clickhouse-datasource')?.secureJsonData?.password ?? '',
    )?.[1];
    expect(name).toBe('GRAFANA_STORE_PASSWORD');
    expect(environment['GRAFANA_STORE_PASSWORD']).toBe(
      service('clickhouse').environment?.['GRAFANA_STORE_PASSWORD'],
    );
  });

  test('shows the dashboards that are generated', () => {
    expect(mountAt('grafana', '/etc/grafana/provisioning')).toBe('./deploy/grafana/provisioning');
    expect(providers.map(({ options }) => mountAt('grafana', options.path))).toEqual([
      './dashboards/generated',
    ]);
  });
});

describe('ClickHouse', () => {
  const users = readText('deploy/clickhouse/users.xml');
  const element = (text: string, name: string) =>
    new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(text)?.[1] ?? '';

  test.each([
    {
      user: 'foretill',
      password: 'FORETILL_STORE_PASSWORD',
      profile: 'default',
      may: 'GRANT ALL ON foretill.*',
    },
    {
      user: 'grafana',
      password: 'GRAFANA_STORE_PASSWORD',
      profile: 'reader',
      may: 'GRANT SELECT ON foretill.*',
    },
  ])('lets $user in with a password from its environment', ({ user, password, profile, may }) => {
    const of = element(element(users, 'users'), user);
    expect(of).toContain(`<password from_env="${password}"/>`);
    expect(service('clickhouse').environment?.[password]).toBeTruthy();
    expect(element(of, 'profile')).toBe(profile);
    expect(element(of, 'grants').trim()).toBe(`<query>${may}</query>`);
  });

  test('lets nobody else in', () => {
    const names = [...element(users, 'users').matchAll(/^ {8}<([a-z_]+)\b/gm)].map(([, name]) => name);
    expect(names).toEqual(['default', 'foretill', 'grafana']);
    expect(users).toContain('<default remove="remove"/>');
    expect(service('clickhouse').environment?.['CLICKHOUSE_SKIP_USER_SETUP']).toBe(1);
    expect(element(element(users, 'profiles'), 'readonly')).toBe('2');
  });

  test('keeps an idle socket longer than Foretill does', () => {
    const seconds = Number(element(readText('deploy/clickhouse/server.xml'), 'keep_alive_timeout'));
    expect(seconds * 1000).toBeGreaterThan(DEFAULT_CONFIG.store.idleSocketMsMax);
  });

  test('reads both files from where a server looks for them', () => {
    expect(mountAt('clickhouse', '/etc/clickhouse-server/config.d/foretill.xml')).toBe(
      './deploy/clickhouse/server.xml',
    );
    expect(mountAt('clickhouse', '/etc/clickhouse-server/users.d/foretill.xml')).toBe(
      './deploy/clickhouse/users.xml',
    );
  });
});
