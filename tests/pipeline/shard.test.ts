import { expect, test } from 'vitest';
import { createShard, shardWatermark } from '../../src/pipeline/shard.ts';
import { CONFIG } from './chain.ts';

test.each<[string, readonly [string, number][], number | null, number | null]>([
  ['is unknown while nothing was heard', [], null, null],
  [
    'is the source furthest behind',
    [
      ['a', 5],
      ['b', 3],
    ],
    null,
    3,
  ],
  ['is the history where no source speaks', [], 9, 9],
  ['is the history where sources are behind it', [['a', 5]], 9, 9],
  [
    'goes on from the history when all sources have passed it',
    [
      ['a', 12],
      ['b', 11],
    ],
    9,
    11,
  ],
])('the watermark %s', (_, sources, historyMs, expected) => {
  const shard = createShard(0, CONFIG);
  for (const [source, ms] of sources) shard.sources.set(source, ms);
  shard.historyMs = historyMs;
  expect(shardWatermark(shard)).toBe(expected);
});

test('every series lies in one shard, a store with all that is below it', () => {
  const config = { ...CONFIG, shards: 3 };
  const shards = [0, 1, 2].map((index) => createShard(index, config));
  const seen = new Map<string, number>();
  for (let i = 0; i < 50; i += 1) {
    for (const { index, tables } of shards) {
      tables.day.nodes.ofLeaf(`s${i}`, `c${i % 7}`);
      tables.day.nodes.ofProduct(`s${i}`, `p${i % 5}`);
      for (const key of tables.day.nodes.keys) {
        const name = JSON.stringify(key);
        expect(seen.get(name) ?? index).toBe(index);
        seen.set(name, index);
      }
    }
  }
  // The chain, 50 stores, 7 categories, 50 store-categories, 5 products, 50 store-products.
  expect(seen.size).toBe(1 + 50 + 7 + 50 + 5 + 50);
  expect(new Set(seen.values()).size).toBe(3);
  for (const { tables } of shards) {
    for (const { node, parents } of tables.day.nodes.bottoms()) {
      const { store } = tables.day.nodes.keys[node] ?? {};
      // A category's or the chain's sum would lack what lies in other shards.
      expect(parents.map((parent) => tables.day.nodes.keys[parent])).toEqual([{ level: 'store', store }]);
    }
  }
});
