/** Amending: the totals of closed buckets that a late ticket, a revision or a void may have changed, set right. */
import { DAY_MS } from '../../sales/durations.ts';
import { differencesSql } from './bucket-differences.ts';
import type { Store } from './client.ts';

export type AmendRequest = {
  readonly hours: readonly { readonly storeId: string; readonly hourMs: number }[];
  readonly days: readonly { readonly storeId: string; readonly businessDate: string }[];
  readonly recordedAtMs: number;
  /** As in `closeBuckets`. */
  readonly businessDateSkewDaysMax: number;
};

/** Buckets a statement looks at: they travel in its address, which may be 1 MiB long. */
const BUCKETS_PER_STATEMENT_MAX = 4_000;

/** Writes the differences of the given buckets. Can be repeated at any time, like `closeBuckets`. */
export async function amendBuckets(store: Store, request: AmendRequest): Promise<void> {
  // In the order of time, so that a statement reads few business dates.
  const hours = request.hours.toSorted((a, b) => a.hourMs - b.hourMs);
  for (const chunk of chunks(hours)) await amendHours(store, chunk, request);
  const days = request.days.toSorted((a, b) => (a.businessDate < b.businessDate ? -1 : 1));
  for (const chunk of chunks(days)) await amendDays(store, chunk, request);
}

async function amendHours(store: Store, hours: AmendRequest['hours'], request: AmendRequest): Promise<void> {
  const pairs = pairsOf("DateTime('UTC')");
  const params = {
    pair_stores: hours.map(({ storeId }) => storeId),
    pair_buckets: hours.map(({ hourMs }) => hourMs / 1_000),
    stores: unique(hours.map(({ storeId }) => storeId)),
  };
  const marginMs = (request.businessDateSkewDaysMax + 2) * DAY_MS;
  const dates = await store.query<{ date: string }>(
    `SELECT DISTINCT toString(business_date) AS date FROM transactions
     WHERE business_date >= {first_date:Date} AND business_date <= {last_date:Date}
       AND store_id IN {stores:Array(String)} AND (store_id, hour) IN ${pairs}`,
    {
      ...params,
      first_date: isoDate(hours[0]!.hourMs - marginMs),
      last_date: isoDate(hours.at(-1)!.hourMs + marginMs),
    },
  );
  await store.command(
    differencesSql({
      granularity: 'hour',
      tickets: `(store_id, hour) IN ${pairs}`,
      narrow: true,
      sales: `bucket IN {pair_buckets:Array(DateTime('UTC'))} AND (store_id, bucket) IN ${pairs}`,
    }),
    { ...params, dates: dates.map(({ date }) => date), recorded_at_ms: request.recordedAtMs },
  );
}

async function amendDays(store: Store, days: AmendRequest['days'], request: AmendRequest): Promise<void> {
  const pairs = pairsOf('Date');
  const dates = unique(days.map(({ businessDate }) => businessDate));
  await store.command(
    differencesSql({
      granularity: 'day',
      tickets: `(store_id, business_date) IN ${pairs}`,
      narrow: false,
      sales: `bucket IN {buckets:Array(DateTime('UTC'))} AND (store_id, toDate(bucket)) IN ${pairs}`,
    }),
    {
      pair_stores: days.map(({ storeId }) => storeId),
      pair_buckets: days.map(({ businessDate }) => businessDate),
      stores: unique(days.map(({ storeId }) => storeId)),
      dates,
      buckets: dates.map((date) => Date.parse(date) / 1_000),
      recorded_at_ms: request.recordedAtMs,
    },
  );
}

/** The n-th store with the n-th bucket. */
function pairsOf(bucketType: string): string {
  return `(SELECT pair.1, pair.2 FROM
    (SELECT arrayJoin(arrayZip({pair_stores:Array(String)}, {pair_buckets:Array(${bucketType})})) AS pair))`;
}

function* chunks<T>(buckets: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < buckets.length; at += BUCKETS_PER_STATEMENT_MAX) {
    yield buckets.slice(at, at + BUCKETS_PER_STATEMENT_MAX);
  }
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}

function isoDate(ms: number): string {
  return new Date(Math.max(ms, 0)).toISOString().slice(0, 10);
}
