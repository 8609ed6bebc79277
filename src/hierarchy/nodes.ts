/**
 * The hierarchy as numbers: every node that is forecast (the chain, a store, a category, …) has an index, and every
 * leaf of `sales` knows the nodes it adds to. Nodes are added as their first sale appears and never removed; nothing
 * computed from them depends on that order, until there are as many as there may be.
 */
import type { Level } from '../sales/series.ts';
import type { Dimension, Groups } from './groups.ts';

export type NodeKey = {
  readonly level: Level;
  readonly store?: string;
  readonly category?: string;
  readonly product?: string;
};

export type Nodes = {
  readonly keys: readonly NodeKey[];
  /** Nodes a leaf (store, category) adds to, product levels aside. Creates the missing ones. */
  ofLeaf(store: string, category: string): readonly number[];
  /** Nodes of the product levels that a sale of a product in a store adds to. Creates the missing ones. */
  ofProduct(store: string, product: string): readonly number[];
  find(key: NodeKey): number | undefined;
  /** Whether any of these levels is forecast. */
  hasLevel(...wanted: readonly Level[]): boolean;
  /** Creates the node; a checkpoint's nodes are made by it, in their order. */
  add(key: NodeKey): number;
  /** Nodes not created because there were as many as there may be. */
  refused(): number;
  /** The bottom nodes in the order of their names, so that sums are the same anywhere, and the nodes each adds to. */
  bottoms(): readonly Bottom[];
};

export type Bottom = { readonly node: number; readonly parents: readonly number[] };

/** Bottom nodes as leaves, and the nodes they add to as sums: leaf or sum i is node `leafNodes[i]`, `sumNodes[i]`. */
export type Hierarchy = {
  readonly groups: Groups;
  readonly leafNodes: readonly number[];
  readonly sumNodes: readonly number[];
};

/** Levels that are sums, each a dimension. */
const SUM_LEVELS: readonly Level[] = ['total', 'store', 'category'];

/** The hierarchy above these bottom nodes, its sums in the order of their names: whatever else there is has no part. */
export function hierarchyOf({ keys }: Pick<Nodes, 'keys'>, bottoms: readonly Bottom[]): Hierarchy {
  const sumNodes: number[] = [];
  const dimensions: Dimension[] = [];
  for (const level of SUM_LEVELS) {
    const sums = [
      ...new Set(bottoms.flatMap(({ parents }) => parents.filter((p) => keys[p]!.level === level))),
    ];
    sums.sort((a, b) => (nodeName(keys[a]!) < nodeName(keys[b]!) ? -1 : 1));
    const places = new Map(sums.map((node, i) => [node, i]));
    const sumOf = Int32Array.from(bottoms, ({ parents }) => {
      const parent = parents.find((node) => places.has(node));
      return parent === undefined ? -1 : (places.get(parent) as number);
    });
    dimensions.push({ sums: sums.length, sumOf });
    sumNodes.push(...sums);
  }
  return {
    groups: { leaves: bottoms.length, dimensions },
    leafNodes: bottoms.map(({ node }) => node),
    sumNodes,
  };
}

export type NodesOptions = {
  readonly levels: readonly Level[];
  /** Whether a node belongs to this shard. */
  readonly owns: (key: NodeKey) => boolean;
  /** Whether every bottom node of the hierarchy is in this shard; else only stores are sums. */
  readonly whole: boolean;
  readonly nodesMax: number;
};

export function nodeName(key: NodeKey): string {
  return [key.level, key.store ?? '', key.category ?? '', key.product ?? ''].join('\u0000');
}

export function createNodes(options: NodesOptions): Nodes {
  const levels = new Set(options.levels);
  const keys: NodeKey[] = [];
  const index = new Map<string, number>();
  const leaves = new Map<string, readonly number[]>();
  const products = new Map<string, readonly number[]>();
  let refused = 0;
  let bottoms: readonly Bottom[] | null = null;

  function add(key: NodeKey): number {
    const name = nodeName(key);
    const known = index.get(name);
    if (known !== undefined) return known;
    keys.push(key);
    index.set(name, keys.length - 1);
    bottoms = null;
    return keys.length - 1;
  }

  function addAll(wanted: readonly NodeKey[]): number[] {
    const nodes: number[] = [];
    for (const key of wanted) {
      if (!levels.has(key.level) || !options.owns(key)) continue;
      if (keys.length < options.nodesMax || index.has(nodeName(key))) nodes.push(add(key));
      else refused += 1;
    }
    return nodes;
  }

  return {
    keys,
    add,
    refused: () => refused,
    hasLevel: (...wanted) => wanted.some((level) => levels.has(level)),
    find: (key) => index.get(nodeName(key)),
    ofLeaf(store, category) {
      const name = `${store}\u0000${category}`;
      let nodes = leaves.get(name);
      if (nodes === undefined) {
        nodes = addAll([
          { level: 'total' },
          { level: 'store', store },
          { level: 'category', category },
          { level: 'store-category', store, category },
        ]);
        leaves.set(name, nodes);
      }
      return nodes;
    },
    ofProduct(store, product) {
      const name = `${store}\u0000${product}`;
      let nodes = products.get(name);
      if (nodes === undefined) {
        nodes = addAll([
          { level: 'product', product },
          { level: 'store-product', store, product },
        ]);
        products.set(name, nodes);
      }
      return nodes;
    },
    bottoms() {
      bottoms ??= bottomNodes(keys, index, options.whole);
      return bottoms;
    },
  };
}

function bottomNodes(
  keys: readonly NodeKey[],
  index: ReadonlyMap<string, number>,
  whole: boolean,
): readonly Bottom[] {
  const bottoms = keys
    .map((key, node) => ({ key, node, name: nodeName(key) }))
    .filter(({ key }) => key.level === 'store-category')
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return bottoms.map(({ key, node }) => {
    const { store, category } = key as Required<NodeKey>;
    const parents: NodeKey[] = [{ level: 'store', store }];
    if (whole) parents.push({ level: 'total' }, { level: 'category', category });
    return { node, parents: parents.flatMap((parent) => index.get(nodeName(parent)) ?? []) };
  });
}
