/** A small chain to learn: seeded totals of its buckets, and tables that fold them. */
import { expect } from 'vitest';
import { resolveConfig } from '../../src/config.ts';
import type { Config } from '../../src/config.ts';
import { nodeName } from '../../src/hierarchy/nodes.ts';
import { BUCKET_MS } from '../../src/pipeline/bucket-length.ts';
import type { FoldContext, SeriesTable, Totals } from '../../src/pipeline/series-table.ts';
import { addNodes, ensureAllRecords, fold } from '../../src/pipeline/series-table.ts';
import { createShard } from '../../src/pipeline/shard.ts';
import type { StoreCalendar } from '../../src/sales/calendar.ts';
import type { Granularity } from '../../src/sales/series.ts';
import { MEASURES } from '../../src/sales/series.ts';
import { createRandom } from '../../src/simulator/random.ts';

/** Daily and hourly series at every level; the second store is three hours behind. */
export const CONFIG: Config = resolveConfig({
  timeZone: 'America/New_York',
  granularities: {
    hour: { levels: ['total', 'store', 'category', 'store-category'], horizon: 24 },
    day: {
      levels: ['total', 'store', 'category', 'store-category', 'product', 'store-product'],
      horizon: 14,
    },
  },
});
export const ZONES: Readonly<Record<string, string>> = {
  '406': 'America/New_York',
  '9': 'America/Los_Angeles',
};

export function calendarOf(store: string | undefined): StoreCalendar {
  return { timeZone: ZONES[store ?? ''] ?? CONFIG.timeZone, businessDayStartMinutes: 0 };
}

export const CONTEXT: FoldContext = { calendarOf, minorPerUnit: 100 };

export type Leaf = {
  readonly bucketMs: number;
  readonly storeId: string;
  readonly category: string;
  readonly sku: string;
  readonly units: number;
  readonly revenue: number;
};

/** Seeded sales of `buckets` buckets from `fromMs` on. One product is new after two thirds, some buckets have none. */
export function makeLeaves(options: {
  seed: string;
  granularity: Granularity;
  fromMs: number;
  buckets: number;
}): Leaf[] {
  const random = createRandom('chain', options.seed);
  const leaves: Leaf[] = [];
  const products = [
    ['rye', 'BREAD'],
    ['oat', 'BREAD'],
    ['milk', 'DAIRY'],
    ['kefir', 'DAIRY'],
  ] as const;
  for (let b = 0; b < options.buckets; b += 1) {
    for (const storeId of ['406', '9'])
      for (const [sku, category] of products) {
        if (random.uniform() < 0.3 || (sku === 'kefir' && b < (2 * options.buckets) / 3)) continue;
        const units = 1 + Math.floor(random.uniform() * 9_000);
        const revenue = Math.floor(random.uniform() * 3_000);
        leaves.push({
          bucketMs: options.fromMs + b * BUCKET_MS[options.granularity],
          storeId,
          category,
          sku,
          units,
          revenue,
        });
      }
  }
  return leaves;
}

/** The totals of these leaves within a range, as they are read from `sales`; all products have series of their own. */
export function totalsOf(leaves: readonly Leaf[], fromMs = -Infinity, beforeMs = Infinity): Totals {
  const inside = leaves
    .filter(({ bucketMs }) => bucketMs >= fromMs && bucketMs < beforeMs)
    .toSorted((a, b) => a.bucketMs - b.bucketMs);
  const columns = {
    bucketMs: inside.map(({ bucketMs }) => bucketMs),
    storeId: inside.map(({ storeId }) => storeId),
    category: inside.map(({ category }) => category),
    sku: inside.map(({ sku }) => sku),
    unitsThousandths: inside.map(({ units }) => units),
    revenueMinor: inside.map(({ revenue }) => revenue),
  };
  return { leaves: columns, products: columns };
}

export function createTable(granularity: Granularity, config = CONFIG): SeriesTable {
  return createShard(0, config).tables[granularity];
}

/** Folds the buckets before `beforeMs` into the table, `chunk` buckets at a time. */
export function learn(
  table: SeriesTable,
  leaves: readonly Leaf[],
  range: { fromMs: number; beforeMs: number; chunk: number },
  onBucket: () => void = () => {},
): void {
  const chunkMs = range.chunk * BUCKET_MS[table.granularity];
  for (let fromMs = range.fromMs; fromMs < range.beforeMs; fromMs += chunkMs) {
    const beforeMs = Math.min(range.beforeMs, fromMs + chunkMs);
    const totals = totalsOf(leaves, fromMs, beforeMs);
    addNodes(table, totals);
    ensureAllRecords(table);
    for (const bucketMs of fold(table, table.records, { fromMs, beforeMs, totals }, CONTEXT)) {
      if (bucketMs === null) continue;
      table.nextBucketMs = bucketMs + BUCKET_MS[table.granularity];
      onBucket();
    }
  }
}

/** The words of every series that has begun, by the name of its node. */
export function statesOf(table: SeriesTable): Map<string, string> {
  const { engine, nodes, records } = table;
  const states = new Map<string, string>();
  for (const [node, key] of nodes.keys.entries()) {
    const place = records.places[node] ?? -1;
    if (place === -1 || engine.count(records.slab, place) === 0) continue;
    const words = records.slab.f64.slice(place, place + MEASURES.length * engine.words);
    states.set(nodeName(key), Buffer.from(words.buffer).toString('base64'));
  }
  return states;
}

/** To the bit; says which series differ instead of printing their words. */
export function expectSameStates(found: SeriesTable, expected: SeriesTable): void {
  const [a, b] = [statesOf(found), statesOf(expected)];
  expect([...a.keys()].toSorted()).toEqual([...b.keys()].toSorted());
  expect([...a].flatMap(([name, words]) => (b.get(name) === words ? [] : [name]))).toEqual([]);
}
