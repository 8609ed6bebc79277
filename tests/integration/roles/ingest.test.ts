/** The ingest role on a real log and store: what it closes, how it fails, starts again and stops. */
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { readTotals } from '../../../src/adapters/clickhouse/sales-table.ts';
import type { Store } from '../../../src/adapters/clickhouse/client.ts';
import { logFile } from '../../../src/adapters/sqlite-log/database.ts';
import { deadLetterTopic, TOPICS, topicSpecs } from '../../../src/pipeline/topics.ts';
import type { Granularity } from '../../../src/sales/series.ts';
import type { TransactionMessage } from '../../../src/sales/transaction-message.ts';
import { INGEST_GROUP } from '../../../src/roles/ingest/ingest.ts';
import { openTemporaryLog } from '../../adapters/sqlite-log/open-temporary.ts';
import { sale } from '../../sales/transactions.ts';
import { eventually } from '../clickhouse/engine-fixture.ts';
import { changedStore, HOUR_MS, useRoles } from './roles-fixture.ts';
import type { Bench } from './roles-fixture.ts';

const openBench = useRoles();
const MINUTE_MS = HOUR_MS / 60;
/** Nine in the morning in New York. */
const NINE_MS = Date.UTC(2017, 2, 14, 13);
const CONFIG = { transactionPartitions: 1 } as const;

let serial = 0;
/** Two pieces of rye, so many minutes after nine. */
function ticket(minute: number, change: Partial<TransactionMessage> = {}): TransactionMessage {
  serial += 1;
  const [line] = sale({}).lines;
  return sale({
    event_id: `e-${serial}`,
    transaction_id: `t-${serial}`,
    begin_time: null,
    end_time: NINE_MS + minute * MINUTE_MS,
    business_date: null,
    lines: [{ ...line!, sku: 'rye', quantity_thousandths: 2000 }],
    ...change,
  });
}

/** Pieces in `sales` by the hour after nine, or by the day of the month. */
async function sold(store: Store, granularity: Granularity): Promise<Record<string, number>> {
  const totals = await readTotals(store, { granularity, fromMs: 0, beforeMs: 4e12, products: 'summed' });
  const name = (ms: number): number =>
    granularity === 'hour' ? (ms - NINE_MS) / HOUR_MS : new Date(ms).getUTCDate();
  return Object.fromEntries(
    totals.bucketMs.map((ms, i) => [name(ms), (totals.unitsThousandths[i] as number) / 1000]),
  );
}

async function settled(bench: Bench): Promise<void> {
  await eventually('everything is committed', async () => {
    const end = (await bench.log.offsets(TOPICS.transactions)).get(0)?.end;
    return (await bench.committed(INGEST_GROUP, TOPICS.transactions)) === end;
  });
}

async function count(store: Store, sql: string): Promise<number> {
  const [row] = await store.query<{ n: number }>(`SELECT count() AS n FROM ${sql}`);
  return row?.n ?? 0;
}

describe('closing', () => {
  test('writes each hour as the watermark passes it, and what comes late', async () => {
    const bench = await openBench(CONFIG, NINE_MS + HOUR_MS);
    const { role } = await bench.startIngest();
    await bench.sell(ticket(5), ticket(10), ticket(59));
    await settled(bench);
    expect(await sold(bench.store, 'hour')).toEqual({});
    bench.clock.advance(2 * HOUR_MS);
    await bench.sell(ticket(63));
    await settled(bench);
    expect(await sold(bench.store, 'hour')).toEqual({ 0: 6 });
    await bench.sell(ticket(7), ticket(130));
    await settled(bench);
    expect(await sold(bench.store, 'hour')).toEqual({ 0: 8, 1: 2 });
    expect(role.transactionsTotal()).toBe(6);
    expect(role.lagRecords()).toBe(0);
  });

  test('goes on in silence with the clock', async () => {
    const bench = await openBench(CONFIG, NINE_MS + HOUR_MS);
    await bench.startIngest();
    await bench.sell(ticket(5));
    await settled(bench);
    bench.clock.advance(20 * HOUR_MS);
    await eventually('the day is closed', async () => (await sold(bench.store, 'day'))[14] === 2);
    expect(await sold(bench.store, 'hour')).toEqual({ 0: 2 });
  });

  test('of silent sources is not kept up by a busy one', async () => {
    const bench = await openBench({ transactionPartitions: 4 }, NINE_MS + HOUR_MS);
    await bench.startIngest();
    await bench.sell(ticket(5, { store_id: 'still' }));
    await eventually('it is taken in', async () => (await count(bench.store, 'transactions')) === 1);
    bench.clock.advance(HOUR_MS);
    const till = { busy: true };
    const sender = (async () => {
      for (let i = 0; till.busy; i += 1) await bench.sell(ticket(60 + i / 1000, { store_id: 'busy' }));
    })();
    await eventually(
      'the quiet one’s hour is closed',
      async () => (await sold(bench.store, 'hour'))[0] === 2,
    );
    till.busy = false;
    await sender;
  });

  test('takes in a business day that was over before the first hour of a new source began', async () => {
    const bench = await openBench(CONFIG, NINE_MS + 10 * HOUR_MS);
    await bench.startIngest();
    await bench.sell(ticket(5, { business_date: '2017-03-13' }), ticket(70));
    await settled(bench);
    expect(await sold(bench.store, 'day')).toEqual({ 13: 2 });
  });
});

