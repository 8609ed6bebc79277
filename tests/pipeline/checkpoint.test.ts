import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../src/sales/durations.ts';
import type { Config } from '../../src/config.ts';
import { encodeCheckpoint, restoreCheckpoint } from '../../src/pipeline/checkpoint.ts';
import { createShard, shardLayout } from '../../src/pipeline/shard.ts';
import type { Shard } from '../../src/pipeline/shard.ts';
import { calendarOf, CONFIG, expectSameStates, learn, makeLeaves, statesOf } from './chain.ts';

const zoneOf = (store: string): string => calendarOf(store).timeZone;

function learnedShard(): Shard {
  const shard = createShard(0, CONFIG);
  const hours = makeLeaves({ seed: 'checkpoint', granularity: 'hour', fromMs: 0, buckets: 60 });
  const days = makeLeaves({ seed: 'checkpoint', granularity: 'day', fromMs: 0, buckets: 20 });
  learn(shard.tables.hour, hours, { fromMs: 0, beforeMs: 60 * HOUR_MS, chunk: 60 });
  learn(shard.tables.day, days, { fromMs: 0, beforeMs: 20 * DAY_MS, chunk: 20 });
  shard.sources.set('till/0', 7).set('till/3', -5);
  shard.historyMs = 123;
  shard.nextOffset = 99;
  for (const sku of ['rye', 'süßer Brei']) shard.tracked.add(sku);
  return shard;
}

describe('a checkpoint', () => {
  test('gives back every bit', () => {
    const shard = learnedShard();
    const restored = createShard(0, CONFIG);
    expect(restoreCheckpoint(restored, encodeCheckpoint(shard, zoneOf), zoneOf)).toBe(true);
    expect([...restored.sources]).toEqual([...shard.sources]);
    expect([...restored.tracked]).toEqual([...shard.tracked]);
    expect([restored.historyMs, restored.nextOffset]).toEqual([123, 99]);
    for (const granularity of ['hour', 'day'] as const) {
      const [found, expected] = [restored.tables[granularity], shard.tables[granularity]];
      expect(found.nextBucketMs).toBe(expected.nextBucketMs);
      expect(found.nodes.keys).toEqual(expected.nodes.keys);
      expect(statesOf(found).size).toBeGreaterThan(8);
      expectSameStates(found, expected);
    }
  });

  test('goes on learning as if nothing had been', () => {
    const shard = learnedShard();
    const restored = createShard(0, CONFIG);
    restoreCheckpoint(restored, encodeCheckpoint(shard, zoneOf), zoneOf);
    const more = makeLeaves({ seed: 'more', granularity: 'day', fromMs: 20 * DAY_MS, buckets: 5 });
    for (const each of [shard, restored]) {
      learn(each.tables.day, more, { fromMs: 20 * DAY_MS, beforeMs: 25 * DAY_MS, chunk: 2 });
    }
    expectSameStates(restored.tables.day, shard.tables.day);
    expect(encodeCheckpoint(restored, zoneOf).equals(encodeCheckpoint(shard, zoneOf))).toBe(true);
  });

  test('holds nodes that were heard of and have no records yet', () => {
    const shard = learnedShard();
    shard.open.set({
      granularity: 'DAY',
      bucket_ms: 20 * DAY_MS,
      store_id: 'new',
      category: 'FISH',
      sku: 'cod',
      units_thousandths: 1,
      revenue_minor: 1,
    });
    const { nodes } = shard.tables.day;
    expect(nodes.find({ level: 'store', store: 'new' })).toBeDefined();
    const restored = createShard(0, CONFIG);
    expect(restoreCheckpoint(restored, encodeCheckpoint(shard, zoneOf), zoneOf)).toBe(true);
    expect(restored.tables.day.nodes.keys).toEqual(nodes.keys);
    expectSameStates(restored.tables.day, shard.tables.day);
  });

  test('of a shard that knows nothing yet is one too', () => {
    const restored = createShard(0, CONFIG);
    expect(restoreCheckpoint(restored, encodeCheckpoint(createShard(0, CONFIG), zoneOf), zoneOf)).toBe(true);
    expect([restored.tables.hour.nextBucketMs, restored.historyMs, restored.nextOffset]).toEqual([
      null,
      null,
      0,
    ]);
  });

  test('is refused, the shard untouched, when a store has moved to another zone since', () => {
    const bytes = encodeCheckpoint(learnedShard(), zoneOf);
    const moved = (store: string): string => (store === '9' ? 'America/Denver' : zoneOf(store));
    const restored = createShard(0, CONFIG);
    expect(restoreCheckpoint(restored, bytes, moved)).toBe(false);
    expect(restored.nextOffset).toBe(0);
    expect(restored.tables.day.nodes.keys).toEqual([]);
  });

  test.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, -8)],
    ['too long', (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(8)])],
  ])('that is %s is not taken for one', (_, damage) => {
    const bytes = damage(encodeCheckpoint(learnedShard(), zoneOf));
    expect(() => restoreCheckpoint(createShard(0, CONFIG), bytes, zoneOf)).toThrow();
  });
});

describe('the layout', () => {
  const { granularities } = CONFIG;
  test.each<[string, Partial<Config>]>([
    ['the zone', { timeZone: 'America/Denver' }],
    ['the currency', { currency: 'EUR' }],
    ['the business day', { businessDayStartMinutes: 240 }],
    ['the shards', { shards: 2 }],
    ['the products', { productsMax: 7 }],
    ['a horizon', { granularities: { ...granularities, day: { ...granularities.day, horizon: 21 } } }],
    [
      'the levels',
      { granularities: { ...granularities, hour: { ...granularities.hour, levels: ['total'] } } },
    ],
  ])('changes with %s: what was learned no longer holds', (_, change) => {
    expect(shardLayout({ ...CONFIG, ...change })).not.toBe(shardLayout(CONFIG));
  });

  test('does not change with what only bounds the work', () => {
    expect(shardLayout({ ...CONFIG, snapshotsMax: 3, nowcastEveryMs: 7 })).toBe(shardLayout(CONFIG));
  });
});
