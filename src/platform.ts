/**
 * What every command that touches data stands on: the log, the store and the codec. Embedded, all of it lies in a data
 * directory that is locked; as part of a cluster the log is Kafka, schemas come from a registry, tables lie on a server,
 * and the directory holds no more than settings and schemas seen before. Opened in this order and closed in the other;
 * when one cannot be opened, those before it are closed again.
 */
import { join } from 'node:path';
import { createCodec } from './adapters/avro/codec.ts';
import { startEmbeddedEngine } from './adapters/clickhouse/embedded-engine.ts';
import { openStore } from './adapters/clickhouse/client.ts';
import type { Store } from './adapters/clickhouse/client.ts';
import { migrate } from './adapters/clickhouse/migrate.ts';
import { agreeOnSettings } from './adapters/clickhouse/settled-settings.ts';
import { lockDataDir } from './adapters/data-dir-lock.ts';
import type { KafkaAddress } from './adapters/kafka/client/address.ts';
import { names } from './adapters/kafka/client/names.ts';
import { tellKafkaEvents } from './adapters/kafka/tell-events.ts';
import type { RegistryAddress } from './adapters/schema-registry/address.ts';
import { tellRegistryEvents } from './adapters/schema-registry/tell-events.ts';
import { openSqliteLog } from './adapters/sqlite-log/sqlite-log.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { ForetillError } from './errors.ts';
import type { Codec } from './pipeline/codec.ts';
import type { Log } from './pipeline/log.ts';
import { topicDifferences, topicSpecs } from './pipeline/topics.ts';
import type { Telemetry } from './telemetry/telemetry.ts';

/** A ClickHouse server; without one the engine runs embedded in the data directory. */
export type StoreAddress = {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  readonly database?: string;
};

/** Kafka in place of the embedded log, and where its schemas are known. */
export type ClusterAddress = {
  readonly kafka: KafkaAddress;
  readonly registry: RegistryAddress;
  /** Schemas that are not in the registry yet are registered; else that is an error. */
  readonly register: boolean;
  /** Topics that are missing are created; else that is an error. */
  readonly createTopics: boolean;
  /** How long a registry that does not answer is waited for at the start; for ever when absent. */
  readonly registryWaitMsMax?: number;
};

export type PlatformOptions = {
  readonly dir: string;
  readonly config: Config;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly store?: StoreAddress;
  readonly cluster?: ClusterAddress;
  /** Ends the waiting for what does not answer yet. */
  readonly signal?: AbortSignal;
};

/** The topics with their records' bytes: whoever needs no more does without a registry. */
export type Records = {
  readonly dir: string;
  readonly config: Config;
  readonly log: Log;
  close(): Promise<void>;
};

/** The topics and their messages, without the tables. */
export type Messaging = Records & { readonly codec: Codec };

export type Platform = Messaging & {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly store: Store;
  /** Of the store, also of the embedded one: with it other processes on this machine can share it. */
  readonly storeAddress: StoreAddress;
};

type OnOpened = (close: () => Promise<unknown>) => void;

/**
 * Errors: DATA_DIR_LOCKED, DATA_DIR_UNUSABLE, LOG_CORRUPT, LOG_UNAVAILABLE, STORE_UNAVAILABLE, STORE_SCHEMA_NEWER,
 * SCHEMA_UNKNOWN, CONFIG_INVALID.
 */
export async function openPlatform(options: PlatformOptions): Promise<Platform> {
  const { dir, config, clock, telemetry } = options;
  return allOrNothing(async (onOpened) => {
    if (options.cluster === undefined || options.store === undefined) await lock(dir, onOpened);
    const [address, messaging] = await bothOrNeither(
      storeAddress(options, onOpened),
      openLogAndCodec(options, onOpened),
    );
    const store = await openStore({
      ...address,
      limits: config.store,
      createDatabase: true,
      onRetry: ({ attempt, delayMs, error }) =>
        telemetry.events.storeRetried({
          code: errorCode(error),
          attempt,
          delayMs,
        }),
    });
    onOpened(() => store.close());
    await migrate(store, { clock });
    await agreeOnSettings(store, { config, clock });
    return { dir, config, clock, telemetry, ...messaging, store, storeAddress: address };
  });
}

/** As `openPlatform`, for those who need no tables. */
export async function openMessaging(options: Omit<PlatformOptions, 'store'>): Promise<Messaging> {
  const { dir, config } = options;
  return allOrNothing(async (onOpened) => {
    if (options.cluster === undefined) await lock(dir, onOpened);
    return { dir, config, ...(await openLogAndCodec(options, onOpened)) };
  });
}

