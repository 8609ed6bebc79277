/**
 * Reading `sales`: the latest version of every leaf. Leaves whose sales all went away again (a row of zeros) are left
 * out, as if they had never been.
 */
import type { LeafTotals } from '../../sales/leaf-totals.ts';
import type { Granularity } from '../../sales/series.ts';
import type { Params, Store } from './client.ts';

export type TotalsRequest = {
  readonly granularity: Granularity;
  /** Buckets with `fromMs` ≤ start < `beforeMs`. */
  readonly fromMs: number;
  readonly beforeMs: number;
  /** 'each': every product. 'summed': per store and category, with `sku` empty. A list: only these products. */
  readonly products: 'each' | 'summed' | readonly string[];
};

const LATEST = `argMax((units_thousandths, revenue_minor, transactions), recorded_at) AS total`;
const IN_RANGE = `granularity = {granularity:String}
    AND bucket >= toDateTime({from_s:Int64}, 'UTC') AND bucket < toDateTime({before_s:Int64}, 'UTC')`;

/**
 * The totals of all leaves of a range of buckets, sorted by bucket, store, category and product. One answer is held in
 * memory (about 60 bytes a leaf): ask for as many buckets at a time as that allows.
 */
export async function readTotals(store: Store, request: TotalsRequest): Promise<LeafTotals> {
  const { products } = request;
  const params = rangeParams(request);
  const only = typeof products === 'string' ? '' : 'AND sku IN {skus:Array(String)}';
  const latest = `
    SELECT bucket, store_id, category, sku, ${LATEST}
    FROM sales WHERE ${IN_RANGE} ${only}
    GROUP BY bucket, store_id, category, sku
    HAVING total != (0, 0, 0)`;
  const rows =
    products === 'summed'
      ? `SELECT bucket, store_id, category, '' AS sku, sum(total.1) AS units, sum(total.2) AS revenue
         FROM (${latest}) GROUP BY bucket, store_id, category`
      : `SELECT bucket, store_id, category, sku, total.1 AS units, total.2 AS revenue FROM (${latest})`;
  const columns = await store.queryColumns<{
    bucket_s: number[];
    store_id: string[];
    category: string[];
    sku: string[];
    units: number[];
    revenue: number[];
  }>(
    `SELECT toUnixTimestamp(bucket) AS bucket_s, store_id, category, sku, units, revenue
     FROM (${rows}) ORDER BY bucket, store_id, category, sku`,
    typeof products === 'string' ? params : { ...params, skus: products },
  );
  return {
    bucketMs: columns.bucket_s.map(toMs),
    storeId: columns.store_id,
    category: columns.category,
    sku: columns.sku,
    unitsThousandths: columns.units,
    revenueMinor: columns.revenue,
  };
}

export type HistoryRequest = {
  readonly granularity: Granularity;
  readonly fromMs: number;
  readonly beforeMs: number;
  /** The totals as they were known at this instant; absent: now. */
  readonly asOfMs?: number;
  /** The node of the hierarchy; what is absent is summed over. */
  readonly storeId?: string;
  readonly category?: string;
  readonly sku?: string;
};

/** Totals per bucket; buckets without sales are absent. */
export type History = {
  readonly bucketMs: readonly number[];
  readonly unitsThousandths: readonly number[];
  readonly revenueMinor: readonly number[];
};

/** One series' buckets with `fromMs` ≤ start < `beforeMs`, in the order of time, both measures. */
export async function readHistory(store: Store, request: HistoryRequest): Promise<History> {
  const node: Record<string, string> = {};
  if (request.storeId !== undefined) node['store_id'] = request.storeId;
  if (request.category !== undefined) node['category'] = request.category;
  if (request.sku !== undefined) node['sku'] = request.sku;
  const conditions = Object.keys(node).map((column) => `AND ${column} = {${column}:String}`);
  if (request.asOfMs !== undefined) {
    conditions.push("AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')");
  }
  const columns = await store.queryColumns<{ bucket_s: number[]; units: number[]; revenue: number[] }>(
    `SELECT toUnixTimestamp(bucket) AS bucket_s, sum(total.1) AS units, sum(total.2) AS revenue
     FROM (
       SELECT bucket, ${LATEST} FROM sales WHERE ${IN_RANGE} ${conditions.join(' ')}
       GROUP BY bucket, store_id, category, sku
       HAVING total != (0, 0, 0)
     )
     GROUP BY bucket ORDER BY bucket`,
    {
      ...rangeParams(request),
      ...node,
      ...(request.asOfMs === undefined ? {} : { as_of_ms: request.asOfMs }),
    },
  );
  return {
    bucketMs: columns.bucket_s.map(toMs),
    unitsThousandths: columns.units,
    revenueMinor: columns.revenue,
  };
}

/** The starts of the first and the last bucket that ever had sales, or null. */
export async function bucketRange(
  store: Store,
  granularity: Granularity,
): Promise<{ firstMs: number; lastMs: number } | null> {
  const rows = await store.query<{ first_s: number; last_s: number; n: number }>(
    `SELECT toUnixTimestamp(min(bucket)) AS first_s, toUnixTimestamp(max(bucket)) AS last_s, count() AS n
     FROM sales WHERE granularity = {granularity:String}`,
    { granularity },
  );
  const { first_s, last_s, n } = rows[0]!;
  return n === 0 ? null : { firstMs: toMs(first_s), lastMs: toMs(last_s) };
}

function rangeParams(request: { granularity: Granularity; fromMs: number; beforeMs: number }): Params {
  return {
    granularity: request.granularity,
    // Clamped to what a DateTime can hold, so that "from ever" and "for ever" can be asked for.
    from_s: Math.max(0, Math.ceil(request.fromMs / 1_000)),
    before_s: Math.min(DATE_TIME_MAX_S, Math.max(0, Math.ceil(request.beforeMs / 1_000))),
  };
}

const DATE_TIME_MAX_S = 2 ** 32 - 1;

function toMs(seconds: number): number {
  return seconds * 1_000;
}
