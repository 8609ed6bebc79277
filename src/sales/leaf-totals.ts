/**
 * Totals of closed buckets per leaf, as columns: the n-th place of every array is one leaf of one bucket, sorted by
 * bucket. Exact integers; leaves without sales are absent.
 */
export type LeafTotals = {
  readonly bucketMs: readonly number[];
  readonly storeId: readonly string[];
  readonly category: readonly string[];
  /** Empty text where the totals are summed over products. */
  readonly sku: readonly string[];
  readonly unitsThousandths: readonly number[];
  readonly revenueMinor: readonly number[];
};