/** As `openPlatform`, for those who take records as they are. */
export async function openRecords(options: Omit<PlatformOptions, 'store'>): Promise<Records> {
  const { dir, config } = options;
  return allOrNothing(async (onOpened) => {
    if (options.cluster === undefined) await lock(dir, onOpened);
    const log = await openLog(options);
    onOpened(() => log.close());
    await seeToTopics(log, options);
    return { dir, config, log };
  });
}

/** Rejects when both have ended, so that whatever was opened is known by then. */
async function bothOrNeither<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([one, other]);
  return [await one, await other];
}

async function allOrNothing<T>(
  open: (onOpened: OnOpened) => Promise<T>,
): Promise<T & { close(): Promise<void> }> {
  const opened: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const closeOne of opened.splice(0).reverse()) await closeOne();
  };
  try {
    return { ...(await open((closeOne) => opened.push(closeOne))), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function lock(dir: string, onOpened: OnOpened): Promise<void> {
  const held = await lockDataDir(dir);
  onOpened(() => held.release());
}

async function openLogAndCodec(
  options: PlatformOptions,
  onOpened: OnOpened,
): Promise<{ readonly log: Log; readonly codec: Codec }> {
  const log = await openLog(options);
  onOpened(() => log.close());
  const codec = await openCodec(options);
  await seeToTopics(log, options);
  return { log, codec };
}

async function seeToTopics(log: Log, { config, cluster }: PlatformOptions): Promise<void> {
  if (cluster === undefined || cluster.createTopics) await log.ensureTopics(topicSpecs(config));
  else await demandTopics(log, config);
}

async function openCodec({
  dir,
  config,
  clock,
  telemetry,
  cluster,
  signal,
}: PlatformOptions): Promise<Codec> {
  if (cluster === undefined) return createCodec();
  const { openSchemaRegistry } = await import('./adapters/schema-registry/schema-registry.ts');
  const patience = new AbortController();
  const { registryWaitMsMax } = cluster;
  const timer =
    registryWaitMsMax === undefined ? undefined : setTimeout(() => patience.abort(), registryWaitMsMax);
  try {
    const registry = await openSchemaRegistry({
      ...cluster.registry,
      namespace: names(cluster.kafka.namespace).prefix,
      mode: cluster.register ? 'register' : 'check',
      cacheDir: join(dir, 'schemas'),
      clock,
      limits: config.schemaRegistry,
      onEvent: tellRegistryEvents(telemetry.events),
      signal: AbortSignal.any([patience.signal, ...(signal === undefined ? [] : [signal])]),
    });
    return await createCodec(registry);
  } finally {
    clearTimeout(timer);
  }
}

async function openLog({ dir, config, clock, telemetry, cluster }: PlatformOptions): Promise<Log> {
  if (cluster !== undefined) {
    // Its client is loaded only where it is wanted.
    const { openKafkaLog } = await import('./adapters/kafka/kafka-log.ts');
    return openKafkaLog({
      address: cluster.kafka,
      limits: config.kafka,
      clock,
      onEvent: tellKafkaEvents(telemetry.events),
    });
  }
  return openSqliteLog({
    dir: join(dir, 'log'),
    clock,
    limits: config.log,
    onProblem: (error) =>
      telemetry.log.warn('Maintenance of the log failed, it will be tried again', { error }),
  });
}

/** What differs in retention and the like is for `foretill topics` to say; without the partitions nothing can run. */
async function demandTopics(log: Log, config: Config): Promise<void> {
  const found = topicDifferences(topicSpecs(config), await log.topics());
  const fatal = found.filter(({ what }) => what === 'missing' || what === 'partitions');
  const [first] = fatal;
  if (first === undefined) return;
  const about =
    first.what === 'missing'
      ? `There is no topic ${first.topic}`
      : `Topic ${first.topic} has ${first.found} partitions instead of ${first.wanted}`;
  const more = fatal.length > 1 ? `, and ${fatal.length - 1} more are not as they should be` : '';
  throw new ForetillError('CONFIG_INVALID', `${about}${more}.`, {
    remedy:
      'Run `foretill topics` once with the same settings: it creates what is missing and says what differs.',
  });
}

async function storeAddress(options: PlatformOptions, onOpened: OnOpened): Promise<StoreAddress> {
  if (options.store !== undefined) return options.store;
  const engine = await startEmbeddedEngine({
    dir: join(options.dir, 'clickhouse'),
    limits: options.config.engine,
    onExit: (death) => options.telemetry.log.error('The embedded engine ended unexpectedly', { ...death }),
  });
  onOpened(() => engine.stop());
  return { url: engine.url, username: engine.username, password: engine.password };
}

/** ClickHouse's or the system's own code, for counting. */
function errorCode(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : 'unknown';
}