describe('a failure', () => {
  test.each([
    ['inserting tickets', 'insert', 'INSERT'],
    ['closing buckets', 'command', 'INSERT INTO sales'],
  ] as const)(
    'while %s ends the role once; nothing is committed beyond it, and a restart goes on',
    async (_, method, text) => {
      const bench = await openBench(CONFIG, NINE_MS + HOUR_MS);
      const before = await bench.startIngest();
      await bench.sell(ticket(5));
      await settled(bench);
      await before.role.stop();

      const refused = new Error('the store is down');
      const change: Partial<Store> =
        method === 'insert'
          ? { insert: () => Promise.reject(refused) }
          : {
              command: (sql, ...rest) =>
                sql.includes(text) ? Promise.reject(refused) : bench.store.command(sql, ...rest),
            };
      const store = changedStore(bench.store, change);
      const { role, failures } = await bench.startIngest({ store });
      await bench.sell(ticket(63));
      await eventually('it has failed', () => failures.length > 0);
      // What comes after is not taken for the beginning.
      bench.clock.advance(2 * HOUR_MS);
      await bench.sell(ticket(64), ticket(130));
      await role.stop();
      expect(failures).toEqual([refused]);
      expect(await bench.committed(INGEST_GROUP, TOPICS.transactions)).toBe(1);
      expect(await sold(bench.store, 'hour')).toEqual({});

      await bench.startIngest();
      await settled(bench);
      expect(await sold(bench.store, 'hour')).toEqual({ 0: 2, 1: 4 });
      expect(await count(bench.store, 'transactions FINAL')).toBe(4);
    },
  );

  test('of the store for a while is waited for: nothing is read twice, nothing lost', async () => {
    const bench = await openBench(CONFIG, NINE_MS + HOUR_MS);
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const store = changedStore(bench.store, {
      async insert(...args) {
        await gate;
        return bench.store.insert(...args);
      },
    });
    const { role, failures } = await bench.startIngest({ store });
    await bench.sell(ticket(5));
    await bench.sell(ticket(6));
    expect(await bench.committed(INGEST_GROUP, TOPICS.transactions)).toBeNull();
    open();
    await settled(bench);
    await role.stop();
    expect(failures).toEqual([]);
    expect(await count(bench.store, 'transactions')).toBe(2);
  });
});

test('what cannot be read lies in the dead letters, and the rest goes through', async () => {
  const bench = await openBench(CONFIG, NINE_MS + HOUR_MS);
  await bench.startIngest();
  await bench.log.append(TOPICS.transactions, [{ key: Buffer.from('406'), value: Buffer.from('noise') }]);
  await bench.sell(ticket(5), ticket(5, { end_time: NINE_MS + 10 * 365 * 24 * HOUR_MS }), ticket(6));
  await settled(bench);
  expect(await count(bench.store, 'transactions')).toBe(2);
  expect((await bench.log.offsets(deadLetterTopic(TOPICS.transactions))).get(0)?.end).toBe(2);
});

