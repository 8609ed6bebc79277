import { describe, expect, test } from 'vitest';
import { coveredDays } from '../../src/pipeline/follow-days.ts';
import { issue } from '../../src/pipeline/issue.ts';
import { keepNear } from '../../src/pipeline/nowcasts.ts';
import type { NearMeans } from '../../src/pipeline/nowcasts.ts';
import type { SeriesTable } from '../../src/pipeline/series-table.ts';
import { dayBounds } from '../../src/sales/calendar.ts';
import type { StoreCalendar } from '../../src/sales/calendar.ts';
import { DAY_MS, HOUR_MS } from '../../src/sales/durations.ts';
import { resolveConfig } from '../../src/config.ts';
import { CONFIG, createTable, learn, makeLeaves } from './chain.ts';

const NEW_YORK: StoreCalendar = { timeZone: 'America/New_York', businessDayStartMinutes: 0 };

describe('days that lie wholly within the hours ahead', () => {
  type Case = {
    readonly what: string;
    /** the first hour that is forecast, and the first day */
    readonly hour: string;
    readonly day: string;
    readonly calendar?: StoreCalendar;
    readonly expected: readonly (readonly [step: number, from: number, to: number])[];
  };
  test.each<Case>([
    {
      what: 'at midnight',
      hour: '2017-03-06T05:00Z',
      day: '2017-03-06',
      expected: [
        [0, 0, 24],
        [1, 24, 48],
      ],
    },
    {
      what: 'an hour later: not the open day',
      hour: '2017-03-06T06:00Z',
      day: '2017-03-06',
      expected: [[1, 23, 47]],
    },
    { what: 'in the evening', hour: '2017-03-06T23:00Z', day: '2017-03-06', expected: [[1, 6, 30]] },
    {
      what: 'while yesterday is not closed yet',
      hour: '2017-03-06T06:00Z',
      day: '2017-03-05',
      expected: [[2, 23, 47]],
    },
    {
      what: 'of 23 hours',
      hour: '2017-03-12T05:00Z',
      day: '2017-03-12',
      expected: [
        [0, 0, 23],
        [1, 23, 47],
      ],
    },
    { what: 'of 25 hours', hour: '2017-11-05T04:00Z', day: '2017-11-05', expected: [[0, 0, 25]] },
    {
      what: 'that begin at four in the morning',
      hour: '2017-03-06T05:00Z',
      day: '2017-03-05',
      calendar: { ...NEW_YORK, businessDayStartMinutes: 240 },
      expected: [[1, 4, 28]],
    },
    {
      what: 'that begin at half past: none',
      hour: '2017-03-06T05:00Z',
      day: '2017-03-05',
      calendar: { ...NEW_YORK, businessDayStartMinutes: 270 },
      expected: [],
    },
    { what: 'long before them: none', hour: '2017-03-06T05:00Z', day: '2017-02-01', expected: [] },
  ])('$what', ({ hour, day, calendar = NEW_YORK, expected }) => {
    const ahead = { hourMs: Date.parse(hour), hours: 48, dayMs: Date.parse(`${day}T00:00:00Z`) };
    expect(coveredDays(ahead, calendar).map(({ step, from, to }) => [step, from, to])).toEqual(expected);
  });
});

describe.each(['none', 'bottom-up', 'min-trace'] as const)('hours that follow days, levels %s', (levels) => {
  const FIRST = Date.UTC(2017, 2, 6);
  const DAYS = 20;
  const calendarOf = (): StoreCalendar => NEW_YORK;
  const config = resolveConfig({
    ...CONFIG,
    granularities: { hour: { levels: CONFIG.granularities.hour.levels, horizon: 48 } },
  });
  const hour = createTable('hour', config);
  const day = createTable('day', config);
  const midnightMs = FIRST + DAYS * DAY_MS + 4 * HOUR_MS;
  learn(day, makeLeaves({ seed: 'days', granularity: 'day', fromMs: FIRST, buckets: DAYS }), {
    fromMs: FIRST,
    beforeMs: FIRST + DAYS * DAY_MS,
    chunk: 10,
  });
  const hours = { fromMs: FIRST + 5 * HOUR_MS, beforeMs: midnightMs + 10 * HOUR_MS, chunk: 100 };
  const buckets = (hours.beforeMs - hours.fromMs) / HOUR_MS;
  learn(hour, makeLeaves({ seed: 'hours', granularity: 'hour', fromMs: hours.fromMs, buckets }), hours);

  function meansOf(
    table: SeriesTable,
    follow: 'to-days' | 'none',
    near: NearMeans,
  ): Map<string, Float64Array> {
    const means = new Map<string, Float64Array>();
    const context = { calendarOf, reconciliation: { levels, hours: follow }, days: { table: day, near } };
    for (const _ of issue(table, context, ({ node, measure, reconciled, buffer }) => {
      if (table === day) keepNear(near, node, measure, buffer.mean);
      else if (follow === 'to-days') expect(reconciled).toBe(true);
      means.set(`${JSON.stringify(table.nodes.keys[node])} ${measure}`, buffer.mean.slice());
      for (let i = 1; i < buffer.quantiles.length; i += 1)
        if (i % 9 !== 0)
          expect(buffer.quantiles[i]).toBeGreaterThanOrEqual(buffer.quantiles[i - 1] as number);
    }));
    return means;
  }

  const near: NearMeans = new Map();
  const days = meansOf(day, 'to-days', near);
  const found = meansOf(hour, 'to-days', near);
  const own = meansOf(hour, 'none', near);
  // Ten hours of the open day are known: tomorrow is step 1 of the days, hours 14 to 37 ahead.
  const { startMs, endMs } = dayBounds('2017-03-27', NEW_YORK);
  const [from, to] = [startMs - hours.beforeMs, endMs - hours.beforeMs].map((ms) => ms / HOUR_MS) as [
    number,
    number,
  ];

  test('add up to the published day, at every level', () => {
    expect([from, to]).toEqual([14, 38]);
    expect(found.size).toBeGreaterThan(10);
    for (const [name, means] of found) {
      const sum = means.subarray(from, to).reduce((total, mean) => total + mean, 0);
      const published = days.get(name)?.[1] as number;
      expect(Math.abs(sum - published)).toBeLessThanOrEqual(1e-9 * published);
    }
  });

  test('are left alone where the day is partly over, or beyond them', () => {
    for (const [name, means] of found) {
      const before = own.get(name) as Float64Array;
      expect(means.slice(0, from)).toEqual(before.slice(0, from));
      expect(means.slice(to)).toEqual(before.slice(to));
      expect(means.slice(from, to)).not.toEqual(before.slice(from, to));
    }
  });

  test('have nothing to follow before a day was published', () => {
    const context = {
      calendarOf,
      reconciliation: { levels, hours: 'to-days' },
      days: { table: createTable('day', config), near: new Map() },
    } as const;
    for (const _ of issue(hour, context, ({ node, measure, buffer }) => {
      expect(buffer.mean).toEqual(own.get(`${JSON.stringify(hour.nodes.keys[node])} ${measure}`));
    }));
  });
});
