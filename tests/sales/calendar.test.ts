import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bucketEndMs,
  businessDate,
  businessDateOfBucket,
  calendarWindow,
  dayBounds,
  dayBucketMs,
  dayBucketOf,
  daySlot,
  hourSlot,
  hourStartMs,
  isBusinessDate,
  nextBucket,
} from '../../src/sales/calendar.ts';
import { ALL_ZONES, ODD_ZONES, readClock } from './wall-clock.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NEW_YORK = { timeZone: 'America/New_York', businessDayStartMinutes: 0 };
const NIGHT_SHOP = { timeZone: 'America/New_York', businessDayStartMinutes: 240 };

const zone = fc.oneof(fc.constantFrom(...ODD_ZONES), fc.constantFrom(...ALL_ZONES));
const calendar = fc.record({
  timeZone: zone,
  businessDayStartMinutes: fc.constantFrom(0, 0, 1, 60, 120, 150, 240, 1439),
});
const instant = fc.integer({ min: Date.UTC(2000, 0, 3), max: Date.UTC(2040, 0, 1) });

/** Hour buckets of one business day, by walking them. */
function hoursOf(date: string, where: typeof NEW_YORK): number[] {
  const { startMs, endMs } = dayBounds(date, where);
  const hours: number[] = [];
  for (let ms = startMs; ms < endMs; ms = nextBucket('hour', ms, where)) hours.push(ms);
  return hours;
}

describe('hour buckets', () => {
  test.each([
    ['America/New_York', '2017-03-10T15:59:59.999Z', '2017-03-10T15:00Z', 4 * 24 + 10],
    ['America/New_York', '2017-03-12T06:59:59Z', '2017-03-12T06:00Z', 6 * 24 + 1],
    ['America/New_York', '2017-03-12T07:00:00Z', '2017-03-12T07:00Z', 6 * 24 + 3],
    ['America/New_York', '2017-11-05T05:30:00Z', '2017-11-05T05:00Z', 6 * 24 + 1],
    ['America/New_York', '2017-11-05T06:30:00Z', '2017-11-05T06:00Z', 6 * 24 + 1],
    ['Asia/Kathmandu', '2017-07-03T00:00:00Z', '2017-07-02T23:15Z', 5],
    ['Asia/Kolkata', '2017-07-02T18:29:59Z', '2017-07-02T17:30Z', 6 * 24 + 23],
    ['Asia/Kolkata', '2017-07-02T18:30:00Z', '2017-07-02T18:30Z', 0],
    ['Asia/Kolkata', '2017-01-01T00:10:00Z', '2016-12-31T23:30Z', 6 * 24 + 5],
    ['Australia/Lord_Howe', '2017-09-30T15:45:00Z', '2017-09-30T15:30Z', 6 * 24 + 2],
    ['Australia/Lord_Howe', '2017-04-01T15:10:00Z', '2017-04-01T15:00Z', 6 * 24 + 1],
    ['UTC', '1970-01-01T00:00:00Z', '1970-01-01T00:00Z', 3 * 24],
  ])('%s at %s', (timeZone, time, start, slot) => {
    const startMs = hourStartMs(Date.parse(time), timeZone);
    expect(new Date(startMs).toISOString()).toBe(new Date(start).toISOString());
    expect(hourSlot(startMs, timeZone)).toBe(slot);
  });

  test('hold exactly the sales of one reading of the hour, and follow each other without a gap', () => {
    fc.assert(
      fc.property(calendar, instant, (where, ms) => {
        const startMs = hourStartMs(ms, where.timeZone);
        const endMs = bucketEndMs('hour', startMs, where);
        expect(startMs <= ms && ms < endMs && endMs - startMs <= HOUR_MS).toBe(true);
        const hour = readClock(ms, where.timeZone).slice(0, 13);
        expect(readClock(startMs, where.timeZone).slice(0, 13)).toBe(hour);
        expect(readClock(endMs - 1, where.timeZone).slice(0, 13)).toBe(hour);
        expect(hourStartMs(endMs - 1, where.timeZone)).toBe(startMs);
        expect(hourStartMs(endMs, where.timeZone)).toBe(endMs);
        expect(nextBucket('hour', startMs, where)).toBe(endMs);
      }),
      { numRuns: 400 },
    );
  });

  test('have the slot of the weekday and hour that Intl reads', () => {
    fc.assert(
      fc.property(zone, instant, (timeZone, ms) => {
        const reading = readClock(ms, timeZone);
        const weekday = (new Date(`${reading.slice(0, 10)}T00:00Z`).getUTCDay() + 6) % 7;
        expect(hourSlot(hourStartMs(ms, timeZone), timeZone)).toBe(
          weekday * 24 + Number(reading.slice(11, 13)),
        );
      }),
      { numRuns: 300 },
    );
  });
});

