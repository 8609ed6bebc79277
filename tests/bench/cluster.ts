/** Kafka, a schema registry and the engine on this machine for a benchmark, and namespaces on them. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBroker } from '../../deploy/stack/broker.ts';
import { startRegistry } from '../../deploy/stack/registry.ts';
import { startStore } from '../../deploy/stack/store.ts';
import type { StoreServer } from '../../deploy/stack/store.ts';
import type { Clock } from '../../src/clock.ts';
import { DEFAULT_CONFIG, resolveConfig } from '../../src/config.ts';
import type { Config } from '../../src/config.ts';
import { openPlatform } from '../../src/platform.ts';
import type { ClusterAddress, Platform, StoreAddress } from '../../src/platform.ts';
import { DAY_MS } from '../../src/sales/durations.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';

export type Cluster = {
  readonly broker: string;
  readonly registryUrl: string;
  readonly store: StoreServer;
};

/** A place of its own on the cluster: topics, groups and tables that nothing else uses. */
export type Tenant = {
  readonly platform: Platform;
  /** For a process that is to work in it. */
  readonly environment: Readonly<Record<string, string>>;
};

export async function withCluster<T>(work: (cluster: Cluster) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'foretill-bench-cluster-'));
  const started: { stop(): Promise<void> }[] = [];
  try {
    const broker = await startBroker({ dir: join(dir, 'kafka') });
    started.push(broker);
    const registry = await startRegistry({ dir: join(dir, 'registry') });
    started.push(registry);
    const store = await startStore({ dir: join(dir, 'store') });
    started.push(store);
    return await work({ broker: broker.address, registryUrl: registry.url, store });
  } finally {
    for (const service of started.reverse()) await service.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

/** The records' days lie in the past: a broker that tidies up while they are read must not find them too old. */
const KEPT: Partial<Config> = {
  retention: { ...DEFAULT_CONFIG.retention, transactionsMs: 10 * 365 * DAY_MS },
};

export async function withTenant<T>(
  { broker, registryUrl, store }: Cluster,
  { settings, clock }: { readonly settings: Partial<Config>; readonly clock: Clock },
  work: (tenant: Tenant) => Promise<T>,
): Promise<T> {
  const all = { ...KEPT, ...settings };
  const namespace = `b${randomUUID().slice(0, 8)}`;
  const dir = await mkdtemp(join(tmpdir(), 'foretill-bench-'));
  const database = `foretill_${namespace}`;
  const address: StoreAddress = {
    url: store.url,
    username: store.username,
    password: store.password,
    database,
  };
  const cluster: ClusterAddress = {
    kafka: { brokers: [broker], clientId: 'foretill-bench', namespace },
    registry: { url: registryUrl },
    register: true,
    createTopics: true,
  };
  const environment = {
    FORETILL_DIR: dir,
    FORETILL_NAMESPACE: namespace,
    FORETILL_LOG: 'warn',
    KAFKA_BROKERS: broker,
    SCHEMA_REGISTRY_URL: registryUrl,
    CLICKHOUSE_URL: store.url,
    CLICKHOUSE_USER: store.username,
    CLICKHOUSE_DATABASE: database,
    FORETILL_STORE_PASSWORD: store.password,
  };
  try {
    await writeFile(join(dir, 'foretill.json'), JSON.stringify(all));
    const telemetry = createTelemetry({ level: 'error' });
    const platform = await openPlatform({
      dir,
      config: resolveConfig(all),
      clock,
      telemetry,
      store: address,
      cluster,
    });
    try {
      return await work({ platform, environment });
    } finally {
      await platform.store.command('DROP DATABASE IF EXISTS {database:Identifier}', { database });
      await platform.close();
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
