import { describe, expect, test } from 'vitest';
import { DAY_MS } from '../../src/sales/durations.ts';
import type { ReconciliationConfig } from '../../src/config.ts';
import { nodeName } from '../../src/hierarchy/nodes.ts';
import type { NodeKey } from '../../src/hierarchy/nodes.ts';
import { issueMessage, originOf, seriesKey } from '../../src/pipeline/forecast-message.ts';
import { issue } from '../../src/pipeline/issue.ts';
import type { ForecastMessage } from '../../src/pipeline/messages.ts';
import type { SeriesTable } from '../../src/pipeline/series-table.ts';
import { PROBABILITIES } from '../../src/pipeline/shard.ts';
import { GRANULARITIES, parseSeries } from '../../src/sales/series.ts';
import { calendarOf, createTable, learn, makeLeaves, totalsOf } from './chain.ts';
import { addNodes } from '../../src/pipeline/series-table.ts';
import { BUCKET_MS } from '../../src/pipeline/bucket-length.ts';

const STAMP = { kind: 'ISSUE', issuedAtMs: 7, watermarkMs: 8, eventMs: null } as const;
const BUCKETS = 40;

type Levels = ReconciliationConfig['levels'];

function issueAll(table: SeriesTable, levels: Levels = 'bottom-up'): Map<string, ForecastMessage> {
  const messages = new Map<string, ForecastMessage>();
  const days = { table: createTable('day'), near: new Map() };
  const context = { calendarOf, reconciliation: { levels, hours: 'to-days' }, days } as const;
  for (const _ of issue(table, context, (issued) => {
    const message = issueMessage(table, issued, STAMP);
    expect(messages.has(message.series)).toBe(false);
    messages.set(message.series, message);
  }));
  return messages;
}

const RECONCILED = GRANULARITIES.flatMap((granularity) =>
  (['bottom-up', 'top-down', 'min-trace'] as const).map((levels) => ({ granularity, levels })),
);

describe.each(RECONCILED)('forecasts by the $granularity, $levels', ({ granularity, levels }) => {
  const beforeMs = BUCKETS * BUCKET_MS[granularity];
  const leaves = makeLeaves({ seed: 'issue', granularity, fromMs: 0, buckets: BUCKETS });
  const table = createTable(granularity);
  learn(table, leaves, { fromMs: 0, beforeMs, chunk: 9 });
  const messages = issueAll(table, levels);

  test('are of every series that has begun, both measures', () => {
    const begun = table.nodes.keys.flatMap((_, node) => {
      const place = table.records.places[node] ?? -1;
      return place !== -1 && table.engine.count(table.records.slab, place) > 0 ? [node] : [];
    });
    expect(messages.size).toBe(2 * begun.length);
  });

  test('of children sum to their parents, to the bit, in the order of names', () => {
    const bottoms = [...messages.values()]
      .filter(({ level }) => level === 'store-category')
      .toSorted((a, b) => (nodeName(keyOf(a)) < nodeName(keyOf(b)) ? -1 : 1));
    let sums = 0;
    for (const parent of messages.values()) {
      expect(parent.reconciled).toBe(['total', 'store', 'category', 'store-category'].includes(parent.level));
      if (parent.level === 'store-category' || parent.product !== null) continue;
      const children = bottoms.filter(
        ({ measure, store, category }) =>
          measure === parent.measure &&
          (parent.store === null || parent.store === store) &&
          (parent.category === null || parent.category === category),
      );
      expect(children.length).toBeGreaterThan(0);
      for (const [h, point] of parent.points.entries()) {
        let sum = 0;
        for (const child of children) sum += child.points[h]?.mean ?? NaN;
        expect(point.mean).toBe(sum);
        sums += 1;
      }
    }
    expect(sums).toBe(2 * (1 + 2 + 2) * table.engine.spec.horizon);
  });

  test('have quantiles that never cross, around means that are no less than zero', () => {
    for (const { points, probabilities } of messages.values()) {
      expect(probabilities).toEqual(PROBABILITIES);
      for (const { quantiles, mean } of points) {
        expect(mean).toBeGreaterThanOrEqual(0);
        expect(quantiles).toHaveLength(PROBABILITIES.length);
        for (const [i, value] of quantiles.entries())
          expect(value).toBeGreaterThanOrEqual(quantiles[i - 1] ?? 0);
      }
    }
  });

  test('are the same to the bit whatever order the nodes were made in', () => {
    const other = createTable(granularity);
    addNodes(other, totalsOf(leaves.toSorted((a, b) => (a.sku + a.storeId < b.sku + b.storeId ? 1 : -1))));
    learn(other, leaves, { fromMs: 0, beforeMs, chunk: 1 });
    expect(other.nodes.keys).not.toEqual(table.nodes.keys);
    expect(issueAll(other, levels)).toEqual(messages);
  });

  test('say where they begin and what they are of', () => {
    for (const [series, message] of messages) {
      const { origin_ms: originMs, points } = message;
      expect(originMs).toBe(beforeMs - BUCKET_MS[granularity]);
      expect(points.map(({ step }) => step)).toEqual(points.map((_, h) => h + 1));
      expect(points[0]?.bucket_ms).toBe(beforeMs);
      expect(parseSeries(series)).toEqual({ granularity, measure: message.measure, ...keyOf(message) });
      expect(message.experts.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 9);
      expect(message.experts).toEqual(message.experts.toSorted((a, b) => b.weight - a.weight));
      for (const score of message.scores) expect(Object.values(score)).not.toContain(NaN);
    }
  });
});

