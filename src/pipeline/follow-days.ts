/**
 * Hours follow the days: where all hours of a business day are forecast, they are moved so that they add up to what
 * was published for the day. Days lead because their own forecasts are the better ones (src/hierarchy/temporal.ts), and
 * because a day is published when one closes, its hours every hour: so both agree at any moment, and what is published is
 * a function of the state alone. A day that is partly over, or beyond the hours' horizon, is left alone.
 */
import { agreeWithDay } from '../hierarchy/temporal.ts';
import type { HoursOfDay } from '../hierarchy/temporal.ts';
import type { StoreCalendar } from '../sales/calendar.ts';
import { businessDateOfBucket, dayBounds } from '../sales/calendar.ts';
import { DAY_MS, HOUR_MS } from '../sales/durations.ts';
import type { NearMeans } from './nowcasts.ts';
import { NEAR_STEPS } from './nowcasts.ts';
import type { SeriesTable } from './series-table.ts';

/** The table of the days with the means published from it. */
export type PublishedDays = { readonly table: SeriesTable; readonly near: NearMeans };

/** Whole days among the hours ahead, in place of the path: `step` is the day's own, from 0. */
export type CoveredDay = HoursOfDay & { readonly step: number };

/** Which days lie wholly within `hours` hours from `hourMs` on; `dayMs` is the first day that is forecast. */
export function coveredDays(
  ahead: { readonly hourMs: number; readonly hours: number; readonly dayMs: number },
  calendar: StoreCalendar,
): CoveredDay[] {
  const days: CoveredDay[] = [];
  for (let step = 0; step < NEAR_STEPS; step += 1) {
    const { startMs, endMs } = dayBounds(businessDateOfBucket(ahead.dayMs + step * DAY_MS), calendar);
    const from = (startMs - ahead.hourMs) / HOUR_MS;
    const to = (endMs - ahead.hourMs) / HOUR_MS;
    // Business days that do not begin with an hour have no hours of their own.
    if (Number.isInteger(from) && Number.isInteger(to) && from >= 0 && to <= ahead.hours)
      days.push({ from, to, step });
  }
  return days;
}

export type FollowDays = {
  /** Moves the node's hourly means, in place. False: there is nothing they could follow. */
  follow(node: number, m: number, place: number, mean: Float64Array): boolean;
};

export function createFollowDays(
  hours: SeriesTable,
  { table, near }: PublishedDays,
  calendarOf: (store: string | undefined) => StoreCalendar,
): FollowDays {
  const { engine, records, nodes } = hours;
  const { horizon } = engine.spec;
  const variance = new Float64Array(horizon);
  const daysByCalendar = new Map<string, readonly CoveredDay[]>();

  function daysOf(store: string | undefined): readonly CoveredDay[] {
    if (hours.nextBucketMs === null || table.nextBucketMs === null) return [];
    const calendar = calendarOf(store);
    const name = `${calendar.timeZone} ${calendar.businessDayStartMinutes}`;
    let days = daysByCalendar.get(name);
    if (days === undefined) {
      days = coveredDays({ hourMs: hours.nextBucketMs, hours: horizon, dayMs: table.nextBucketMs }, calendar);
      daysByCalendar.set(name, days);
    }
    return days;
  }

  return {
    follow(node, m, place, mean) {
      const key = nodes.keys[node];
      if (key === undefined) throw new Error(`no node ${node}`);
      const days = daysOf(key.store);
      const day = days.length === 0 ? undefined : table.nodes.find(key);
      const means = day === undefined ? undefined : near.get(day);
      if (means === undefined) return false;
      for (const covered of days) {
        for (let h = covered.from; h < covered.to; h += 1)
          variance[h] = engine.variance(records.slab, place, h + 1, mean[h] as number);
        const dayMean = means[m * NEAR_STEPS + covered.step] as number;
        agreeWithDay(mean, variance, covered, { mean: dayMean, variance: 0 });
      }
      return days.length > 0;
    },
  };
}
