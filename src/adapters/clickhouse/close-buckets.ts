/** Closing: the exact totals of all buckets whose end a watermark has passed go into `sales`. */
import { DAY_MS, HOUR_MS } from '../../config.ts';
import { differencesSql } from './bucket-differences.ts';
import type { Params, Store } from './client.ts';
import { partitionFilter } from './partition-filter.ts';
import type { SourcePartition } from './partition-filter.ts';

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

/**
 * Writes the differences of every hour and business day that ends in the range. Can be repeated at any time: what is
 * already right is not written again. A new version's recorded_at is later than that of the one it replaces.
 */
export async function closeBuckets(store: Store, request: CloseRequest): Promise<void> {
  if (request.untilMs <= request.afterMs) return;
  const partition = partitionFilter(request.partition);
  const params: Params = {
    ...partition.params,
    ...range(request),
    recorded_at_ms: request.recordedAtMs,
  };
  const hours = `hour > toDateTime({after_s:Int64} - 3600, 'UTC') AND hour <= toDateTime({until_s:Int64} - 3600, 'UTC')`;
  const days = `day_end > toDateTime({after_s:Int64}, 'UTC') AND day_end <= toDateTime({until_s:Int64}, 'UTC')`;
  const dates = 'business_date >= {first_date:Date} AND business_date <= {last_date:Date}';
  await store.command(
    differencesSql({
      granularity: 'hour',
      touching: `${dates} AND ${hours} AND ${partition.sql}`,
      tickets: hours,
      sales: `${hours.replaceAll('hour ', 'bucket ')} AND ${partition.sql}`,
    }),
    params,
  );
  await store.command(
    differencesSql({
      granularity: 'day',
      touching: `${dates} AND ${days} AND ${partition.sql}`,
      tickets: days,
      sales: `toDate(bucket) >= {first_date:Date} AND toDate(bucket) <= {last_date:Date}
        AND (toDate(bucket), store_id) IN touched`,
    }),
    params,
  );
}

/**
 * Whole seconds (bucket ends are) and the business dates that can have a bucket in the range: a local date is at most
 * a day from the UTC date, the business date at most the allowed skew from the local one, and a day ends up to two
 * days after its date begins.
 */
function range(request: CloseRequest): Params {
  const marginMs = (request.businessDateSkewDaysMax + 1) * DAY_MS;
  return {
    after_s: Math.floor(request.afterMs / 1_000),
    until_s: Math.floor(request.untilMs / 1_000),
    first_date: isoDate(request.afterMs - HOUR_MS - marginMs - DAY_MS),
    last_date: isoDate(request.untilMs + marginMs),
  };
}

function isoDate(ms: number): string {
  return new Date(Math.max(ms, 0)).toISOString().slice(0, 10);
}