describe.each(GRANULARITIES)('forecasts by the %s', (granularity) => {
  const leaves = makeLeaves({ seed: 'issue', granularity, fromMs: 0, buckets: BUCKETS });
  const table = createTable(granularity);
  learn(table, leaves, { fromMs: 0, beforeMs: BUCKETS * BUCKET_MS[granularity], chunk: 9 });
  const base = issueAll(table, 'none');
  const meansOf = (levels: Levels, level: NodeKey['level']): number[] =>
    [...issueAll(table, levels)]
      .filter(([, message]) => message.level === level)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, { points }]) => points.map(({ mean }) => mean));

  test('are those of the series alone where nothing is reconciled', () => {
    for (const { reconciled } of base.values()) expect(reconciled).toBe(false);
    expect(meansOf('bottom-up', 'store-category')).toEqual(meansOf('none', 'store-category'));
    expect(meansOf('bottom-up', 'total')).not.toEqual(meansOf('none', 'total'));
  });

  test('are the chain’s own where it is believed', () => {
    const [found, own] = [meansOf('top-down', 'total'), meansOf('none', 'total')];
    for (const [i, mean] of own.entries()) expect(found[i]).toBeCloseTo(mean, 8);
    expect(meansOf('top-down', 'store-category')).not.toEqual(meansOf('none', 'store-category'));
  });

  test('of least trace are moved at every level of the hierarchy, and at no other', () => {
    for (const level of ['total', 'store', 'category', 'store-category'] as const)
      expect(meansOf('min-trace', level)).not.toEqual(meansOf('none', level));
    expect(meansOf('min-trace', 'product')).toEqual(meansOf('none', 'product'));
  });
});

function keyOf({ level, store, category, product }: ForecastMessage): NodeKey {
  const parts = Object.entries({ store, category, product }).filter(([, value]) => value !== null);
  return { level, ...(Object.fromEntries(parts) as Record<string, string>) };
}

describe('before anything was learned', () => {
  test('there are no forecasts', () => {
    const table = createTable('day');
    table.nodes.ofLeaf('406', 'BREAD');
    expect(issueAll(table).size).toBe(0);
    expect(() => originOf(table)).toThrow('no forecasts');
    table.nextBucketMs = DAY_MS;
    expect(issueAll(table).size).toBe(0);
  });

  test('a node that does not exist has no name', () => {
    expect(() => seriesKey(createTable('day'), 3, 'units')).toThrow('no node 3');
  });
});
