import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/sales/durations.ts';
import type { NodeKey } from '../../src/hierarchy/nodes.ts';
import { issue } from '../../src/pipeline/issue.ts';
import { createNowcastQueue, keepNear, nowcastNode } from '../../src/pipeline/nowcasts.ts';
import type { NearMeans, NowcastContext } from '../../src/pipeline/nowcasts.ts';
import { createOpenSales } from '../../src/pipeline/open-sales.ts';
import type { SeriesTable } from '../../src/pipeline/series-table.ts';
import { dayBounds } from '../../src/sales/calendar.ts';
import { GRANULARITIES, LEVELS } from '../../src/sales/series.ts';
import { calendarOf, createTable, learn } from './chain.ts';
import type { Leaf } from './chain.ts';

/** Midnight in New York of Monday, 6 March 2017: three weeks are known, the fourth is open. */
const MIDNIGHT_MS = Date.UTC(2017, 2, 6, 5);
const DAY = Date.UTC(2017, 2, 6);
const WEEKS_MS = 21 * DAY_MS;

/** Both stores sell 6 pieces an hour from 8 to 20 New York time, the first a category more. */
function leavesOf(granularity: 'hour' | 'day'): Leaf[] {
  const leaves: Leaf[] = [];
  for (let day = 0; day < 21; day += 1) {
    const add = (bucketMs: number, units: number): void => {
      const sold = { bucketMs, sku: 'rye', units, revenue: units / 10 };
      leaves.push(
        { ...sold, storeId: '406', category: 'BREAD' },
        { ...sold, storeId: '9', category: 'BREAD' },
      );
      leaves.push({ ...sold, storeId: '406', category: 'FISH', sku: 'cod' });
    };
    if (granularity === 'day') add(DAY - WEEKS_MS + day * DAY_MS, 72_000);
    else
      for (let hour = 8; hour < 20; hour += 1)
        add(MIDNIGHT_MS - WEEKS_MS + day * DAY_MS + hour * HOUR_MS, 6_000);
  }
  return leaves;
}

function learnedTable(granularity: 'hour' | 'day'): SeriesTable {
  const table = createTable(granularity);
  const beforeMs = granularity === 'day' ? DAY : MIDNIGHT_MS;
  learn(table, leavesOf(granularity), { fromMs: beforeMs - WEEKS_MS, beforeMs, chunk: 100 });
  return table;
}

const tables = { hour: learnedTable('hour'), day: learnedTable('day') };
const near = { hour: nearOf(tables.hour), day: nearOf(tables.day) };

function nearOf(table: SeriesTable): NearMeans {
  const near: NearMeans = new Map();
  const reconciliation = { levels: 'bottom-up', hours: 'none' } as const;
  const days = { table: createTable('day'), near: new Map() };
  for (const _ of issue(table, { calendarOf, reconciliation, days }, ({ node, measure, buffer }) =>
    keepNear(near, node, measure, buffer.mean),
  ));
  return near;
}

/** The state at so many hours after midnight; `sold` pieces so far in the first store's bread, by hour and by day. */
function at(hours: number, sold = 0): NowcastContext {
  const open = createOpenSales(tables, () => false);
  const leaf = {
    store_id: '406',
    category: 'BREAD',
    sku: 'rye',
    units_thousandths: 1000 * sold,
    revenue_minor: 0,
  };
  open.set({ ...leaf, granularity: 'DAY', bucket_ms: DAY });
  open.set({ ...leaf, granularity: 'HOUR', bucket_ms: MIDNIGHT_MS + Math.floor(hours) * HOUR_MS });
  return { tables, near, open, calendarOf, minorPerUnit: 100, asOfMs: MIDNIGHT_MS + hours * HOUR_MS };
}

function find(granularity: 'hour' | 'day', key: NodeKey): number {
  const node = tables[granularity].nodes.find(key);
  if (node === undefined) throw new Error(`no node ${JSON.stringify(key)}`);
  return node;
}

const BREAD: NodeKey = { level: 'store-category', store: '406', category: 'BREAD' };

