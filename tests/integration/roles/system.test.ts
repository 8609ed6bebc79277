/** The roles of one process together: a start that fails leaves nothing behind. */
import { expect, test } from 'vitest';
import { startSystem } from '../../../src/main.ts';
import { createTelemetry } from '../../../src/telemetry/telemetry.ts';
import { eventually } from '../clickhouse/engine-fixture.ts';
import { changedStore, useRoles } from './roles-fixture.ts';
import type { Bench } from './roles-fixture.ts';

const openBench = useRoles();

function start(bench: Bench, store = bench.store): ReturnType<typeof startSystem> {
  const { log, codec, config, clock } = bench;
  const telemetry = createTelemetry({ level: 'silent' });
  return startSystem({
    platform: { dir: '', log, store, codec, config, clock, telemetry, close: () => Promise.resolve() },
    roles: ['ingest', 'forecast'],
    listen: { host: '127.0.0.1', port: 0 },
    onFailed: () => {},
  });
}

test('where ingest cannot start, the forecast role does not stay behind with its shards', async () => {
  const bench = await openBench();
  const refused = new Error('no products today');
  const store = changedStore(bench.store, {
    query: (sql, ...rest) =>
      sql.includes('products') ? Promise.reject(refused) : bench.store.query(sql, ...rest),
  });
  await expect(start(bench, store)).rejects.toBe(refused);
  // Who had stayed would keep the one shard there is.
  const system = await start(bench);
  await eventually('the shard is held by the next', () => system.ready());
  expect(system.forecast?.shards()).toHaveLength(1);
  await system.stop();
});
