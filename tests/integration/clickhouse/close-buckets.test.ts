/** Closing and amending against a recomputation of the same tickets in a few lines. */
import { describe, expect, it } from 'vitest';
import { amendBuckets } from '../../../src/adapters/clickhouse/amend-buckets.ts';
import type { Store } from '../../../src/adapters/clickhouse/client.ts';
import { closeBuckets } from '../../../src/adapters/clickhouse/close-buckets.ts';
import { readOpenTickets } from '../../../src/adapters/clickhouse/open-tickets.ts';
import { bucketRange, readHistory, readTotals } from '../../../src/adapters/clickhouse/sales-table.ts';
import { insertTransactions, toTransactionRow } from '../../../src/adapters/clickhouse/transactions-table.ts';
import { DAY_MS, HOUR_MS } from '../../../src/sales/durations.ts';
import type { Granularity } from '../../../src/sales/series.ts';
import { ticketVersion } from '../../../src/sales/ticket-version.ts';
import type { Transaction } from '../../../src/sales/transaction.ts';
import { useEngine } from './engine-fixture.ts';
import { randomTickets, shuffled, ticket } from './random-tickets.ts';
import type { Placed } from './random-tickets.ts';

const fixture = useEngine();
const SKEW = { businessDateSkewDaysMax: 2 };
const ALL = { afterMs: 0, untilMs: Date.UTC(2027, 0, 1), partition: null, ...SKEW };

let batches = 0;

async function insert(store: Store, placed: readonly Placed[]): Promise<void> {
  const rows = placed.map(({ transaction, hourMs, dayEndMs }) =>
    toTransactionRow(transaction, {
      version: ticketVersion(transaction),
      hourMs,
      dayEndMs,
      categoryOf: (line) => line.categoryPath.at(-1) ?? 'NONE',
      source: 'test',
      recordedAtMs: 1_000,
    }),
  );
  await insertTransactions(store, rows, `batch ${++batches}`);
}

type Leaf = {
  bucketMs: number;
  storeId: string;
  category: string;
  sku: string;
  units: number;
  revenue: number;
};

/** The same totals from the tickets themselves: the latest version of each, less what does not count. */
function expected(placed: readonly Placed[], granularity: Granularity): Leaf[] {
  const latest = new Map<string, Placed>();
  const keyOf = (t: Transaction, id: string): string => `${t.businessDate}|${t.storeId}|${id}`;
  for (const each of placed) {
    const key = keyOf(each.transaction, each.transaction.transactionId);
    const known = latest.get(key);
    if (known === undefined || ticketVersion(each.transaction) > ticketVersion(known.transaction)) {
      latest.set(key, each);
    }
  }
  const tickets = [...latest.values()];
  const voided = new Set(
    tickets
      .filter(({ transaction }) => transaction.type === 'VOID' && !transaction.training)
      .map(({ transaction }) => keyOf(transaction, transaction.originalTransactionId ?? '')),
  );
  const leaves = new Map<string, Leaf>();
  for (const { transaction: t, hourMs } of tickets) {
    if (t.training || t.type === 'VOID' || voided.has(keyOf(t, t.transactionId))) continue;
    for (const line of t.lines) {
      if (line.voided) continue;
      const sign = t.type === 'RETURN' ? -1 : 1;
      const bucketMs = granularity === 'hour' ? hourMs : Date.parse(t.businessDate);
      const category = line.categoryPath.at(-1) ?? 'NONE';
      const key = JSON.stringify([bucketMs, t.storeId, category, line.sku]);
      const leaf = leaves.get(key) ?? {
        bucketMs,
        storeId: t.storeId,
        category,
        sku: line.sku,
        units: 0,
        revenue: 0,
      };
      leaf.units +=
        t.type === 'RETURN' ? sign * Math.abs(line.quantityThousandths) : line.quantityThousandths;
      leaf.revenue += t.type === 'RETURN' ? sign * Math.abs(line.netAmountMinor) : line.netAmountMinor;
      leaves.set(key, leaf);
    }
  }
  return sortLeaves([...leaves.values()].filter(({ units, revenue }) => units !== 0 || revenue !== 0));
}

