import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createNodes, hierarchyOf, nodeName } from '../../src/hierarchy/nodes.ts';
import type { NodeKey, Nodes, NodesOptions } from '../../src/hierarchy/nodes.ts';
import { LEVELS } from '../../src/sales/series.ts';

function create(change: Partial<NodesOptions> = {}): Nodes {
  return createNodes({ levels: LEVELS, owns: () => true, whole: true, nodesMax: 1_000, ...change });
}

function keysOf(nodes: Nodes, indexes: readonly number[]): NodeKey[] {
  return indexes.map((node) => nodes.keys[node] as NodeKey);
}

describe('a leaf adds to', () => {
  const all: NodeKey[] = [
    { level: 'total' },
    { level: 'store', store: '406' },
    { level: 'category', category: 'BREAD' },
    { level: 'store-category', store: '406', category: 'BREAD' },
  ];
  test.each<[string, Partial<NodesOptions>, readonly NodeKey[]]>([
    ['every level above it', {}, all],
    ['the levels that are forecast only', { levels: ['store', 'product'] }, all.slice(1, 2)],
    ['the nodes of its shard only', { owns: ({ level }) => level === 'category' }, all.slice(2, 3)],
  ])('%s', (_, change, expected) => {
    const nodes = create(change);
    expect(keysOf(nodes, nodes.ofLeaf('406', 'BREAD'))).toEqual(expected);
    expect(nodes.ofLeaf('406', 'BREAD')).toBe(nodes.ofLeaf('406', 'BREAD'));
    expect(nodes.keys).toHaveLength(expected.length);
  });

  test('its product’s nodes, beside the others', () => {
    const nodes = create();
    nodes.ofLeaf('406', 'BREAD');
    expect(keysOf(nodes, nodes.ofProduct('406', 'rye'))).toEqual([
      { level: 'product', product: 'rye' },
      { level: 'store-product', store: '406', product: 'rye' },
    ]);
    expect(nodes.bottoms()).toHaveLength(1);
  });

  test('what was made for another before', () => {
    const nodes = create();
    const [total, store] = nodes.ofLeaf('406', 'BREAD');
    expect(nodes.ofLeaf('406', 'FISH').slice(0, 2)).toEqual([total, store]);
    expect(nodes.ofLeaf('9', 'FISH')[0]).toBe(total);
    expect(nodes.find({ level: 'store', store: '406' })).toBe(store);
    expect(nodes.find({ level: 'store', store: '7' })).toBeUndefined();
  });
});

describe('bottom nodes', () => {
  const name = fc.constantFrom('a', 'b', 'ab', 'B', 'ä', 'a b', '10', '9');

  test('come in the order of their names with the nodes above them, whatever order they were made in', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, name), { minLength: 1 }),
        fc.infiniteStream(fc.nat()),
        (pairs, keys) => {
          const make = (list: readonly (readonly [string, string])[]): unknown => {
            const nodes = create();
            for (const [store, category] of list) nodes.ofLeaf(store, category);
            const names = nodes.bottoms().map(({ node, parents }) => ({
              node: nodeName(nodes.keys[node] as NodeKey),
              parents: keysOf(nodes, parents).map(nodeName),
            }));
            expect(names).toEqual(names.toSorted((a, b) => (a.node < b.node ? -1 : 1)));
            for (const { node, parents } of names) {
              const [, store, category] = node.split('\u0000') as [string, string, string];
              expect(parents).toEqual([
                nodeName({ level: 'store', store }),
                nodeName({ level: 'total' }),
                nodeName({ level: 'category', category }),
              ]);
            }
            return names;
          };
          const order = pairs.map((pair) => ({ pair, at: keys.next().value as number }));
          const shuffled = order.toSorted((a, b) => a.at - b.at).map(({ pair }) => pair);
          expect(make(shuffled)).toEqual(make(pairs));
        },
      ),
    );
  });

  test('are known anew when one more is made', () => {
    const nodes = create();
    nodes.ofLeaf('406', 'BREAD');
    expect(nodes.bottoms()).toHaveLength(1);
    nodes.ofLeaf('406', 'FISH');
    expect(nodes.bottoms()).toHaveLength(2);
  });

  test('add to their store only where the hierarchy is spread over shards, and to levels that are forecast', () => {
    const parents = (change: Partial<NodesOptions>): NodeKey[] => {
      const nodes = create(change);
      nodes.ofLeaf('406', 'BREAD');
      return keysOf(nodes, nodes.bottoms()[0]?.parents ?? []);
    };
    expect(parents({ whole: false }).map(({ level }) => level)).toEqual(['store']);
    expect(parents({ levels: ['total', 'store-category'] }).map(({ level }) => level)).toEqual(['total']);
    expect(create({ levels: ['total'] }).bottoms()).toEqual([]);
  });
});

