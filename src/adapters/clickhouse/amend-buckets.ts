/** Amending: the totals of closed buckets that a late ticket, a revision or a void may have changed, set right. */
import { DAY_MS } from '../../config.ts';
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
  const marginMs = (request.businessDateSkewDaysMax + 2) * DAY_MS;
  const pairs = pairsOf("DateTime('UTC')");
  await store.command(
    differencesSql({
      granularity: 'hour',
      touching: `business_date >= {first_date:Date} AND business_date <= {last_date:Date}
        AND store_id IN {stores:Array(String)} AND (store_id, hour) IN ${pairs}`,
      tickets: `(store_id, hour) IN ${pairs}`,
      sales: `bucket IN {buckets:Array(DateTime('UTC'))} AND (store_id, bucket) IN ${pairs}`,
    }),
    {
      stores: hours.map(({ storeId }) => storeId),
      buckets: hours.map(({ hourMs }) => hourMs / 1_000),
      first_date: isoDate(Math.max(0, hours[0]!.hourMs - marginMs)),
      last_date: isoDate(hours.at(-1)!.hourMs + marginMs),
      recorded_at_ms: request.recordedAtMs,
    },
  );
}

async function amendDays(store: Store, days: AmendRequest['days'], request: AmendRequest): Promise<void> {
  const pairs = pairsOf('Date');
  await store.command(
    differencesSql({
      granularity: 'day',
      touching: `business_date IN {buckets:Array(Date)} AND store_id IN {stores:Array(String)}
        AND (store_id, business_date) IN ${pairs}`,
      tickets: `(store_id, business_date) IN ${pairs}`,
      sales: `toDate(bucket) >= {first_date:Date} AND toDate(bucket) <= {last_date:Date}
        AND (store_id, toDate(bucket)) IN ${pairs}`,
    }),
    {
      stores: days.map(({ storeId }) => storeId),
      buckets: days.map(({ businessDate }) => businessDate),
      first_date: days[0]!.businessDate,
      last_date: days.at(-1)!.businessDate,
      recorded_at_ms: request.recordedAtMs,
    },
  );
}

/** The n-th store with the n-th bucket. */
function pairsOf(bucketType: string): string {
  return `(SELECT pair.1, pair.2 FROM
    (SELECT arrayJoin(arrayZip({stores:Array(String)}, {buckets:Array(${bucketType})})) AS pair))`;
}

function* chunks<T>(buckets: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < buckets.length; at += BUCKETS_PER_STATEMENT_MAX) {
    yield buckets.slice(at, at + BUCKETS_PER_STATEMENT_MAX);
  }
}

function isoDate(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
