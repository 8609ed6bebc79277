/**
 * Where sales lie in time: the local clock hour, the business day, and the seasonal slot of each.
 *
 * An hour bucket is named by the UTC instant at which it begins, a day bucket by its business date at midnight UTC. No
 * hour bucket spans a change of the clocks; a business day has 23 or 25 of them then. In zones that move by half an
 * hour (Australia/Lord_Howe) the bucket beside the change is half an hour long.
 */
import { DAY_MS, HOUR_MS, MINUTE_MS } from './durations.ts';
import type { Granularity } from './series.ts';
import { firstInstantOf, offsetSpan, wallMs } from './time-zone.ts';

/** Where a store stands in time. */
export type StoreCalendar = {
  /** IANA name */
  readonly timeZone: string;
  /** Local minutes after midnight at which the business day begins; sales before it belong to the day before. */
  readonly businessDayStartMinutes: number;
};

const DATE_TEXTS_MAX = 4_096;

const dateTexts = new Map<number, string>();
const dateBuckets = new Map<string, number>();

/** The start of the local clock hour that holds `ms`. */
export function hourStartMs(ms: number, timeZone: string): number {
  const { startMs, offsetMs } = offsetSpan(ms, timeZone);
  const wall = ms + offsetMs;
  return Math.max(ms - (wall - Math.floor(wall / HOUR_MS) * HOUR_MS), startMs);
}

/** Hour of the local week, 0 (Monday 00:00) to 167. */
export function hourSlot(bucketMs: number, timeZone: string): number {
  const hours = Math.floor(wallMs(bucketMs, timeZone) / HOUR_MS);
  return mod(hours + 3 * 24, 168);
}

/** Day of the week of a business date `YYYY-MM-DD`, 0 (Monday) to 6. */
export function daySlot(businessDate: string): number {
  return daySlotOf(dayBucketMs(businessDate));
}

/** The trading day, `YYYY-MM-DD`, that `ms` belongs to: `dayBounds` of it hold `ms`. */
export function businessDate(ms: number, calendar: StoreCalendar): string {
  return businessDateOfBucket(dayBucketOf(ms, calendar));
}

/** The day bucket of the trading day that `ms` belongs to. */
export function dayBucketOf(ms: number, calendar: StoreCalendar): number {
  const { startMs, offsetMs } = offsetSpan(ms, calendar.timeZone);
  const sinceStart = ms + offsetMs - calendar.businessDayStartMinutes * MINUTE_MS;
  const bucketMs = Math.floor(sinceStart / DAY_MS) * DAY_MS;
  // Where the clock was set back, the next day may have begun already, before the reading occurred again.
  const nextHasBegun = ms - startMs < DAY_MS && dayStartMs(bucketMs + DAY_MS, calendar) <= ms;
  return nextHasBegun ? bucketMs + DAY_MS : bucketMs;
}

/** From its start to the start of the next: 24 hours, 23 or 25 where the clocks change. */
export function dayBounds(businessDate: string, calendar: StoreCalendar): { startMs: number; endMs: number } {
  const bucketMs = dayBucketMs(businessDate);
  return { startMs: dayStartMs(bucketMs, calendar), endMs: dayStartMs(bucketMs + DAY_MS, calendar) };
}

/** Whether `text` is a date of the calendar, `YYYY-MM-DD`. */
export function isBusinessDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const ms = dayBucketMs(text);
  return !Number.isNaN(ms) && businessDateOfBucket(ms) === text;
}

/** A business date as the name of its day bucket: midnight UTC. NaN for what is no date. */
export function dayBucketMs(businessDate: string): number {
  return dateBuckets.get(businessDate) ?? addDateBucket(businessDate);
}

/** The business date, `YYYY-MM-DD`, of a day bucket. */
export function businessDateOfBucket(bucketMs: number): string {
  return dateTexts.get(bucketMs) ?? addDateText(bucketMs);
}

/** The bucket that follows. */
export function nextBucket(granularity: Granularity, bucketMs: number, calendar: StoreCalendar): number {
  return granularity === 'day' ? bucketMs + DAY_MS : hourEndMs(bucketMs, calendar.timeZone);
}

/** The instant at which the bucket is over. */
export function bucketEndMs(granularity: Granularity, bucketMs: number, calendar: StoreCalendar): number {
  return granularity === 'day'
    ? dayStartMs(bucketMs + DAY_MS, calendar)
    : hourEndMs(bucketMs, calendar.timeZone);
}

/**
 * The seasonal slot of a bucket and those of the buckets after it: `ahead[h - 1]` is the slot at step h. Hours have
 * slots 0 to 167, days 0 to 6.
 */
export function calendarWindow(
  granularity: Granularity,
  bucketMs: number,
  calendar: StoreCalendar,
  horizon: number,
): { slot: number; ahead: Int32Array } {
  const slotOf = granularity === 'day' ? daySlotOf : (ms: number) => hourSlot(ms, calendar.timeZone);
  const ahead = new Int32Array(horizon);
  let ms = bucketMs;
  for (let step = 0; step < horizon; step += 1) {
    ms = nextBucket(granularity, ms, calendar);
    ahead[step] = slotOf(ms);
  }
  return { slot: slotOf(bucketMs), ahead };
}

/** Writing and reading dates costs more than all the rest, and sales fall on few days. */
function addDateText(bucketMs: number): string {
  if (dateTexts.size >= DATE_TEXTS_MAX) dateTexts.clear();
  const text = new Date(bucketMs).toISOString().slice(0, 10);
  dateTexts.set(bucketMs, text);
  return text;
}

function addDateBucket(businessDate: string): number {
  const bucketMs = Date.parse(`${businessDate}T00:00:00Z`);
  if (Number.isNaN(bucketMs)) return bucketMs;
  if (dateBuckets.size >= DATE_TEXTS_MAX) dateBuckets.clear();
  dateBuckets.set(businessDate, bucketMs);
  return bucketMs;
}

function hourEndMs(bucketMs: number, timeZone: string): number {
  const { endMs, offsetMs } = offsetSpan(bucketMs, timeZone);
  const wall = bucketMs + offsetMs;
  return Math.min((Math.floor(wall / HOUR_MS) + 1) * HOUR_MS - offsetMs, endMs);
}

/** The first instant at which the clock of the date reads the start of the business day, or later. */
function dayStartMs(bucketMs: number, calendar: StoreCalendar): number {
  return firstInstantOf(bucketMs + calendar.businessDayStartMinutes * MINUTE_MS, calendar.timeZone);
}

/** 1 January 1970 was a Thursday. */
function daySlotOf(bucketMs: number): number {
  return mod(Math.floor(bucketMs / DAY_MS) + 3, 7);
}

function mod(value: number, modulus: number): number {
  return ((value % modulus) + modulus) % modulus;
}