describe('business days', () => {
  test.each([
    ['midnight', NEW_YORK, '2017-03-12T05:00:00Z', '2017-03-12'],
    ['a millisecond before midnight', NEW_YORK, '2017-03-12T04:59:59.999Z', '2017-03-11'],
    ['past midnight in a night shop', NIGHT_SHOP, '2017-03-11T08:59:59Z', '2017-03-10'],
    ['its morning', NIGHT_SHOP, '2017-03-11T09:00:00Z', '2017-03-11'],
    ['its morning after the clocks went forward', NIGHT_SHOP, '2017-03-12T08:00:00Z', '2017-03-12'],
    ['its morning after the clocks went back', NIGHT_SHOP, '2017-11-05T08:59:59Z', '2017-11-04'],
    ['a leap day', NEW_YORK, '2016-02-29T12:00:00Z', '2016-02-29'],
    ['the turn of the year', NIGHT_SHOP, '2017-01-01T06:00:00Z', '2016-12-31'],
  ])('%s', (_, where, time, date) => {
    expect(businessDate(Date.parse(time), where)).toBe(date);
  });

  test.each([
    ['an ordinary day', NEW_YORK, '2017-03-10', 24],
    ['clocks forward', NEW_YORK, '2017-03-12', 23],
    ['clocks back', NEW_YORK, '2017-11-05', 25],
    ['clocks forward within the night before', NIGHT_SHOP, '2017-03-11', 23],
    ['after it', NIGHT_SHOP, '2017-03-12', 24],
    ['clocks back within the night before', NIGHT_SHOP, '2017-11-04', 25],
    ['a leap day', NEW_YORK, '2016-02-29', 24],
    ['midnight skipped', { timeZone: 'America/Sao_Paulo', businessDayStartMinutes: 0 }, '2017-10-15', 23],
    ['the last hour twice', { timeZone: 'America/Sao_Paulo', businessDayStartMinutes: 0 }, '2018-02-17', 25],
    ['midnight twice', { timeZone: 'America/Havana', businessDayStartMinutes: 0 }, '2017-11-05', 25],
    [
      'half an hour less',
      { timeZone: 'Australia/Lord_Howe', businessDayStartMinutes: 0 },
      '2017-10-01',
      23.5,
    ],
    ['a day that never was', { timeZone: 'Pacific/Apia', businessDayStartMinutes: 0 }, '2011-12-30', 0],
  ])('%s', (_, where, date, hours) => {
    const { startMs, endMs } = dayBounds(date, where);
    expect((endMs - startMs) / HOUR_MS).toBe(hours);
    expect(hoursOf(date, where)).toHaveLength(Math.ceil(hours));
    expect(bucketEndMs('day', dayBucketMs(date), where)).toBe(endMs);
  });

  test('start where the clock first reads their start, or jumps over it', () => {
    const saoPaulo = { timeZone: 'America/Sao_Paulo', businessDayStartMinutes: 0 };
    expect(dayBounds('2017-10-15', saoPaulo).startMs).toBe(Date.parse('2017-10-15T03:00Z'));
    const halfPastTwo = { timeZone: 'America/New_York', businessDayStartMinutes: 150 };
    expect(dayBounds('2017-03-12', halfPastTwo).startMs).toBe(Date.parse('2017-03-12T07:00Z'));
    const halfPastOne = { timeZone: 'America/New_York', businessDayStartMinutes: 90 };
    expect(dayBounds('2017-11-05', halfPastOne).startMs).toBe(Date.parse('2017-11-05T05:30Z'));
    // Once begun, a day goes on although the clock reads 01:10, or 23:15 of the day before, again.
    expect(businessDate(Date.parse('2017-11-05T06:10Z'), halfPastOne)).toBe('2017-11-05');
    const newfoundland = { timeZone: 'America/St_Johns', businessDayStartMinutes: 0 };
    expect(businessDate(Date.parse('2010-11-07T02:45Z'), newfoundland)).toBe('2010-11-07');
  });

  test('hold every instant exactly once', () => {
    fc.assert(
      fc.property(calendar, instant, (where, ms) => {
        const date = businessDate(ms, where);
        const { startMs, endMs } = dayBounds(date, where);
        expect(startMs <= ms && ms < endMs).toBe(true);
        expect(businessDate(startMs, where)).toBe(date);
        expect(businessDate(endMs - 1, where)).toBe(date);
        expect(businessDate(endMs, where) > date).toBe(true);
        expect(dayBounds(businessDateOfBucket(dayBucketMs(date) + DAY_MS), where).startMs).toBe(endMs);
        expect(dayBucketOf(ms, where)).toBe(dayBucketMs(date));
      }),
      { numRuns: 400 },
    );
  });

  test('that begin at midnight are the dates Intl reads, but where the clock was set back over midnight', () => {
    fc.assert(
      fc.property(zone, instant, (timeZone, ms) => {
        fc.pre(readClock(ms - 2 * HOUR_MS, timeZone) < readClock(ms - HOUR_MS, timeZone));
        fc.pre(readClock(ms - HOUR_MS, timeZone) < readClock(ms, timeZone));
        const date = businessDate(ms, { timeZone, businessDayStartMinutes: 0 });
        expect(date).toBe(readClock(ms, timeZone).slice(0, 10));
      }),
      { numRuns: 300 },
    );
  });
});

