/** The forecast role on a real log and store: how it starts, learns, fails, is moved, and stops. */
import { describe, expect, test } from 'vitest';
import { insertTransactions, toTransactionRow } from '../../../src/adapters/clickhouse/transactions-table.ts';
import { insertStores } from '../../../src/adapters/clickhouse/companions-table.ts';
import { readCheckpoint } from '../../../src/adapters/clickhouse/model-state-table.ts';
import { restoreCheckpoint } from '../../../src/pipeline/checkpoint.ts';
import { createShard, shardLayout } from '../../../src/pipeline/shard.ts';
import type { Shard } from '../../../src/pipeline/shard.ts';
import { deadLetterTopic, TOPICS } from '../../../src/pipeline/topics.ts';
import { FORECAST_GROUP } from '../../../src/roles/forecast/forecast.ts';
import type { ForecastRole } from '../../../src/roles/forecast/forecast.ts';
import { placeTicket } from '../../../src/roles/ingest/place-ticket.ts';
import { parseTransactionMessage } from '../../../src/sales/parse-transaction.ts';
import type { Config } from '../../../src/config.ts';
import type { Telemetry } from '../../../src/telemetry/telemetry.ts';
import { acceptedOf, CONTEXT, sale } from '../../sales/transactions.ts';
import { readTopic } from '../../read-topic.ts';
import { statesOf } from '../../pipeline/chain.ts';
import { eventually } from '../clickhouse/engine-fixture.ts';
import { changedStore, DAY_MS, HOUR_MS, steadySales, useRoles } from './roles-fixture.ts';
import type { Bench } from './roles-fixture.ts';

const openBench = useRoles();
/** Midnight in New York. */
const FIRST_DAY_MS = Date.UTC(2017, 2, 1);
const FIRST_HOUR_MS = FIRST_DAY_MS + 5 * HOUR_MS;

function shardOf(role: ForecastRole): Shard {
  const [shard] = role.shards();
  if (shard === undefined) throw new Error('no shard is held');
  return shard;
}

async function caughtUp(bench: Bench, role: ForecastRole): Promise<void> {
  const end = (await bench.log.offsets(TOPICS.buckets)).get(0)?.end ?? 0;
  await eventually('everything has been heard', () => role.shards()[0]?.nextOffset === end && role.idle());
}

function checkpointOf(bench: Bench) {
  return readCheckpoint(bench.store, { shard: 0, layout: shardLayout(bench.config) });
}

async function count(bench: Bench, table: string, where = 'true'): Promise<number> {
  const [row] = await bench.store.query<{ n: number }>(`SELECT count() AS n FROM ${table} WHERE ${where}`);
  return row?.n ?? 0;
}

