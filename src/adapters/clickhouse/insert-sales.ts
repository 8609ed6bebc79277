/** Importing totals straight into `sales`, with the rule of closing: only what differs is written. */
import type { Granularity } from '../../sales/series.ts';
import type { Row, Store, Table } from './client.ts';
import { contentToken } from './insert-in-chunks.ts';

export type SalesRow = {
  readonly granularity: Granularity;
  readonly bucketMs: number;
  readonly storeId: string;
  readonly category: string;
  readonly sku: string;
  readonly unitsThousandths: number;
  readonly revenueMinor: number;
  /** 0 when not known. */
  readonly transactions: number;
};

type Latest = { units: number; revenue: number; tickets: number; at_ms: number };

const SALES: Table = {
  name: 'sales',
  columns: [
    'granularity',
    'bucket',
    'store_id',
    'category',
    'sku',
    'units_thousandths',
    'revenue_minor',
    'transactions',
    'recorded_at',
  ],
};
const ROWS_PER_CHUNK = 20_000;

/**
 * Writes the leaves that differ from the latest in `sales`; leaves that are not among `rows` stay as they are, and of
 * two rows of one leaf the later holds. Returns how many were written; again it writes none.
 */
export async function insertSales(
  store: Store,
  rows: readonly SalesRow[],
  options: { recordedAtMs: number },
): Promise<number> {
  const leaves = [...new Map(rows.map((row) => [rowKey(row), row])).values()];
  // By bucket, so that a chunk is compared with few buckets.
  leaves.sort((a, b) => compare(a.granularity, b.granularity) || a.bucketMs - b.bucketMs);
  let written = 0;
  for (let at = 0; at < leaves.length;) {
    const chunk = sameGranularity(leaves.slice(at, at + ROWS_PER_CHUNK));
    written += await insertChunk(store, chunk, options.recordedAtMs);
    at += chunk.length;
  }
  return written;
}

async function insertChunk(store: Store, chunk: readonly SalesRow[], recordedAtMs: number): Promise<number> {
  const latest = await readLatest(store, chunk);
  const changed: Row[] = [];
  for (const row of chunk) {
    const before = latest.get(leafKey(row.bucketMs, row.storeId, row.category, row.sku)) ?? {
      units: 0,
      revenue: 0,
      tickets: 0,
      at_ms: -1,
    };
    const same =
      before.units === row.unitsThousandths &&
      before.revenue === row.revenueMinor &&
      before.tickets === row.transactions;
    if (same) continue;
    changed.push(toRow(row, Math.max(recordedAtMs, before.at_ms + 1)));
  }
  await store.insert(SALES, changed, { token: contentToken(SALES, changed) });
  return changed.length;
}

async function readLatest(store: Store, chunk: readonly SalesRow[]): Promise<Map<string, Latest>> {
  const rows = await store.query<
    Latest & { bucket_s: number; store_id: string; category: string; sku: string }
  >(
    `SELECT toUnixTimestamp(bucket) AS bucket_s, store_id, category, sku,
       argMax((units_thousandths, revenue_minor, transactions), recorded_at) AS total,
       total.1 AS units, total.2 AS revenue, total.3 AS tickets,
       toUnixTimestamp64Milli(max(recorded_at)) AS at_ms
     FROM sales
     WHERE granularity = {granularity:String}
       AND bucket >= toDateTime({first_s:Int64}, 'UTC') AND bucket <= toDateTime({last_s:Int64}, 'UTC')
       AND store_id IN {stores:Array(String)}
     GROUP BY bucket, store_id, category, sku`,
    {
      granularity: chunk[0]!.granularity,
      first_s: chunk[0]!.bucketMs / 1_000,
      last_s: chunk.at(-1)!.bucketMs / 1_000,
      stores: [...new Set(chunk.map(({ storeId }) => storeId))],
    },
  );
  return new Map(
    rows.map((row) => [leafKey(row.bucket_s * 1_000, row.store_id, row.category, row.sku), row]),
  );
}

function toRow(row: SalesRow, recordedAtMs: number): Row {
  return [
    row.granularity,
    row.bucketMs / 1_000,
    row.storeId,
    row.category,
    row.sku,
    row.unitsThousandths,
    row.revenueMinor,
    row.transactions,
    recordedAtMs,
  ];
}

function rowKey(row: SalesRow): string {
  return `${row.granularity}${leafKey(row.bucketMs, row.storeId, row.category, row.sku)}`;
}

function leafKey(bucketMs: number, storeId: string, category: string, sku: string): string {
  return JSON.stringify([bucketMs, storeId, category, sku]);
}

function sameGranularity(rows: readonly SalesRow[]): readonly SalesRow[] {
  const other = rows.findIndex(({ granularity }) => granularity !== rows[0]!.granularity);
  return other === -1 ? rows : rows.slice(0, other);
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