describe('day buckets', () => {
  test.each([
    ['1970-01-01', 0, 3],
    ['2017-03-12', Date.UTC(2017, 2, 12), 6],
    ['2016-02-29', Date.UTC(2016, 1, 29), 0],
  ])('%s', (date, bucketMs, slot) => {
    expect(dayBucketMs(date)).toBe(bucketMs);
    expect(businessDateOfBucket(bucketMs)).toBe(date);
    expect(daySlot(date)).toBe(slot);
  });

  test.each([
    ['2016-02-29', true],
    ['2017-02-29', false],
    ['2017-13-01', false],
    ['2017-00-10', false],
    ['2017-3-12', false],
    ['20170312', false],
    ['2017-03-12T00:00', false],
    ['', false],
  ])('%s is a date: %s', (text, expected) => {
    expect(isBusinessDate(text)).toBe(expected);
  });
});

describe('the window of seasonal slots', () => {
  test('skips the hour that is skipped and repeats the one that is repeated', () => {
    const forward = calendarWindow('hour', Date.parse('2017-03-12T06:00Z'), NEW_YORK, 3);
    expect(forward).toEqual({ slot: 145, ahead: Int32Array.of(147, 148, 149) });
    const back = calendarWindow('hour', Date.parse('2017-11-05T04:00Z'), NEW_YORK, 4);
    expect(back).toEqual({ slot: 144, ahead: Int32Array.of(145, 145, 146, 147) });
  });

  test('goes round at the end of the week', () => {
    expect(calendarWindow('hour', Date.parse('2017-03-06T04:00Z'), NEW_YORK, 2)).toEqual({
      slot: 167,
      ahead: Int32Array.of(0, 1),
    });
    expect(calendarWindow('day', dayBucketMs('2016-02-28'), NIGHT_SHOP, 3)).toEqual({
      slot: 6,
      ahead: Int32Array.of(0, 1, 2),
    });
  });

  test('has the slots of the buckets that follow', () => {
    fc.assert(
      fc.property(calendar, instant, (where, ms) => {
        const bucketMs = hourStartMs(ms, where.timeZone);
        const { slot, ahead } = calendarWindow('hour', bucketMs, where, 48);
        let next = bucketMs;
        expect(slot).toBe(hourSlot(bucketMs, where.timeZone));
        for (const expected of ahead) {
          next = bucketEndMs('hour', next, where);
          expect(expected).toBe(hourSlot(next, where.timeZone));
        }
      }),
      { numRuns: 50 },
    );
  });
});