async function metric(telemetry: Telemetry, name: string): Promise<number> {
  const text = await telemetry.metrics.registry.metrics();
  const lines = text.split('\n').filter((line) => line.startsWith(name));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** Three weeks of days and hours. */
async function enterHistory(bench: Bench): Promise<void> {
  await bench.enterSales([
    ...steadySales('day', FIRST_DAY_MS, 19),
    ...steadySales('hour', FIRST_HOUR_MS + 14 * DAY_MS, 5 * 24),
  ]);
}

describe('a start on history', () => {
  test('learns what is closed and no more: east of UTC the day is over before the date is', async () => {
    const bench = await openBench({ timeZone: 'Asia/Tokyo' });
    // Until two in the morning in Tokyo of the 20th.
    const untilMs = Date.UTC(2017, 2, 19, 17);
    await bench.enterSales([
      ...steadySales('day', FIRST_DAY_MS, 19),
      ...steadySales('hour', untilMs - 100 * HOUR_MS, 100),
    ]);
    const { role } = await bench.startForecast();
    const { tables, historyMs } = shardOf(role);
    expect(tables.hour.nextBucketMs).toBe(untilMs);
    expect(tables.day.nextBucketMs).toBe(FIRST_DAY_MS + 19 * DAY_MS);
    expect(historyMs).toBe(untilMs);
  });

  test('learns the last day of daily totals west of UTC, too', async () => {
    const bench = await openBench();
    await bench.enterSales(steadySales('day', FIRST_DAY_MS, 10));
    const { role } = await bench.startForecast();
    expect(shardOf(role).tables.day.nextBucketMs).toBe(FIRST_DAY_MS + 10 * DAY_MS);
    expect(shardOf(role).tables.hour.nextBucketMs).toBeNull();
  });

  test.each([
    ['half of today', 12],
    ['a date in a hundred years', 36_525],
  ])('does not take %s for complete', async (_, day) => {
    // Twelve days after the first midnight in New York, at noon.
    const nowMs = FIRST_HOUR_MS + 12 * DAY_MS + 12 * HOUR_MS;
    const bench = await openBench({}, nowMs);
    await bench.enterSales([
      ...steadySales('day', FIRST_DAY_MS, 12),
      ...steadySales('hour', FIRST_HOUR_MS, 12 * 24 + 12),
      ...steadySales('day', FIRST_DAY_MS + day * DAY_MS, 1),
      ...steadySales('hour', FIRST_HOUR_MS + day * DAY_MS + 12 * HOUR_MS, 1),
    ]);
    const watermarkMs = FIRST_HOUR_MS + (day + 1) * DAY_MS;
    await bench.say({ kind: 'HISTORY', watermark_ms: watermarkMs });
    const { role } = await bench.startForecast();
    await bench.say({ kind: 'HISTORY', watermark_ms: watermarkMs });
    await caughtUp(bench, role);
    expect(shardOf(role).tables.day.nextBucketMs).toBe(FIRST_DAY_MS + 12 * DAY_MS);
    expect(shardOf(role).tables.hour.nextBucketMs).toBe(nowMs);
  });

  test('learns once what an import has announced before', async () => {
    const bench = await openBench();
    await enterHistory(bench);
    const amended = [
      { granularity: 'DAY' as const, bucket_ms: FIRST_DAY_MS, store_id: '406' },
      { granularity: 'HOUR' as const, bucket_ms: FIRST_HOUR_MS, store_id: '406' },
    ];
    await bench.say({ kind: 'HISTORY', watermark_ms: FIRST_HOUR_MS + 19 * DAY_MS, amended });
    const { role, telemetry } = await bench.startForecast();
    await caughtUp(bench, role);
    expect(await metric(telemetry, 'foretill_series_recomputed_total')).toBe(0);
    await bench.say({ kind: 'HISTORY', watermark_ms: FIRST_HOUR_MS + 19 * DAY_MS, amended });
    await caughtUp(bench, role);
    expect(await metric(telemetry, 'foretill_series_recomputed_total')).toBeGreaterThan(0);
  });

  test('comes to the same when the history arrives while it runs, and keeps no more scores than a start does', async () => {
    const bench = await openBench({ warmScoreDays: 3, storeRowsPerInsert: 50 });
    const { role } = await bench.startForecast();
    await enterHistory(bench);
    await bench.say({ kind: 'HISTORY', watermark_ms: FIRST_HOUR_MS + 19 * DAY_MS });
    await caughtUp(bench, role);

    const other = await openBench({ warmScoreDays: 3 });
    await enterHistory(other);
    const started = await other.startForecast();
    for (const granularity of ['hour', 'day'] as const) {
      const [live, warm] = [shardOf(role).tables[granularity], shardOf(started.role).tables[granularity]];
      expect(live.nextBucketMs).toBe(warm.nextBucketMs);
      // Products are chosen from the history before it is learned, or after the first day that closes.
      expect(statesOf(live)).toEqual(statesOf(warm));
    }
    const scores = await count(bench, 'scores');
    expect(scores).toBeGreaterThan(0);
    const narrow = "granularity = 'hour' AND level = 'store-category'";
    expect(await count(bench, 'scores', narrow)).toBe(0);
    expect(
      await count(bench, 'scores', `bucket < toDateTime(${(FIRST_DAY_MS + 16 * DAY_MS) / 1000}, 'UTC')`),
    ).toBe(0);
  });

  test('is given up at once when it is stopped in the middle, and begins anew', async () => {
    const bench = await openBench({ foldChunkBuckets: 24 });
    await bench.enterSales(steadySales('hour', Date.UTC(2016, 2, 1), 24 * 120));
    const { role, failures } = await bench.startForecast({}, 'started');
    await eventually('it is learning', () => role.progress() !== null);
    const { done, total } = role.progress() ?? { done: 0, total: 0 };
    expect(total).toBe(24 * 120 * HOUR_MS);
    expect(done).toBeLessThan(total);
    await role.stop();
    expect(failures).toEqual([]);
    expect(role.ready()).toBe(false);
    expect(await checkpointOf(bench)).toBeNull();
    const again = await bench.startForecast();
    expect(shardOf(again.role).tables.hour.nextBucketMs).toBe(Date.UTC(2016, 2, 1) + 24 * 120 * HOUR_MS);
  });
});

describe('an amendment', () => {
  /** Names of the series told by kind AMENDMENT, on the topic and in the ledger. */
  async function amendedSeries(reconciliation: Config['reconciliation'], granularity: 'DAY' | 'HOUR') {
    const bench = await openBench({ reconciliation });
    await enterHistory(bench);
    const { role } = await bench.startForecast();
    const bucketMs = granularity === 'DAY' ? FIRST_DAY_MS + 18 * DAY_MS : FIRST_HOUR_MS + 18 * DAY_MS;
    const amended = [{ granularity, bucket_ms: bucketMs, store_id: '406' }];
    await bench.say({ kind: 'HISTORY', watermark_ms: FIRST_HOUR_MS + 19 * DAY_MS, amended });
    await caughtUp(bench, role);
    const messages = (await readTopic(bench.log, TOPICS.forecasts)).flatMap(({ value }) =>
      value === null ? [] : bench.codec.decode(TOPICS.forecasts, value),
    );
    const told = messages.filter(({ kind }) => kind === 'AMENDMENT').map(({ series }) => series);
    const ledger = await bench.store.query<{ series: string }>(
      "SELECT series FROM forecasts WHERE kind = 'amendment'",
    );
    return { told: new Set(told), ledger: new Set(ledger.map(({ series }) => series)) };
  }

  test('of a store moves it and what it adds to where leaves keep their own forecasts', async () => {
    const { told, ledger } = await amendedSeries({ levels: 'bottom-up', hours: 'to-days' }, 'HOUR');
    expect(told).toContain('hour/units/store=406/category=BREAD');
    expect(told).toContain('hour/units/total');
    expect(told).not.toContain('hour/units/store=9');
    expect(ledger).toEqual(told);
  });

  test('of a store moves all where leaves are reconciled; the ledger has those that learned', async () => {
    const { told, ledger } = await amendedSeries({ levels: 'min-trace', hours: 'to-days' }, 'HOUR');
    expect(told).toContain('hour/units/store=9');
    expect(ledger).toContain('hour/units/store=406');
    expect(ledger).not.toContain('hour/units/store=9');
  });

  test('of a day moves the hours that follow it, and no others', async () => {
    const follow = await amendedSeries({ levels: 'bottom-up', hours: 'to-days' }, 'DAY');
    expect(follow.told).toContain('day/units/store=406');
    expect(follow.told).toContain('hour/units/store=406');
    expect(follow.told).not.toContain('hour/units/store=9');
    const alone = await amendedSeries({ levels: 'bottom-up', hours: 'none' }, 'DAY');
    expect(alone.told).toContain('day/units/store=406');
    expect(alone.told).not.toContain('hour/units/store=406');
  });
});

describe('what was sold in open buckets', () => {
  test('is known again after a restart, though nobody says it again', async () => {
    const bench = await openBench();
    const endMs = FIRST_HOUR_MS + 18 * DAY_MS + 30 * 60_000;
    const noon = sale({ end_time: endMs, begin_time: null, business_date: '2017-03-19' });
    const calendar = { timeZone: 'America/New_York', businessDayStartMinutes: 0 };
    const context = { ...CONTEXT, recordTimestampMs: endMs, calendarOf: () => calendar };
    const transaction = acceptedOf(parseTransactionMessage(noon, context));
    const placed = placeTicket(transaction, calendar, {
      recordTimestampMs: endMs,
      categoryOfSku: () => undefined,
    });
    const row = toTransactionRow(transaction, { ...placed, source: 'test', recordedAtMs: endMs });
    await insertTransactions(bench.store, [row], 'one');
    await bench.enterSales(steadySales('day', FIRST_DAY_MS, 18));
    await bench.enterSales(steadySales('hour', FIRST_HOUR_MS, 18 * 24));
    const { role } = await bench.startForecast();
    const { open, tables } = shardOf(role);
    const sold = (granularity: 'hour' | 'day', bucketMs: number): number => {
      const node = tables[granularity].nodes.find({ level: 'store', store: '406' });
      return open.sold(granularity, bucketMs, node ?? -1, 'units');
    };
    expect(sold('day', FIRST_DAY_MS + 18 * DAY_MS)).toBe(2000);
    expect(sold('hour', FIRST_HOUR_MS + 18 * DAY_MS)).toBe(2000);
    await role.stop();
    const again = await bench.startForecast();
    const restored = shardOf(again.role);
    const node = restored.tables.day.nodes.find({ level: 'store', store: '406' }) ?? -1;
    expect(restored.open.sold('day', FIRST_DAY_MS + 18 * DAY_MS, node, 'units')).toBe(2000);
  });
});

describe('stopping', () => {
  test('leaves a checkpoint and a commit where it stands, and the next start learns nothing anew', async () => {
    const bench = await openBench({ checkpointEveryMs: 3_600_000 });
    await enterHistory(bench);
    const { role } = await bench.startForecast();
    await bench.say({ watermark_ms: FIRST_HOUR_MS + 19 * DAY_MS });
    await caughtUp(bench, role);
    const states = statesOf(shardOf(role).tables.day);
    await role.stop();
    expect((await checkpointOf(bench))?.nextOffset).toBe(1);
    expect(await bench.committed(FORECAST_GROUP, TOPICS.buckets)).toBe(1);
    const issued = await count(bench, 'forecasts');
    const again = await bench.startForecast();
    expect(statesOf(shardOf(again.role).tables.day)).toEqual(states);
    expect(shardOf(again.role).nextOffset).toBe(1);
    // The topic is told again what holds; the ledger has it already.
    expect(await count(bench, 'forecasts')).toBe(issued);
  });

  test.each([
    ['older than what was committed', 5, 1],
    ['of a log that is gone', null, 9],
  ])('a checkpoint %s is not taken up: the history is learned', async (_, committed, nextOffset) => {
    const bench = await openBench();
    await enterHistory(bench);
    const first = await bench.startForecast();
    await first.role.stop();
    const data = (await checkpointOf(bench))?.data;
    expect(data).toBeDefined();
    await bench.store.command('TRUNCATE TABLE model_state');
    await insertCheckpoint(bench, nextOffset, data as Buffer);
    for (let i = 0; i < (committed ?? 0); i += 1) await bench.say({});
    if (committed !== null) {
      const member = await bench.log.join(
        { group: FORECAST_GROUP, topics: [TOPICS.buckets], startFrom: 'earliest', batchRecordsMax: 10 },
        { eachBatch: () => Promise.resolve(), onCrash: () => {} },
      );
      await eventually('it is committed', () =>
        member
          .commit([{ topic: TOPICS.buckets, partition: 0, offset: committed, metadata: '' }])
          .then(() => true)
          .catch(() => false),
      );
      await member.stop();
    }
    const { role } = await bench.startForecast();
    expect(shardOf(role).nextOffset).toBe(committed ?? 0);
    expect(statesOf(shardOf(role).tables.day).size).toBeGreaterThan(0);
    expect(shardOf(role).snapshots.day.list.length).toBeGreaterThan(0);
  });

  test('a store that has moved to another zone since has all learned by its new clock', async () => {
    const bench = await openBench();
    await enterHistory(bench);
    const first = await bench.startForecast();
    const before = statesOf(shardOf(first.role).tables.hour);
    await first.role.stop();
    const moved = { storeId: '9', name: '9', timeZone: 'America/Los_Angeles', businessDayStartMinutes: 0 };
    await insertStores(bench.store, [{ ...moved, recordedAtMs: bench.clock.nowMs() }]);
    const { role } = await bench.startForecast();
    const after = statesOf(shardOf(role).tables.hour);
    const changed = [...after]
      .filter(([name, words]) => before.get(name) !== words)
      .map(([name]) => name.split('\u0000'));
    expect(changed.length).toBeGreaterThan(0);
    expect(changed.every(([, store]) => store === '9')).toBe(true);
  });
});

async function insertCheckpoint(bench: Bench, nextOffset: number, data: Buffer): Promise<void> {
  await bench.store.insert(
    {
      name: 'model_state',
      columns: ['shard', 'generation', 'part', 'parts', 'layout', 'next_offset', 'data', 'recorded_at'],
    },
    [[0, 1, 0, 1, shardLayout(bench.config), nextOffset, data.toString('base64'), bench.clock.nowMs()]],
    { token: 'by hand' },
  );
}

test('what was learned is kept soon, what was only heard when it is much', async () => {
  const bench = await openBench({ checkpointMessagesMax: 5 });
  await enterHistory(bench);
  const { role } = await bench.startForecast();
  const stands = async (offset: number): Promise<void> =>
    eventually(
      `a checkpoint stands at ${offset}`,
      async () => (await checkpointOf(bench))?.nextOffset === offset,
    );
  // An hour that closes is kept at once, the fifth of the messages that close none takes them all along.
  await bench.say({ watermark_ms: FIRST_HOUR_MS + 19 * DAY_MS + HOUR_MS });
  await stands(1);
  const kept: number[] = [];
  for (let i = 1; i <= 5; i += 1) {
    await bench.say({ watermark_ms: FIRST_HOUR_MS + 19 * DAY_MS + HOUR_MS + i });
    await caughtUp(bench, role);
    kept.push((await checkpointOf(bench))?.nextOffset ?? -1);
  }
  await stands(6);
  expect(kept.slice(0, 4)).toEqual([1, 1, 1, 1]);
});

describe('a failure', () => {
  test('in the middle of a step ends the role once, and no checkpoint keeps what is half done', async () => {
    const checkpointEveryMs = 300;
    const bench = await openBench({ checkpointEveryMs });
    await enterHistory(bench);
    const first = await bench.startForecast();
    await first.role.stop();

    let down = false;
    const refused = new Error('the store is down');
    const store = changedStore(bench.store, {
      insert: (table, ...rest) =>
        down && table.name === 'forecasts' ? Promise.reject(refused) : bench.store.insert(table, ...rest),
    });
    const { role, failures } = await bench.startForecast({ store });
    // One step well done, which is to be kept next, and one that fails when the hour has been learned.
    await bench.say({});
    await caughtUp(bench, role);
    down = true;
    await bench.say({ watermark_ms: FIRST_HOUR_MS + 20 * DAY_MS });
    await eventually('it has failed', () => failures.length > 0);
    const failedMs = performance.now();
    expect(failures).toEqual([refused]);
    expect(role.ready()).toBe(false);
    await eventually('checkpoints have been due', () => performance.now() > failedMs + 3 * checkpointEveryMs);
    await role.stop();
    expect(failures).toHaveLength(1);
    const kept = await checkpointOf(bench);
    const shard = createShard(0, bench.config);
    expect(restoreCheckpoint(shard, kept?.data as Buffer, () => bench.config.timeZone)).toBe(true);
    expect(shard.nextOffset).toBe(kept?.nextOffset);
    expect(shard.tables.hour.nextBucketMs).toBe(FIRST_HOUR_MS + 19 * DAY_MS);

    // Started again it does what was left undone.
    const again = await bench.startForecast();
    await caughtUp(bench, again.role);
    expect(shardOf(again.role).tables.hour.nextBucketMs).toBe(FIRST_HOUR_MS + 20 * DAY_MS);
    const last = `origin = toDateTime(${(FIRST_HOUR_MS + 20 * DAY_MS - HOUR_MS) / 1000}, 'UTC')`;
    expect(await count(bench, 'forecasts', last)).toBeGreaterThan(0);
  });

  test('bytes that are no message are put aside, and it goes on', async () => {
    const bench = await openBench();
    await enterHistory(bench);
    const { role, failures } = await bench.startForecast();
    await bench.log.append(TOPICS.buckets, [{ key: null, value: Buffer.from('noise'), partition: 0 }]);
    await bench.say({ watermark_ms: FIRST_HOUR_MS + 20 * DAY_MS });
    await caughtUp(bench, role);
    expect(failures).toEqual([]);
    expect(shardOf(role).tables.hour.nextBucketMs).toBe(FIRST_HOUR_MS + 20 * DAY_MS);
    expect((await bench.log.offsets(deadLetterTopic(TOPICS.buckets))).get(0)?.end).toBe(1);
  });
});

test('members that come and go hand the shard over whole: no checkpoint ever goes back', async () => {
  const bench = await openBench({ nowcastEveryMs: 1, checkpointEveryMs: 1 });
  await enterHistory(bench);
  const offsets: number[] = [];
  const through = {
    // Slow enough for every timer to have its turn while a shard is being taken up.
    log: {
      ...bench.log,
      async offsets(topic: string) {
        for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1));
        return bench.log.offsets(topic);
      },
    },
    store: changedStore(bench.store, {
      insert(table, rows, options) {
        if (table.name === 'model_state' && 'length' in rows) offsets.push(rows[0]?.[5] as number);
        return bench.store.insert(table, rows, options);
      },
    }),
  };
  const first = await bench.startForecast(through);
  for (let round = 0; round < 6; round += 1) {
    await bench.say({ watermark_ms: FIRST_HOUR_MS + 19 * DAY_MS + (round + 1) * HOUR_MS });
    const other = await bench.startForecast(through, 'started');
    await eventually('one of them holds the shard', () => first.role.ready() !== other.role.ready());
    await other.role.stop();
    await eventually('the first has it back', first.role.ready);
    await caughtUp(bench, first.role);
    await eventually('a checkpoint stands there', () => offsets.at(-1) === round + 1);
    expect([...first.failures, ...other.failures]).toEqual([]);
    expect(shardOf(first.role).tables.hour.nextBucketMs).toBe(
      FIRST_HOUR_MS + 19 * DAY_MS + (round + 1) * HOUR_MS,
    );
  }
  expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
});
