import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../src/sales/durations.ts';
import { BUCKET_MS } from '../../src/pipeline/bucket-length.ts';
import type { FoldContext } from '../../src/pipeline/series-table.ts';
import {
  addNodes,
  createRecords,
  createWindows,
  ensureAllRecords,
  ensureRecords,
  fold,
} from '../../src/pipeline/series-table.ts';
import { hourSlot } from '../../src/sales/calendar.ts';
import { GRANULARITIES, MEASURES } from '../../src/sales/series.ts';
import { CONTEXT, createTable, expectSameStates, learn, makeLeaves, statesOf, totalsOf } from './chain.ts';
import type { Leaf } from './chain.ts';

/** Over the change to summer time in both zones, 12 March 2017. */
const START_MS = { hour: Date.UTC(2017, 2, 9, 5), day: Date.UTC(2017, 1, 20) } as const;
const BUCKETS = { hour: 200, day: 40 } as const;

describe.each(GRANULARITIES)('learning %s buckets', (granularity) => {
  const fromMs = START_MS[granularity];
  const lengthMs = BUCKET_MS[granularity];
  const beforeMs = fromMs + BUCKETS[granularity] * lengthMs;
  const leaves = makeLeaves({ seed: granularity, granularity, fromMs, buckets: BUCKETS[granularity] });
  const once = createTable(granularity);
  learn(once, leaves, { fromMs, beforeMs, chunk: BUCKETS[granularity] });

  test.each([1, 7, 50])('%i at a time comes to the same bits as all at once', (chunk) => {
    const table = createTable(granularity);
    learn(table, leaves, { fromMs, beforeMs, chunk });
    expect(table.nextBucketMs).toBe(beforeMs);
    expectSameStates(table, once);
  });

  test('the order in which nodes were made changes nothing', () => {
    const table = createTable(granularity);
    addNodes(
      table,
      totalsOf(leaves.toReversed().toSorted((a, b) => (a.sku + a.storeId < b.sku + b.storeId ? 1 : -1))),
    );
    learn(table, leaves, { fromMs, beforeMs, chunk: 13 });
    expect(table.nodes.keys).not.toEqual(once.nodes.keys);
    expectSameStates(table, once);
  });

  test('the order of leaves within a bucket changes nothing', () => {
    const table = createTable(granularity);
    const shuffled = leaves.toSorted((a, b) => a.units - b.units);
    learn(table, shuffled, { fromMs, beforeMs, chunk: 13 });
    expectSameStates(table, once);
  });

  test('some nodes alone, in memory of their own, come to the same bits', () => {
    const chosen = [1, 3, 4];
    const scratch = createRecords();
    for (const node of chosen) ensureRecords(scratch, once.engine, node);
    const totals = totalsOf(leaves);
    for (const _ of fold(once, scratch, { fromMs, beforeMs, totals }, CONTEXT));
    for (const node of chosen) {
      const words = MEASURES.length * once.engine.words;
      const [a, b] = [scratch.places[node] as number, once.records.places[node] as number];
      const same = Buffer.compare(
        Buffer.from(scratch.slab.f64.slice(a, a + words).buffer),
        Buffer.from(once.records.slab.f64.slice(b, b + words).buffer),
      );
      expect(same, `node ${node}`).toBe(0);
    }
  });

  test('a series begins with its first sale, and counts every bucket from there on', () => {
    const first = new Map<string, number>();
    for (const { bucketMs, storeId, sku } of leaves) {
      const name = `${storeId} ${sku}`;
      first.set(name, Math.min(first.get(name) ?? bucketMs, bucketMs));
    }
    const { nodes, engine, records } = once;
    for (const [name, bucketMs] of first) {
      const [store, product] = name.split(' ') as [string, string];
      const node = nodes.find({ level: 'store-product', store, product });
      if (node === undefined) continue;
      const count = engine.count(records.slab, records.places[node] as number);
      expect(count, name).toBe((beforeMs - bucketMs) / lengthMs);
    }
  });
});

function leaf(bucketMs: number, units: number, more: Partial<Leaf> = {}): Leaf {
  return { bucketMs, storeId: '406', category: 'BREAD', sku: 'rye', units, revenue: 0, ...more };
}