describe('a nowcast', () => {
  test.each(GRANULARITIES)(
    'of the open %s: sold and remaining make the total, to the bit, at any time',
    (granularity) => {
      for (const hours of [0.01, 7, 8.3, 9.7, 13.1, 19.99, 23.9])
        for (const sold of [-3, 0, 0.1, 17, 1e6]) {
          const context = at(hours, sold);
          for (const key of [
            BREAD,
            { level: 'total' } as const,
            { level: 'category', category: 'BREAD' } as const,
          ]) {
            const points = nowcastNode(granularity, find(granularity, key), context);
            expect(points.length).toBeGreaterThan(0);
            for (const point of points) {
              expect(point.sold + point.remaining).toBe(point.total);
              expect(point.remaining).toBeGreaterThanOrEqual(0);
              for (const [i, quantile] of point.quantiles.entries()) {
                expect(quantile).toBeGreaterThanOrEqual(point.quantiles[i - 1] ?? point.sold);
              }
            }
          }
        }
    },
  );

  test('knows what was sold, in pieces', () => {
    const [point] = nowcastNode('day', find('day', BREAD), at(14, 36.5));
    expect(point?.sold).toBe(36.5);
    expect(point?.bucketMs).toBe(DAY);
  });

  test('has no width left when the bucket is over', () => {
    const context = at(24, 70);
    for (const point of nowcastNode('day', find('day', BREAD), context).filter(
      ({ bucketMs }) => bucketMs === DAY,
    )) {
      expect(point.remaining).toBe(0);
      expect(new Set(point.quantiles)).toEqual(new Set([point.total]));
    }
  });

  test('gets narrower as the day fills on pace', () => {
    const widths = [9, 12, 15, 18, 20].map((hours) => {
      const sold = 6 * Math.max(0, hours - 8);
      const [units] = nowcastNode('day', find('day', BREAD), at(hours, sold));
      return (units?.quantiles.at(-1) ?? NaN) - (units?.quantiles[0] ?? NaN);
    });
    for (const [i, width] of widths.entries()) if (i > 0) expect(width).toBeLessThan(widths[i - 1] as number);
    expect(widths.at(-1)).toBeCloseTo(0, 6);
  });

  test('of the day goes by when the shop sells, not by the clock', () => {
    const remaining = (hours: number, sold: number): number =>
      nowcastNode('day', find('day', BREAD), at(hours, sold))[0]?.remaining ?? NaN;
    // Before opening all is still to come, at closing time nothing, however the clock stands.
    expect(remaining(7.9, 0)).toBeGreaterThan(60);
    expect(remaining(14, 36)).toBeGreaterThan(30);
    expect(remaining(14, 36)).toBeLessThan(42);
    expect(remaining(20, 72)).toBeCloseTo(0, 6);
  });

  test('of a day without hourly series goes by the clock', () => {
    const noHours = { ...tables, hour: createTable('hour') };
    const context = { ...at(12), tables: noHours };
    const [point] = nowcastNode('day', find('day', BREAD), context);
    const expected = near.day.get(find('day', BREAD))?.[0] ?? NaN;
    // Half the day behind, nothing sold: (1 − s)/(1 + s) of what was expected is still believed in.
    expect(point?.remaining).toBeCloseTo(expected / 3, 9);
  });

  test('is of each store’s own day', () => {
    const three = at(1);
    const stores = ['406', '9'].map((store) =>
      nowcastNode('day', find('day', { level: 'store', store }), three),
    );
    // At one in the morning in New York it is still yesterday in Los Angeles.
    expect(stores.map((points) => points.length)).toEqual([2, 0]);
    expect(dayBounds('2017-03-06', calendarOf('9')).startMs).toBe(MIDNIGHT_MS + 3 * HOUR_MS);
    expect(nowcastNode('day', find('day', { level: 'store', store: '9' }), at(3.01))).toHaveLength(2);
  });

  test('is made of the bucket that is over but not closed yet, and of the one that has begun', () => {
    const points = nowcastNode('hour', find('hour', BREAD), at(1 + MINUTE_MS / HOUR_MS, 1));
    expect(points.map(({ bucketMs, measure }) => [(bucketMs - MIDNIGHT_MS) / HOUR_MS, measure])).toEqual([
      [0, 'units'],
      [0, 'revenue'],
      [1, 'units'],
      [1, 'revenue'],
    ]);
    expect(points[0]?.remaining).toBe(0);
    expect(points[2]?.sold).toBe(1);
  });

  test('of a bucket that has not begun is none', () => {
    expect(nowcastNode('hour', find('hour', BREAD), at(-0.5))).toEqual([]);
    expect(nowcastNode('day', find('day', BREAD), at(-0.5))).toEqual([]);
  });

  test('of a series that has not begun is none, although its leaf is known and something was published of it', () => {
    const fresh = createTable('day');
    fresh.nextBucketMs = DAY;
    const context = { ...at(12), tables: { ...tables, day: fresh } };
    const [node] = fresh.nodes.ofLeaf('new', 'BREAD') as [number];
    expect(nowcastNode('day', node, context)).toEqual([]);
    learn(fresh, [], { fromMs: DAY - DAY_MS, beforeMs: DAY, chunk: 1 });
    expect(nowcastNode('day', node, context)).toEqual([]);
  });
});

