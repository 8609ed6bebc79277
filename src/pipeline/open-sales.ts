/**
 * What has been sold so far in the open buckets, per node, out of the running totals of bucket messages. A total
 * replaces what was said of its leaf before, so hearing it twice changes nothing; closed buckets are forgotten.
 */
import type { Granularity, Measure } from '../sales/series.ts';
import { GRANULARITIES } from '../sales/series.ts';
import { BUCKET_MS } from './bucket-length.ts';
import type { OpenTotal } from './messages.ts';
import { granularityOfSymbol } from './messages.ts';
import type { SeriesTable } from './series-table.ts';

type Sold = Record<Measure, number>;
type Leaf = Sold & {
  readonly store: string;
  readonly category: string;
  readonly sku: string;
  nodes: readonly number[];
};
type Bucket = { readonly leaves: Map<string, Leaf>; readonly sold: Map<number, Sold> };

export type OpenSales = {
  set(total: OpenTotal): void;
  /** Integer thousandths or minor units; 0 where nothing is known. */
  sold(granularity: Granularity, bucketMs: number, node: number, measure: Measure): number;
  /** Nodes whose sales changed since the last call. */
  takeChanged(granularity: Granularity): Set<number>;
  /** To be called when more products are tracked: what was sold of them so far counts in their series too. */
  trackedMore(): void;
  /** Forgets the buckets before this one. */
  forgetBefore(granularity: Granularity, bucketMs: number): void;
};

export function createOpenSales(
  tables: Readonly<Record<Granularity, SeriesTable>>,
  isTracked: (sku: string) => boolean,
): OpenSales {
  const open: Record<Granularity, Map<number, Bucket>> = { hour: new Map(), day: new Map() };
  const changed: Record<Granularity, Set<number>> = { hour: new Set(), day: new Set() };

  function nodesOf(granularity: Granularity, { store, category, sku }: Leaf): readonly number[] {
    const { nodes } = tables[granularity];
    const leaf = nodes.ofLeaf(store, category);
    return isTracked(sku) ? [...leaf, ...nodes.ofProduct(store, sku)] : leaf;
  }

  function leafOf(granularity: Granularity, bucket: Bucket, total: OpenTotal): Leaf {
    const { store_id: store, category, sku } = total;
    const name = `${store}\u0000${category}\u0000${sku}`;
    let leaf = bucket.leaves.get(name);
    if (leaf === undefined) {
      leaf = { store, category, sku, units: 0, revenue: 0, nodes: [] };
      leaf.nodes = nodesOf(granularity, leaf);
      bucket.leaves.set(name, leaf);
    }
    return leaf;
  }

  function addTo(granularity: Granularity, bucket: Bucket, node: number, more: Sold): void {
    let sold = bucket.sold.get(node);
    if (sold === undefined) bucket.sold.set(node, (sold = { units: 0, revenue: 0 }));
    sold.units += more.units;
    sold.revenue += more.revenue;
    changed[granularity].add(node);
  }

  return {
    set(total) {
      const granularity = granularityOfSymbol(total.granularity);
      const bucketMs = gridBucket(tables[granularity], total.bucket_ms);
      if (bucketMs === null) return;
      const bucket = open[granularity].get(bucketMs) ?? { leaves: new Map(), sold: new Map() };
      open[granularity].set(bucketMs, bucket);
      const leaf = leafOf(granularity, bucket, total);
      const more = {
        units: total.units_thousandths - leaf.units,
        revenue: total.revenue_minor - leaf.revenue,
      };
      if (more.units === 0 && more.revenue === 0) return;
      leaf.units = total.units_thousandths;
      leaf.revenue = total.revenue_minor;
      for (const node of leaf.nodes) addTo(granularity, bucket, node, more);
    },
    sold: (granularity, bucketMs, node, measure) =>
      open[granularity].get(bucketMs)?.sold.get(node)?.[measure] ?? 0,
    takeChanged(granularity) {
      const taken = changed[granularity];
      changed[granularity] = new Set();
      return taken;
    },
    trackedMore() {
      for (const granularity of GRANULARITIES)
        for (const bucket of open[granularity].values())
          for (const leaf of bucket.leaves.values()) {
            const nodes = nodesOf(granularity, leaf);
            const before = leaf.nodes;
            leaf.nodes = nodes;
            for (const node of nodes) if (!before.includes(node)) addTo(granularity, bucket, node, leaf);
          }
    },
    forgetBefore(granularity, bucketMs) {
      for (const key of open[granularity].keys()) if (key < bucketMs) open[granularity].delete(key);
    },
  };
}

/**
 * The chain's bucket in which a store's bucket begins (the same one, but where zones differ by a fraction of an hour);
 * null when it is closed already.
 */
function gridBucket(table: SeriesTable, bucketMs: number): number | null {
  if (table.nextBucketMs === null) return bucketMs;
  const lengthMs = BUCKET_MS[table.granularity];
  const ahead = Math.floor((bucketMs - table.nextBucketMs) / lengthMs);
  return ahead < 0 ? null : table.nextBucketMs + ahead * lengthMs;
}