async function stored(store: Store, granularity: Granularity): Promise<Leaf[]> {
  const totals = await readTotals(store, {
    granularity,
    fromMs: 0,
    beforeMs: Number.MAX_SAFE_INTEGER,
    products: 'each',
  });
  const leaves = totals.bucketMs.map((bucketMs, i) => ({
    bucketMs,
    storeId: totals.storeId[i]!,
    category: totals.category[i]!,
    sku: totals.sku[i]!,
    units: totals.unitsThousandths[i]!,
    revenue: totals.revenueMinor[i]!,
  }));
  expect(leaves.map(({ bucketMs }) => bucketMs)).toEqual(
    leaves.map(({ bucketMs }) => bucketMs).sort((a, b) => a - b),
  );
  // Leaves whose sales and returns cancel out have tickets but no totals.
  return sortLeaves(leaves.filter(({ units, revenue }) => units !== 0 || revenue !== 0));
}

function sortLeaves(leaves: Leaf[]): Leaf[] {
  const key = (leaf: Leaf): string => JSON.stringify([leaf.bucketMs, leaf.storeId, leaf.category, leaf.sku]);
  return leaves.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

async function rowsOfSales(store: Store): Promise<number> {
  return (await store.query<{ n: number }>('SELECT count() AS n FROM sales'))[0]!.n;
}

async function expectSales(store: Store, placed: readonly Placed[]): Promise<void> {
  expect(await stored(store, 'hour')).toEqual(expected(placed, 'hour'));
  expect(await stored(store, 'day')).toEqual(expected(placed, 'day'));
}

describe.each([11, 12, 13])('random tickets, seed %i', (seed) => {
  it('closed at once, in whatever order they came, and again', async () => {
    const store = await fixture.openMigrated();
    const placed = randomTickets({ seed, tickets: 400 });
    const arriving = shuffled(placed, seed);
    await insert(store, arriving.slice(0, 200));
    await insert(store, [...arriving.slice(200), ...arriving.slice(0, 50)]);
    await closeBuckets(store, { ...ALL, recordedAtMs: 5_000 });
    await expectSales(store, placed);
    const rows = await rowsOfSales(store);
    await closeBuckets(store, { ...ALL, recordedAtMs: 6_000 });
    expect(await rowsOfSales(store)).toBe(rows);
  });

  it('revisions in reverse order give the same', async () => {
    const store = await fixture.openMigrated();
    const placed = randomTickets({ seed, tickets: 200 });
    for (const each of [placed.slice(150), placed.slice(100, 150), placed.slice(0, 100)]) {
      await insert(store, each.toReversed());
    }
    await closeBuckets(store, { ...ALL, recordedAtMs: 5_000 });
    await expectSales(store, placed);
  });

  it('partition by partition, step by step, with late tickets amended', async () => {
    const store = await fixture.openMigrated();
    const placed = randomTickets({ seed, tickets: 400 });
    const arriving = shuffled(placed, seed);
    const onTime = arriving.slice(0, 300);
    const late = arriving.slice(300);
    await insert(store, onTime);
    const ends = onTime.map(({ hourMs }) => hourMs);
    const last = Math.max(...ends) + 3 * DAY_MS;
    for (let afterMs = Math.min(...ends) - DAY_MS; afterMs < last; afterMs += 7 * HOUR_MS + 1_234) {
      for (const index of [0, 1, 2]) {
        const request = {
          afterMs,
          untilMs: afterMs + 7 * HOUR_MS + 1_234,
          partition: { index, count: 3 },
          ...SKEW,
        };
        await closeBuckets(store, { ...request, recordedAtMs: 5_000 });
      }
    }
    await expectSales(store, onTime);

    await insert(store, late);
    // As ingest does: whatever the ticket, or what it replaces, may have counted in.
    const hours = placed.map(({ transaction, hourMs }) => ({ storeId: transaction.storeId, hourMs }));
    const days = late.map(({ transaction: { storeId, businessDate } }) => ({ storeId, businessDate }));
    await amendBuckets(store, { hours, days, recordedAtMs: 5_000, ...SKEW });
    await expectSales(store, placed);
    const rows = await rowsOfSales(store);
    await amendBuckets(store, { hours, days, recordedAtMs: 7_000, ...SKEW });
    await closeBuckets(store, { ...ALL, recordedAtMs: 7_000 });
    expect(await rowsOfSales(store)).toBe(rows);
  });
});

const HOUR = Date.UTC(2026, 2, 2, 10);
const NEXT_HOUR = HOUR + HOUR_MS;
const DAY = Date.UTC(2026, 2, 2);

describe('one ticket', () => {
  const sale = ticket({ transactionId: 'A', hourMs: HOUR, lines: [['milk', 2_000, 398]] });
  const read = async (store: Store, granularity: Granularity) =>
    (await stored(store, granularity)).map(({ bucketMs, sku, units, revenue }) => [
      bucketMs,
      sku,
      units,
      revenue,
    ]);

  it.each<[string, Placed[], [number, string, number, number][]]>([
    ['a sale counts', [], [[HOUR, 'milk', 2_000, 398]]],
    [
      'a revision replaces all of it',
      [ticket({ transactionId: 'A', revision: 1, hourMs: HOUR, lines: [['tea', 1_000, 250]] })],
      [[HOUR, 'tea', 1_000, 250]],
    ],
    [
      'a revision may move it to another hour',
      [ticket({ transactionId: 'A', revision: 1, hourMs: NEXT_HOUR, lines: [['milk', 2_000, 398]] })],
      [[NEXT_HOUR, 'milk', 2_000, 398]],
    ],
    [
      'an older revision changes nothing',
      [
        sale,
        ticket({ transactionId: 'A', revision: 2, hourMs: HOUR, lines: [['tea', 1, 1]] }),
        ticket({ transactionId: 'A', revision: 1, hourMs: HOUR, lines: [['jam', 5, 5]] }),
      ],
      [[HOUR, 'tea', 1, 1]],
    ],
    [
      'a void takes it away',
      [ticket({ transactionId: 'V', type: 'VOID', voids: 'A', hourMs: NEXT_HOUR, lines: [] })],
      [],
    ],
    [
      'a void of another store does not',
      [ticket({ transactionId: 'V', storeId: '9', type: 'VOID', voids: 'A', hourMs: HOUR, lines: [] })],
      [[HOUR, 'milk', 2_000, 398]],
    ],
    [
      'a training void does not',
      [ticket({ transactionId: 'V', type: 'VOID', voids: 'A', training: true, hourMs: HOUR, lines: [] })],
      [[HOUR, 'milk', 2_000, 398]],
    ],
    [
      'a return counts negative, whatever sign it has',
      [
        ticket({ transactionId: 'R', type: 'RETURN', hourMs: HOUR, lines: [['milk', 1_000, 199]] }),
        ticket({ transactionId: 'S', type: 'RETURN', hourMs: NEXT_HOUR, lines: [['milk', -500, -99]] }),
      ],
      [
        [HOUR, 'milk', 1_000, 199],
        [NEXT_HOUR, 'milk', -500, -99],
      ],
    ],
    [
      'training does not count',
      [ticket({ transactionId: 'T', training: true, hourMs: HOUR, lines: [['milk', 1, 1]] })],
      [[HOUR, 'milk', 2_000, 398]],
    ],
  ])('%s', async (_what, more, hours) => {
    const store = await fixture.openMigrated();
    await insert(store, [sale]);
    await closeBuckets(store, { ...ALL, recordedAtMs: 5_000 });
    expect(await read(store, 'hour')).toEqual([[HOUR, 'milk', 2_000, 398]]);
    for (const each of more) await insert(store, [each]);
    const hoursTouched = [HOUR, NEXT_HOUR].map((hourMs) => ({ storeId: '1', hourMs }));
    const days = [{ storeId: '1', businessDate: '2026-03-02' }];
    await amendBuckets(store, { hours: hoursTouched, days, recordedAtMs: 5_000, ...SKEW });
    expect(await read(store, 'hour')).toEqual(hours);
    const sum = (i: 2 | 3) => hours.reduce((total, hour) => total + hour[i], 0);
    const day = await stored(store, 'day');
    expect(day.reduce((total, leaf) => total + leaf.units, 0)).toBe(sum(2));
    expect(day.reduce((total, leaf) => total + leaf.revenue, 0)).toBe(sum(3));
    expect(new Set(day.map(({ bucketMs }) => bucketMs))).toEqual(new Set(hours.length > 0 ? [DAY] : []));
  });

  it('is told apart from others by all of business date, store and id', async () => {
    const store = await fixture.openMigrated();
    const others = [
      ticket({ transactionId: 'B', hourMs: HOUR, lines: [['milk', 1, 1]] }),
      ticket({ transactionId: 'A', storeId: '2', hourMs: HOUR, lines: [['milk', 1, 1]] }),
      ticket({ transactionId: 'A', businessDate: '2026-03-01', hourMs: HOUR, lines: [['milk', 1, 1]] }),
    ];
    await insert(store, [sale, ...others]);
    await closeBuckets(store, { ...ALL, recordedAtMs: 5_000 });
    await expectSales(store, [sale, ...others]);
  });
});

describe('recorded_at', () => {
  it('of a new version is later than that of the one it replaces, and the old one stays', async () => {
    const store = await fixture.openMigrated();
    await insert(store, [ticket({ transactionId: 'A', hourMs: HOUR, lines: [['milk', 1_000, 100]] })]);
    await closeBuckets(store, { ...ALL, recordedAtMs: 50_000 });
    for (const [i, recordedAtMs] of [40_000, 50_000, 60_000].entries()) {
      await insert(store, [
        ticket({ transactionId: `late ${i}`, hourMs: HOUR, lines: [['milk', 1_000, 100]] }),
      ]);
      const hours = [{ storeId: '1', hourMs: HOUR }];
      await amendBuckets(store, { hours, days: [], recordedAtMs, ...SKEW });
    }
    expect(
      await store.query(`SELECT units_thousandths AS units, transactions, toUnixTimestamp64Milli(recorded_at) AS at
        FROM sales WHERE granularity = 'hour' ORDER BY recorded_at`),
    ).toEqual([
      { units: 1_000, transactions: 1, at: 50_000 },
      { units: 2_000, transactions: 2, at: 50_001 },
      { units: 3_000, transactions: 3, at: 50_002 },
      { units: 4_000, transactions: 4, at: 60_000 },
    ]);
  });
});

describe('what is closed', () => {
  const placed = [
    ticket({ transactionId: 'A', hourMs: HOUR, lines: [['milk', 1, 1]] }),
    ticket({ transactionId: 'B', hourMs: NEXT_HOUR, lines: [['milk', 1, 1]] }),
  ];
  const dayEnd = DAY + DAY_MS;

  it.each<[string, number, number, number[], number[]]>([
    ['nothing before the end', HOUR, NEXT_HOUR - 1, [], []],
    ['an hour at its end', HOUR, NEXT_HOUR, [HOUR], []],
    ['not what ended before', NEXT_HOUR, NEXT_HOUR + HOUR_MS, [NEXT_HOUR], []],
    ['both', HOUR, dayEnd - 1, [HOUR, NEXT_HOUR], []],
    ['the day at its end', dayEnd - 1, dayEnd, [], [DAY]],
    ['nothing in an empty range', dayEnd, dayEnd, [], []],
  ])('%s', async (_what, afterMs, untilMs, hours, days) => {
    const store = await fixture.openMigrated();
    await insert(store, placed);
    await closeBuckets(store, { afterMs, untilMs, partition: null, recordedAtMs: 1, ...SKEW });
    const buckets = async (granularity: Granularity) => [
      ...new Set((await stored(store, granularity)).map(({ bucketMs }) => bucketMs)),
    ];
    expect([await buckets('hour'), await buckets('day')]).toEqual([hours, days]);
  });
});

describe('source partitions', () => {
  it("are Kafka's: its own test vectors of murmur2, made positive", async () => {
    const store = await fixture.openDatabase();
    // org.apache.kafka.common.utils.UtilsTest.testMurmur2
    const vectors: [string, number][] = [
      ['21', -973932308],
      ['foobar', -790332482],
      ['a-little-bit-long-string', -985981536],
      ['a-little-bit-longer-string', -1486304829],
      ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
      ['abc', 479470107],
    ];
    const rows = await store.query<{ hash: number }>(
      'SELECT kafkaMurmurHash(arrayJoin({keys:Array(String)})) AS hash',
      { keys: vectors.map(([key]) => key) },
    );
    expect(rows.map(({ hash }) => hash)).toEqual(vectors.map(([, hash]) => hash & 0x7fff_ffff));
  });
});

describe('reading', () => {
  it('open tickets page by page, each in its latest version', async () => {
    const store = await fixture.openMigrated();
    const placed = randomTickets({ seed: 21, tickets: 300 });
    await insert(store, shuffled(placed, 21));
    const afterMs = placed[0]!.hourMs + 30 * HOUR_MS;
    const latest = new Map<string, Placed>();
    for (const each of placed) {
      const { businessDate, storeId, transactionId } = each.transaction;
      const known = latest.get(`${businessDate}|${storeId}|${transactionId}`);
      if (known === undefined || ticketVersion(each.transaction) > ticketVersion(known.transaction)) {
        latest.set(`${businessDate}|${storeId}|${transactionId}`, each);
      }
    }
    const open = [...latest.values()].filter(
      (each) => each.hourMs + HOUR_MS > afterMs || each.dayEndMs > afterMs,
    );
    const found = [];
    for (const index of [0, 1]) {
      const request = { afterMs, partition: { index, count: 2 }, ...SKEW };
      for await (const page of readOpenTickets(store, request)) found.push(...page);
    }
    const versions = (versionsOf: bigint[]) => versionsOf.sort((a, b) => (a < b ? -1 : 1));
    expect(versions(found.map(({ version }) => version))).toEqual(
      versions(open.map(({ transaction }) => ticketVersion(transaction))),
    );
    const counted = open.filter(({ transaction }) => !transaction.training && transaction.type !== 'VOID');
    const lines = counted.flatMap(({ transaction }) => transaction.lines.filter(({ voided }) => !voided));
    expect(found.flatMap(({ amounts }) => amounts)).toHaveLength(lines.length);
  });

  it('totals summed over products, of some products, and the history of a node', async () => {
    const store = await fixture.openMigrated();
    expect(await bucketRange(store, 'hour')).toBeNull();
    const placed = randomTickets({ seed: 22, tickets: 300 });
    await insert(store, placed);
    await closeBuckets(store, { ...ALL, recordedAtMs: 5_000 });
    const leaves = expected(placed, 'day');
    const range = { granularity: 'day' as const, fromMs: 0, beforeMs: Number.MAX_SAFE_INTEGER };
    const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

    const summed = await readTotals(store, { ...range, products: 'summed' });
    expect(total(summed.revenueMinor)).toBe(total(leaves.map(({ revenue }) => revenue)));
    expect(new Set(summed.sku)).toEqual(new Set(['']));

    const skus = [...new Set(leaves.map(({ sku }) => sku))].slice(0, 3);
    const some = await readTotals(store, { ...range, products: skus });
    const wanted = leaves.filter(({ sku }) => skus.includes(sku));
    expect(total(some.unitsThousandths)).toBe(total(wanted.map(({ units }) => units)));
    expect(new Set(some.sku)).toEqual(new Set(skus));

    const { storeId, category } = leaves[0]!;
    const history = await readHistory(store, { ...range, storeId, category });
    const node = leaves.filter((leaf) => leaf.storeId === storeId && leaf.category === category);
    expect(history.bucketMs).toEqual([...new Set(node.map(({ bucketMs }) => bucketMs))]);
    expect(total(history.revenueMinor)).toBe(total(node.map(({ revenue }) => revenue)));

    const buckets = leaves.map(({ bucketMs }) => bucketMs);
    expect(await bucketRange(store, 'day')).toEqual({
      firstMs: Math.min(...buckets),
      lastMs: Math.max(...buckets),
    });
  });
});
