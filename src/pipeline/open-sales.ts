/**
 * What has been sold so far in the open buckets, per node, out of the running totals of bucket messages. A total
 * replaces what was said of its leaf before, so hearing it twice changes nothing; closed buckets are forgotten.
 */
import type { Granularity, Measure } from '../sales/series.ts';
import { BUCKET_MS } from './bucket-length.ts';
import type { OpenTotal } from './messages.ts';
import { granularityOfSymbol } from './messages.ts';
import type { SeriesTable } from './series-table.ts';

type Bucket = {
  readonly leaves: Map<string, { units: number; revenue: number }>;
  units: number[];
  revenue: number[];
};

export type OpenSales = {
  set(total: OpenTotal): void;
  /** Integer thousandths or minor units; 0 where nothing is known. */
  sold(granularity: Granularity, bucketMs: number, node: number, measure: Measure): number;
  /** Open buckets of the granularity in order. */
  buckets(granularity: Granularity): readonly number[];
  /** Nodes whose sales changed since the last call. */
  takeChanged(granularity: Granularity): Set<number>;
  /** Forgets the buckets before this one. */
  forgetBefore(granularity: Granularity, bucketMs: number): void;
};

export function createOpenSales(
  tables: Readonly<Record<Granularity, SeriesTable>>,
  isTracked: (sku: string) => boolean,
): OpenSales {
  const open: Record<Granularity, Map<number, Bucket>> = { hour: new Map(), day: new Map() };
  const changed: Record<Granularity, Set<number>> = { hour: new Set(), day: new Set() };

  function nodesOf(granularity: Granularity, total: OpenTotal): readonly number[] {
    const { nodes } = tables[granularity];
    const leaf = nodes.ofLeaf(total.store_id, total.category);
    return isTracked(total.sku) ? [...leaf, ...nodes.ofProduct(total.store_id, total.sku)] : leaf;
  }

  return {
    set(total) {
      const granularity = granularityOfSymbol(total.granularity);
      const bucketMs = gridBucket(tables[granularity], total.bucket_ms);
      if (bucketMs === null) return;
      const bucket = open[granularity].get(bucketMs) ?? { leaves: new Map(), units: [], revenue: [] };
      open[granularity].set(bucketMs, bucket);
      const name = `${total.store_id}\u0000${total.category}\u0000${total.sku}`;
      const known = bucket.leaves.get(name) ?? { units: 0, revenue: 0 };
      const units = total.units_thousandths - known.units;
      const revenue = total.revenue_minor - known.revenue;
      if (units === 0 && revenue === 0) return;
      bucket.leaves.set(name, { units: total.units_thousandths, revenue: total.revenue_minor });
      for (const node of nodesOf(granularity, total)) {
        bucket.units[node] = (bucket.units[node] ?? 0) + units;
        bucket.revenue[node] = (bucket.revenue[node] ?? 0) + revenue;
        changed[granularity].add(node);
      }
    },
    sold: (granularity, bucketMs, node, measure) => open[granularity].get(bucketMs)?.[measure][node] ?? 0,
    buckets: (granularity) => [...open[granularity].keys()].sort((a, b) => a - b),
    takeChanged(granularity) {
      const taken = changed[granularity];
      changed[granularity] = new Set();
      return taken;
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
