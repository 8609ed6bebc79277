/** How far the buckets of a panel lie apart: pandas' names for it, its usual seasons, and places in the calendar. */
import type { Grain } from '../models/bands.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../sales/durations.ts';

export type Frequency =
  /** Buckets of one length, e.g. 3,600,000 ms. */
  | { readonly kind: 'width'; readonly name: string; readonly widthMs: number }
  | { readonly kind: 'months'; readonly name: string; readonly months: number }
  /** `ds` is a whole number that counts buckets. */
  | { readonly kind: 'index'; readonly name: string };

const WEEK_MS = 7 * DAY_MS;
/** 1969-12-29: cycles of a week begin on Monday at midnight. */
const MONDAY_MS = -3 * DAY_MS;
const UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  min: MINUTE_MS,
  t: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
};
const MONTHS: Readonly<Record<string, number>> = {
  m: 1,
  ms: 1,
  me: 1,
  q: 3,
  qs: 3,
  qe: 3,
  y: 12,
  ys: 12,
  ye: 12,
};

/** `15min`, `h`, `4h`, `D`, `W`, `W-FRI`, `M`, `Q`, `Y` (case does not matter) or `1` for an index; null for none. */
export function parseFrequency(text: string): Frequency | null {
  const match = /^(\d*)([a-z]*)(-[a-z]{3})?$/.exec(text.trim().toLowerCase());
  if (match === null) return null;
  const [, count = '', unit = '', anchor] = match;
  const times = count === '' ? 1 : Number(count);
  if (times < 1) return null;
  if (unit === '') return count === '1' ? { kind: 'index', name: '1' } : null;
  const name = text.trim();
  const months = MONTHS[unit];
  if (months !== undefined) return { kind: 'months', name, months: times * months };
  if (unit === 'w') return { kind: 'width', name, widthMs: times * WEEK_MS };
  const unitMs = anchor === undefined ? UNITS[unit] : undefined;
  return unitMs === undefined ? null : { kind: 'width', name, widthMs: times * unitMs };
}

/** The frequency whose buckets lie `stepMs` apart, or null when there is none. */
export function frequencyOfStep(stepMs: number): Frequency | null {
  if (stepMs <= 0) return null;
  const days = stepMs / DAY_MS;
  if (days >= 28 && days <= 31) return { kind: 'months', name: 'M', months: 1 };
  if (days >= 90 && days <= 92) return { kind: 'months', name: 'Q', months: 3 };
  if (days === 365 || days === 366) return { kind: 'months', name: 'Y', months: 12 };
  for (const [unit, unitMs] of [
    ['W', WEEK_MS],
    ['D', DAY_MS],
    ['h', HOUR_MS],
    ['min', MINUTE_MS],
    ['s', 1_000],
  ] as const) {
    if (stepMs % unitMs !== 0) continue;
    const times = stepMs / unitMs;
    return { kind: 'width', name: times === 1 ? unit : `${times}${unit}`, widthMs: stepMs };
  }
  return null;
}

/**
 * Which bucket of all time it is, counted on from bucket to bucket. Its remainder by a season is the calendar slot:
 * hour 0 of the week is Monday 00:00, month 0 of the year January. `time`: ms of the clock as written, as if in UTC;
 * the number itself for an index.
 */
export function bucketIndex(frequency: Frequency, time: number): number {
  if (frequency.kind === 'index') return time;
  if (frequency.kind === 'width') return Math.floor((time - MONDAY_MS) / frequency.widthMs);
  const date = new Date(time);
  return Math.floor((12 * date.getUTCFullYear() + date.getUTCMonth()) / frequency.months);
}

/** Season lengths that sales of this frequency usually have, rising: an hour's 24 and 168. */
export function usualSeasons(frequency: Frequency): readonly number[] {
  if (frequency.kind === 'index') return [1];
  if (frequency.kind === 'months') return [Math.max(1, Math.round(12 / frequency.months))];
  const { widthMs } = frequency;
  if (widthMs >= WEEK_MS) return [Math.max(1, Math.round((52 * WEEK_MS) / widthMs))];
  if (widthMs >= DAY_MS) return WEEK_MS % widthMs === 0 ? [WEEK_MS / widthMs] : [1];
  return DAY_MS % widthMs === 0 ? [DAY_MS / widthMs, WEEK_MS / widthMs] : [1];
}

/** Steps ahead when nobody said how many: a day of hours, two weeks of days, two months of weeks. */
export function usualHorizon(frequency: Frequency): number {
  if (frequency.kind === 'months') return Math.max(1, Math.round(12 / frequency.months));
  if (frequency.kind === 'index') return 12;
  if (frequency.widthMs >= WEEK_MS) return 8;
  return frequency.widthMs >= DAY_MS ? 14 : Math.max(1, Math.round(DAY_MS / frequency.widthMs));
}

/** Whose settings the engine takes; of an index only the season says what its buckets may be. */
export function grainOf(frequency: Frequency, shortSeason: number): Grain {
  if (frequency.kind === 'months') return 'week';
  if (frequency.kind === 'index') {
    if (shortSeason >= 60) return '15min';
    if (shortSeason >= 24 && shortSeason <= 48) return 'hour';
    return shortSeason <= 7 ? 'day' : 'week';
  }
  if (frequency.widthMs < 45 * MINUTE_MS) return '15min';
  if (frequency.widthMs < DAY_MS) return 'hour';
  return frequency.widthMs < WEEK_MS ? 'day' : 'week';
}
