import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../src/sales/durations.ts';
import type { NodeKey } from '../../src/hierarchy/nodes.ts';
import type { OpenTotal } from '../../src/pipeline/messages.ts';
import { createOpenSales } from '../../src/pipeline/open-sales.ts';
import type { Granularity } from '../../src/sales/series.ts';
import { createTable } from './chain.ts';

const HALF_HOUR_MS = HOUR_MS / 2;

function total(units: number, more: Partial<OpenTotal> = {}): OpenTotal {
  return {
    granularity: 'DAY',
    bucket_ms: 0,
    store_id: '406',
    category: 'BREAD',
    sku: 'rye',
    units_thousandths: units,
    revenue_minor: 2 * units,
    ...more,
  };
}

function open(tracked: ReadonlySet<string> = new Set(['rye'])) {
  const tables = { hour: createTable('hour'), day: createTable('day') };
  const sales = createOpenSales(tables, (sku) => tracked.has(sku));
  /** Undefined: there is no such node. */
  const sold = (key: NodeKey, granularity: Granularity = 'day', bucketMs = 0): number | undefined => {
    const node = tables[granularity].nodes.find(key);
    if (node === undefined) return undefined;
    const units = sales.sold(granularity, bucketMs, node, 'units');
    expect(sales.sold(granularity, bucketMs, node, 'revenue')).toBe(2 * units);
    return units;
  };
  return { tables, sales, sold };
}

const TOTAL: NodeKey = { level: 'total' };
const STORE: NodeKey = { level: 'store', store: '406' };
const RYE: NodeKey = { level: 'product', product: 'rye' };

describe('what has been sold', () => {
  test.each<[string, readonly OpenTotal[], Readonly<{ total: number; store: number; rye: number }>]>([
    ['is what was said', [total(5)], { total: 5, store: 5, rye: 5 }],
    ['is what was said last, not the sum', [total(5), total(8), total(7)], { total: 7, store: 7, rye: 7 }],
    ['does not change when it is said twice', [total(5), total(5), total(5)], { total: 5, store: 5, rye: 5 }],
    [
      'adds up over leaves',
      [total(5), total(2, { sku: 'oat' }), total(1, { store_id: '9' })],
      { total: 8, store: 7, rye: 6 },
    ],
    ['may be taken back', [total(5), total(0)], { total: 0, store: 0, rye: 0 }],
    ['may be negative', [total(-5)], { total: -5, store: -5, rye: -5 }],
  ])('%s', (_, totals, expected) => {
    const { sales, sold } = open();
    for (const each of totals) sales.set(each);
    expect({ total: sold(TOTAL), store: sold(STORE), rye: sold(RYE) }).toEqual(expected);
  });

  test('is the last that was said of each leaf, in whatever order leaves are spoken of', () => {
    const arbitrary = fc.record({
      units_thousandths: fc.integer({ min: -9, max: 9 }),
      store_id: fc.constantFrom('406', '9'),
      sku: fc.constantFrom('rye', 'oat'),
      bucket_ms: fc.constantFrom(0, DAY_MS),
    });
    fc.assert(
      fc.property(fc.array(arbitrary), (says) => {
        const { sales, sold } = open();
        const last = new Map<string, number>();
        for (const each of says) {
          sales.set(total(each.units_thousandths, { ...each, revenue_minor: 2 * each.units_thousandths }));
          last.set(`${each.bucket_ms} ${each.store_id} ${each.sku}`, each.units_thousandths);
        }
        for (const bucketMs of [0, DAY_MS]) {
          const of = (part: string): number =>
            [...last].reduce((sum, [key, units]) => {
              const counts = key.startsWith(`${bucketMs} `) && key.includes(part);
              return counts ? sum + units : sum;
            }, 0);
          expect(sold(TOTAL, 'day', bucketMs) ?? 0).toBe(of(''));
          expect(sold(STORE, 'day', bucketMs) ?? 0).toBe(of(' 406 '));
          expect(sold(RYE, 'day', bucketMs) ?? 0).toBe(of(' rye'));
        }
      }),
    );
  });

  test('of a product counts in its own series from the moment it is tracked, with what was sold before', () => {
    const tracked = new Set<string>();
    const { sales, sold } = open(tracked);
    sales.set(total(5));
    sales.set(total(3, { store_id: '9' }));
    expect(sold(RYE)).toBeUndefined();
    tracked.add('rye');
    sales.trackedMore();
    sales.trackedMore();
    expect([sold(RYE), sold(TOTAL)]).toEqual([8, 8]);
    sales.set(total(6));
    expect([sold(RYE), sold(TOTAL)]).toEqual([9, 9]);
  });

  test('is of open buckets only', () => {
    const { tables, sales, sold } = open();
    tables.day.nextBucketMs = DAY_MS;
    sales.set(total(5));
    sales.set(total(6, { bucket_ms: DAY_MS }));
    expect([sold(TOTAL, 'day', 0), sold(TOTAL, 'day', DAY_MS)]).toEqual([0, 6]);
    sales.forgetBefore('day', 2 * DAY_MS);
    expect(sold(TOTAL, 'day', DAY_MS)).toBe(0);
  });

  test('lies in the chain’s bucket in which the store’s begins', () => {
    const { tables, sales, sold } = open();
    tables.hour.nextBucketMs = 5 * HOUR_MS;
    sales.set(total(1, { granularity: 'HOUR', bucket_ms: 5 * HOUR_MS + HALF_HOUR_MS }));
    sales.set(total(2, { granularity: 'HOUR', bucket_ms: 6 * HOUR_MS, store_id: '9' }));
    sales.set(total(4, { granularity: 'HOUR', bucket_ms: 5 * HOUR_MS - HALF_HOUR_MS, store_id: '8' }));
    expect([5, 6, 4].map((hour) => sold(TOTAL, 'hour', hour * HOUR_MS))).toEqual([1, 2, 0]);
  });
});

test('the nodes that changed are told once', () => {
  const { tables, sales } = open(new Set());
  sales.set(total(5));
  const names = (): string[] =>
    [...sales.takeChanged('day')].map((node) => tables.day.nodes.keys[node]?.level ?? 'none').toSorted();
  expect(names()).toEqual(['category', 'store', 'store-category', 'total']);
  expect(names()).toEqual([]);
  sales.set(total(5));
  expect(names()).toEqual([]);
  expect([...sales.takeChanged('hour')]).toEqual([]);
});
