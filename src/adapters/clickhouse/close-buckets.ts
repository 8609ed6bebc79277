/** Closing: the exact totals of all buckets whose end a watermark has passed go into `sales`. */
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../sales/durations.ts';
import { differencesSql } from './bucket-differences.ts';
import type { Params, Store } from './client.ts';
import { partitionFilter } from './partition-filter.ts';
import type { SourcePartition } from './partition-filter.ts';
import { forTouchedPlaces } from './touched-places.ts';

export type CloseRequest = {
  /** Buckets with `afterMs` < end ≤ `untilMs` are closed: UTC instants, usually a watermark's old and new place. */
  readonly afterMs: number;
  readonly untilMs: number;
  /** The stores of one source partition; null: all stores. */
  readonly partition: SourcePartition | null;
  readonly recordedAtMs: number;
  /** How far a ticket's business date may lie from its local calendar date (config.businessDateSkewDaysMax). */
  readonly businessDateSkewDaysMax: number;
};

/** A longer range is closed in pieces, which bounds the memory of a statement. */
const SPAN_MS_MAX = 31 * DAY_MS;
/** In shorter ranges the tickets of the hours in question are a small part of their days. */
const NARROW_MS_MAX = 8 * HOUR_MS;

const HOURS = `hour > toDateTime({after_s:Int64} - 3600, 'UTC') AND hour <= toDateTime({until_s:Int64} - 3600, 'UTC')`;
const DAYS = `day_end > toDateTime({after_s:Int64}, 'UTC') AND day_end <= toDateTime({until_s:Int64}, 'UTC')`;
const DATES = 'business_date >= {first_date:Date} AND business_date <= {last_date:Date}';

/**
 * Writes the differences of every hour and business day that ends in the range. Can be repeated at any time: what is
 * already right is not written again. A new version's recorded_at is later than that of the one it replaces.
 */
export async function closeBuckets(store: Store, request: CloseRequest): Promise<void> {
  // All buckets end on a whole minute of the world's clock.
  if (Math.floor(request.afterMs / MINUTE_MS) === Math.floor(request.untilMs / MINUTE_MS)) return;
  const range = request.untilMs - request.afterMs > SPAN_MS_MAX ? await soldWithin(store, request) : request;
  for (let afterMs = range.afterMs; afterMs < range.untilMs; afterMs += SPAN_MS_MAX) {
    const untilMs = Math.min(range.untilMs, afterMs + SPAN_MS_MAX);
    const span = { ...request, afterMs, untilMs };
    await closeHours(store, span);
    await closeDays(store, span);
  }
}

async function closeHours(store: Store, request: CloseRequest): Promise<void> {
  const partition = partitionFilter(request.partition);
  const params = { ...partition.params, ...rangeParams(request), recorded_at_ms: request.recordedAtMs };
  const sold = `granularity = 'hour' AND ${HOURS.replaceAll('hour ', 'bucket ')}`;
  const places = `
    SELECT business_date, store_id FROM transactions WHERE ${DATES} AND ${HOURS} AND ${partition.sql}
    UNION ALL
    SELECT toDate(bucket) AS business_date, store_id FROM sales WHERE ${sold} AND ${partition.sql}`;
  const sql = differencesSql({
    granularity: 'hour',
    tickets: HOURS,
    narrow: request.untilMs - request.afterMs <= NARROW_MS_MAX,
    sales: `${sold} AND store_id IN {stores:Array(String)}`,
  });
  await forTouchedPlaces(store, { sql: places, params }, ({ dates, stores }) =>
    store.command(sql, { ...params, dates, stores }),
  );
}

async function closeDays(store: Store, request: CloseRequest): Promise<void> {
  const partition = partitionFilter(request.partition);
  const params = { ...partition.params, ...rangeParams(request), recorded_at_ms: request.recordedAtMs };
  const places = `SELECT business_date, store_id FROM transactions WHERE ${DATES} AND ${DAYS} AND ${partition.sql}`;
  const sql = differencesSql({
    granularity: 'day',
    tickets: DAYS,
    narrow: false,
    sales: `bucket IN {buckets:Array(DateTime('UTC'))} AND (toDate(bucket), store_id) IN (
      SELECT place.1, place.2 FROM
      (SELECT arrayJoin(arrayZip({place_dates:Array(Date)}, {place_stores:Array(String)})) AS place))`,
  });
  await forTouchedPlaces(store, { sql: places, params }, ({ dates, stores, placeDates, placeStores }) =>
    store.command(sql, {
      ...params,
      dates,
      stores,
      buckets: dates.map((date) => Date.parse(date) / 1_000),
      place_dates: placeDates,
      place_stores: placeStores,
    }),
  );
}

/** The part of a long range in which buckets of the partition end at all. */
async function soldWithin(
  store: Store,
  request: CloseRequest,
): Promise<{ afterMs: number; untilMs: number }> {
  const partition = partitionFilter(request.partition);
  const [row] = await store.query<{ n: number; first_s: number; last_s: number }>(
    `SELECT count() AS n, toUnixTimestamp(min(least(hour, day_end))) AS first_s, toUnixTimestamp(max(greatest(hour, day_end))) AS last_s
     FROM transactions WHERE ${DATES} AND (${HOURS} OR ${DAYS}) AND ${partition.sql}`,
    { ...partition.params, ...rangeParams(request) },
  );
  if (row!.n === 0) return { afterMs: 0, untilMs: 0 };
  return {
    afterMs: Math.max(request.afterMs, row!.first_s * 1_000 - 1),
    untilMs: Math.min(request.untilMs, row!.last_s * 1_000 + HOUR_MS),
  };
}

/**
 * Whole seconds (bucket ends are) and the business dates that can have a bucket in the range: a local date is at most
 * a day from the UTC date, the business date at most the allowed skew from the local one, and a day ends up to two
 * days after its date begins.
 */
function rangeParams(request: CloseRequest): Params {
  const marginMs = (request.businessDateSkewDaysMax + 1) * DAY_MS;
  return {
    after_s: Math.floor(Math.max(HOUR_MS, request.afterMs) / 1_000),
    until_s: Math.floor(request.untilMs / 1_000),
    first_date: isoDate(request.afterMs - HOUR_MS - marginMs - DAY_MS),
    last_date: isoDate(request.untilMs + marginMs),
  };
}

function isoDate(ms: number): string {
  return new Date(Math.max(ms, 0)).toISOString().slice(0, 10);
}