describe('the hierarchy above bottom nodes', () => {
  const pairs = [
    ['b', 'y'],
    ['a', 'y'],
    ['a', 'x'],
  ] as const;
  const shapeOf = (nodes: Nodes, bottoms = nodes.bottoms()) => {
    const { groups, leafNodes, sumNodes } = hierarchyOf(nodes, bottoms);
    const short = (node: number): string =>
      [nodes.keys[node]?.store, nodes.keys[node]?.category].filter((part) => part !== undefined).join('');
    return {
      leaves: leafNodes.map(short),
      sums: sumNodes.map(short),
      dimensions: groups.dimensions.map(({ sums, sumOf }) => [sums, ...sumOf]),
    };
  };

  test('has leaves and sums in the order of their names, whatever order they were made in', () => {
    for (const list of [pairs, pairs.toReversed()]) {
      const nodes = create();
      for (const [store, category] of list) nodes.ofLeaf(store, category);
      expect(shapeOf(nodes)).toEqual({
        leaves: ['ax', 'ay', 'by'],
        sums: ['', 'a', 'b', 'x', 'y'],
        dimensions: [
          [1, 0, 0, 0],
          [2, 0, 0, 1],
          [2, 0, 1, 1],
        ],
      });
    }
  });

  test('has no part for sums of other bottom nodes', () => {
    const nodes = create();
    for (const [store, category] of pairs) nodes.ofLeaf(store, category);
    const { sums, dimensions } = shapeOf(nodes, nodes.bottoms().slice(0, 1));
    expect(sums).toEqual(['', 'a', 'x']);
    expect(dimensions).toEqual([
      [1, 0],
      [1, 0],
      [1, 0],
    ]);
  });

  test('does without levels that are not forecast, or lie beyond the shard', () => {
    for (const change of [{ levels: ['store', 'store-category'] }, { whole: false }] as const) {
      const nodes = create(change);
      for (const [store, category] of pairs) nodes.ofLeaf(store, category);
      expect(shapeOf(nodes)).toEqual({
        leaves: ['ax', 'ay', 'by'],
        sums: ['a', 'b'],
        dimensions: [
          [0, -1, -1, -1],
          [2, 0, 0, 1],
          [0, -1, -1, -1],
        ],
      });
    }
  });
});

describe('the limit', () => {
  test('makes what there is room for, counts the rest, and knows what it made', () => {
    const nodes = create({ nodesMax: 6 });
    expect(nodes.ofLeaf('406', 'BREAD')).toEqual([0, 1, 2, 3]);
    // A category and a store-category are new.
    expect(nodes.ofLeaf('406', 'FISH')).toEqual([0, 1, 4, 5]);
    expect(nodes.refused()).toBe(0);
    expect(keysOf(nodes, nodes.ofLeaf('9', 'FISH')).map(({ level }) => level)).toEqual(['total', 'category']);
    expect(nodes.refused()).toBe(2);
    nodes.ofLeaf('9', 'FISH');
    expect(nodes.refused()).toBe(2);
    expect(nodes.keys).toHaveLength(6);
    expect(nodes.bottoms().map(({ parents }) => parents)).toEqual([
      [1, 0, 2],
      [1, 0, 4],
    ]);
  });

  test('does not stop a checkpoint from giving back what it holds', () => {
    const nodes = create({ nodesMax: 1 });
    expect(['a', 'b', 'a'].map((store) => nodes.add({ level: 'store', store }))).toEqual([0, 1, 0]);
  });
});

test('names tell nodes apart whatever is in their parts', () => {
  const keys: NodeKey[] = [
    { level: 'store-category', store: 'a', category: 'b' },
    { level: 'store-product', store: 'a', product: 'b' },
    { level: 'store', store: 'a b' },
    { level: 'category', category: 'a' },
    { level: 'store', store: 'a' },
    { level: 'product', product: 'a' },
    { level: 'store-category', store: 'a/b', category: '' },
    { level: 'store-category', store: 'a', category: '/b' },
  ];
  expect(new Set(keys.map(nodeName)).size).toBe(keys.length);
});
