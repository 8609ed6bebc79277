/** One embedded engine for a test file, a database of its own for every test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { Store } from '../../../src/adapters/clickhouse/client.ts';
import { openStore } from '../../../src/adapters/clickhouse/client.ts';
import type { EmbeddedEngine } from '../../../src/adapters/clickhouse/embedded-engine.ts';
import { startEmbeddedEngine } from '../../../src/adapters/clickhouse/embedded-engine.ts';
import { migrate } from '../../../src/adapters/clickhouse/migrate.ts';
import { manualClock } from '../../../src/clock.ts';
import { DEFAULT_CONFIG } from '../../../src/config.ts';

export const START_MS = Date.UTC(2026, 2, 1);

export type EngineFixture = {
  engine(): EmbeddedEngine;
  /** An empty database. */
  openDatabase(options?: { url?: string }): Promise<Store>;
  /** A database with all tables. */
  openMigrated(): Promise<Store>;
};

export function useEngine(): EngineFixture {
  let dir = '';
  let running: EmbeddedEngine | undefined;
  let databases = 0;
  const stores: Store[] = [];

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'foretill-engine-'));
    running = await startEmbeddedEngine({ dir, limits: DEFAULT_CONFIG.engine });
  });
  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await running?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  function engine(): EmbeddedEngine {
    if (running === undefined) throw new Error('the engine runs only within tests');
    return running;
  }

  async function openDatabase(options: { url?: string } = {}): Promise<Store> {
    const { url, username, password } = engine();
    const store = await openStore({
      url: options.url ?? url,
      username,
      password,
      database: `test_${++databases}`,
      createDatabase: true,
      limits: DEFAULT_CONFIG.store,
    });
    stores.push(store);
    return store;
  }

  return {
    engine,
    openDatabase,
    async openMigrated() {
      const store = await openDatabase();
      await migrate(store, { clock: manualClock(START_MS) });
      return store;
    },
  };
}

/** Polls until the answer is yes; fails after `withinMs`. */
export async function eventually(
  what: string,
  ask: () => boolean | Promise<boolean>,
  withinMs = 20_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await ask())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