describe('the queue', () => {
  /** A chain of so many stores with ten categories each. */
  function chain(stores: number): SeriesTable {
    const table = createTable('hour');
    for (let store = 0; store < stores; store += 1)
      for (let category = 0; category < 10; category += 1) table.nodes.ofLeaf(`s${store}`, `c${category}`);
    return table;
  }

  function levelsOf(table: SeriesTable, nodes: readonly number[]): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const node of nodes) {
      const { level } = table.nodes.keys[node] as NodeKey;
      counts[level] = (counts[level] ?? 0) + 1;
    }
    return counts;
  }

  test('gives all that changed when there is room, the widest first, each once', () => {
    const table = chain(2);
    const queue = createNowcastQueue({ seriesMax: 100, refreshMax: 0 });
    const all = [...table.nodes.keys.keys()];
    queue.add('hour', all.toReversed(), table);
    queue.add('hour', all, table);
    const taken = queue.take('hour', table);
    expect(taken.toSorted((a, b) => a - b)).toEqual(all);
    const ranks = taken.map((node) => LEVELS.indexOf((table.nodes.keys[node] as NodeKey).level));
    expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
    expect(queue.take('hour', table)).toEqual([]);
    expect(queue.take('day', table)).toEqual([]);
  });

  test('lets every level have its turn when more changes than there is room for', () => {
    const table = chain(100);
    const queue = createNowcastQueue({ seriesMax: 60, refreshMax: 0 });
    const seen = new Set<number>();
    for (let round = 0; round < 100; round += 1) {
      queue.add('hour', table.nodes.keys.keys(), table);
      const taken = queue.take('hour', table);
      expect(taken).toHaveLength(60);
      for (const node of taken) seen.add(node);
      const counts = levelsOf(table, taken);
      expect(counts['total']).toBe(1);
      expect(counts['store']).toBeGreaterThanOrEqual(30);
      expect(counts['store-category']).toBeGreaterThanOrEqual(10);
    }
    // Who has waited longest comes first: within as many rounds as it takes all have been served.
    expect(seen.size).toBe(table.nodes.keys.length);
  });

  test('refreshes some of the rest in turn', () => {
    const table = chain(3);
    const queue = createNowcastQueue({ seriesMax: 10, refreshMax: 7 });
    const count = table.nodes.keys.length;
    const rounds = Math.ceil(count / 7);
    const seen = Array.from({ length: rounds }, () => queue.take('hour', table)).flat();
    expect(new Set(seen).size).toBe(count);
    queue.add('hour', [0, 1, 2, 3, 4], table);
    expect(queue.take('hour', table)).toHaveLength(10);
  });

  test('has nothing for a table without series', () => {
    expect(createNowcastQueue({ seriesMax: 10, refreshMax: 5 }).take('hour', createTable('hour'))).toEqual(
      [],
    );
  });
});
