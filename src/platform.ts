/**
 * What every command that touches data stands on: the data directory's lock, the log, the store and the codec. Opened
 * in this order and closed in the other; when one cannot be opened, those before it are closed again.
 */
import { join } from 'node:path';
import { createCodec } from './adapters/avro/codec.ts';
import { startEmbeddedEngine } from './adapters/clickhouse/embedded-engine.ts';
import { openStore } from './adapters/clickhouse/client.ts';
import type { Store } from './adapters/clickhouse/client.ts';
import { migrate } from './adapters/clickhouse/migrate.ts';
import { lockDataDir } from './adapters/data-dir-lock.ts';
import { openSqliteLog } from './adapters/sqlite-log/sqlite-log.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import type { Codec } from './pipeline/codec.ts';
import type { Log } from './pipeline/log.ts';
import { topicSpecs } from './pipeline/topics.ts';
import type { Telemetry } from './telemetry/telemetry.ts';

/** A ClickHouse server; without one the engine runs embedded in the data directory. */
export type StoreAddress = {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  readonly database?: string;
};

export type PlatformOptions = {
  readonly dir: string;
  readonly config: Config;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly store?: StoreAddress;
};

export type Platform = {
  readonly dir: string;
  readonly config: Config;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly log: Log;
  readonly store: Store;
  readonly codec: Codec;
  close(): Promise<void>;
};

/** Errors: DATA_DIR_LOCKED, DATA_DIR_UNUSABLE, LOG_CORRUPT, STORE_UNAVAILABLE, STORE_SCHEMA_NEWER. */
export async function openPlatform(options: PlatformOptions): Promise<Platform> {
  const { dir, config, clock, telemetry } = options;
  const opened: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const closeOne of opened.splice(0).reverse()) await closeOne();
  };
  try {
    const lock = await lockDataDir(dir);
    opened.push(() => lock.release());
    const codec = await createCodec();
    const [address, log] = await Promise.all([
      storeAddress(options, (stop) => opened.push(stop)),
      openSqliteLog({
        dir: join(dir, 'log'),
        clock,
        limits: config.log,
        onProblem: (error) =>
          telemetry.log.warn('Maintenance of the log failed, it will be tried again', { error }),
      }).then((open) => {
        opened.push(() => open.close());
        return open;
      }),
    ]);
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
    opened.push(() => store.close());
    await migrate(store, { clock });
    await log.ensureTopics(topicSpecs(config));
    return { dir, config, clock, telemetry, log, store, codec, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function storeAddress(
  options: PlatformOptions,
  onOpened: (stop: () => Promise<void>) => void,
): Promise<StoreAddress> {
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