describe('what a bucket comes to', () => {
  test('is told with every score: pieces and currency, zero where nothing was sold, sums above', () => {
    const heard: string[] = [];
    const table = createTable('day');
    const onScored: FoldContext['onScored'] = ({ node, measure, actual, bucketMs }) => {
      const { level, store = '' } = table.nodes.keys[node] ?? { level: 'none' };
      heard.push(`${bucketMs / DAY_MS} ${level} ${store} ${measure} ${actual}`);
    };
    const leaves = [
      leaf(0, 1_500, { revenue: 250 }),
      leaf(0, 500, { revenue: 100, storeId: '9' }),
      leaf(2 * DAY_MS, -250, { revenue: -1 }),
    ];
    const totals = { leaves: totalsOf(leaves).leaves, products: null };
    addNodes(table, totals);
    ensureAllRecords(table);
    const range = { fromMs: 0, beforeMs: 3 * DAY_MS, totals };
    for (const _ of fold(table, table.records, range, { ...CONTEXT, onScored }));
    const of = (level: string): string[] => heard.filter((line) => line.includes(` ${level} `));
    // The first bucket was not forecast.
    expect(of('total')).toEqual([
      '1 total  units 0',
      '1 total  revenue 0',
      '2 total  units -0.25',
      '2 total  revenue -0.01',
    ]);
    expect(of('store').filter((line) => line.includes(' 9 '))).toEqual([
      '1 store 9 units 0',
      '1 store 9 revenue 0',
      '2 store 9 units 0',
      '2 store 9 revenue 0',
    ]);
  });

  test('a store whose hours begin between the chain’s counts in the bucket in which they begin', () => {
    const [chain, store] = [createTable('hour'), createTable('hour')];
    const shifted = [leaf(30 * 60_000, 1_000), leaf(HOUR_MS + 30 * 60_000, 2_000)];
    const even = [leaf(0, 1_000), leaf(HOUR_MS, 2_000)];
    learn(chain, shifted, { fromMs: 0, beforeMs: 2 * HOUR_MS, chunk: 1 });
    learn(store, even, { fromMs: 0, beforeMs: 2 * HOUR_MS, chunk: 2 });
    expectSameStates(chain, store);
  });

  test('sums are of exact integers: cents that a running float sum would lose stay', () => {
    const table = createTable('day');
    const leaves = Array.from({ length: 1_000 }, (_, i) => leaf(0, 1, { sku: `s${i}`, revenue: 7 }));
    const large = leaf(0, 2 ** 52, { sku: 'large', revenue: 2 ** 52 });
    let actual = 0;
    const totals = totalsOf([
      large,
      ...leaves,
      leaf(DAY_MS, 1),
      ...[large, ...leaves].map((each) => ({ ...each, bucketMs: DAY_MS })),
    ]);
    addNodes(table, totals);
    ensureAllRecords(table);
    const onScored: FoldContext['onScored'] = (scored) => {
      if (scored.measure === 'revenue' && table.nodes.keys[scored.node]?.level === 'total')
        actual = scored.actual;
    };
    for (const _ of fold(
      table,
      table.records,
      { fromMs: 0, beforeMs: 2 * DAY_MS, totals },
      { ...CONTEXT, onScored },
    ));
    expect(actual).toBe((2 ** 52 + 7_000) / 100);
  });
});

test('a large bucket is folded in slices, the table standing still until all of it is', () => {
  const table = createTable('day');
  const stores = Array.from({ length: 300 }, (_, i) => leaf(0, 1_000, { storeId: `store-${i}` }));
  const totals = { leaves: totalsOf(stores).leaves, products: null };
  addNodes(table, totals);
  ensureAllRecords(table);
  const steps = [...fold(table, table.records, { fromMs: 0, beforeMs: DAY_MS, totals }, CONTEXT)];
  expect(steps).toEqual([null, null, 0]);
  expect(statesOf(table).size).toBe(602);
});

describe('calendar windows', () => {
  test('are the store’s own, and one object for all stores of a zone', () => {
    const table = createTable('hour');
    const bucketMs = Date.UTC(2017, 2, 12, 6);
    const windows = createWindows(table, bucketMs, CONTEXT);
    expect(windows('406')).toBe(windows(undefined));
    expect(windows('406').slot).toBe(hourSlot(bucketMs, 'America/New_York'));
    expect(windows('9').slot).toBe(hourSlot(bucketMs, 'America/Los_Angeles'));
  });

  test('leave out the hour that the change to summer time skips', () => {
    const table = createTable('hour');
    // 01:00 in New York, an hour before the clocks go to 03:00. Sunday is the last day of the week.
    const { slot, ahead } = createWindows(table, Date.UTC(2017, 2, 12, 6), CONTEXT)('406');
    expect([slot, ...ahead.slice(0, 3)].map((hour) => hour - 144)).toEqual([1, 3, 4, 5]);
  });
});