test('stopping writes and commits what was read', async () => {
  const bench = await openBench(CONFIG, NINE_MS + HOUR_MS);
  const { role } = await bench.startIngest();
  await bench.sell(ticket(5), ticket(6));
  await eventually('they have been read', () => role.watermarkMs() !== null);
  await role.stop();
  expect(await bench.committed(INGEST_GROUP, TOPICS.transactions)).toBe(2);
  expect(await count(bench.store, 'transactions')).toBe(2);
});

test('a damaged record stops its own partition, says so, and no other', async () => {
  const bench = await openBench({ transactionPartitions: 2 }, NINE_MS + HOUR_MS);
  const damaged = await openTemporaryLog({ clock: bench.clock });
  try {
    await damaged.log.ensureTopics(topicSpecs(bench.config));
    const recordOf = (partition: number) => ({
      key: Buffer.from('406'),
      value: bench.codec.encode(TOPICS.transactions, ticket(5)),
      partition,
    });
    await damaged.log.append(TOPICS.transactions, [recordOf(0), recordOf(1)]);
    await damaged.log.close();
    const database = new DatabaseSync(logFile(damaged.dir));
    database.exec(
      'UPDATE batches SET records = zeroblob(length(records)) WHERE id = (SELECT min(id) FROM batches)',
    );
    database.close();
    const { role, failures } = await bench.startIngest({ log: await damaged.reopen() }, 'started');
    await eventually(
      'the other is worked through',
      async () => (await count(bench.store, 'transactions')) === 1,
    );
    await eventually('it is told', () => role.trouble() !== null);
    expect(role.trouble()).toMatchObject({ message: expect.stringContaining('damaged') });
    expect([role.ready(), failures]).toEqual([false, []]);
    await role.stop();
  } finally {
    await damaged.dispose();
  }
});

test('a log begun anew over the same store has its first tickets taken in', async () => {
  const bench = await openBench(CONFIG, NINE_MS + HOUR_MS);
  const first = await bench.startIngest();
  await bench.sell(ticket(5));
  await settled(bench);
  await first.role.stop();
  bench.clock.advance(MINUTE_MS);
  const anew = await openTemporaryLog({ clock: bench.clock });
  try {
    await anew.log.ensureTopics(topicSpecs(bench.config));
    const { role } = await bench.startIngest({ log: anew.log });
    const value = bench.codec.encode(TOPICS.transactions, ticket(7));
    await anew.log.append(TOPICS.transactions, [{ key: Buffer.from('406'), value }]);
    await eventually('it is committed', async () => {
      return (await anew.log.committed(INGEST_GROUP, TOPICS.transactions)).get(0)?.offset === 1;
    });
    await role.stop();
    expect(await count(bench.store, 'transactions')).toBe(2);
  } finally {
    await anew.dispose();
  }
});

test('after a restart running totals go on from what was sold, voids and revisions included', async () => {
  const bench = await openBench(CONFIG, NINE_MS + HOUR_MS);
  const first = await bench.startIngest();
  const [a, b, c, d] = [ticket(5), ticket(6), ticket(7), ticket(8)];
  const voiding = (voided: TransactionMessage, change: Partial<TransactionMessage> = {}) =>
    ticket(9, { type: 'VOID', original_transaction_id: voided.transaction_id, lines: [], ...change });
  await bench.sell(a, b, c, d, voiding(b), voiding(c, { training: true }));
  await bench.sell({ ...d, revision: 1, lines: [{ ...d.lines[0]!, quantity_thousandths: 500 }] });
  await settled(bench);
  await first.role.stop();
  const heardUntil = (await bench.log.offsets(TOPICS.buckets)).get(0)?.end ?? 0;
  await bench.startIngest();
  await bench.sell(ticket(10));
  await settled(bench);
  const said: Record<string, number> = {};
  const tail = await bench.log.tail(
    { topic: TOPICS.buckets, from: new Map([[0, heardUntil]]), batchRecordsMax: 100 },
    {
      eachBatch: (batch) => {
        for (const { value } of batch.records)
          for (const leaf of bench.codec.decode(TOPICS.buckets, value as Buffer).open)
            said[`${leaf.granularity} ${leaf.sku}`] = leaf.units_thousandths / 1000;
        return Promise.resolve();
      },
      onCrash: () => {},
    },
  );
  // Two pieces each of a, c and the last; half a one of d; b is voided, c only in training.
  await eventually('the totals are told', () => said['HOUR rye'] === 6.5 && said['DAY rye'] === 6.5);
  await tail.stop();
});
