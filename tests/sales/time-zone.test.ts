import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firstInstantOf, isTimeZone, offsetSpan, wallMs } from '../../src/sales/time-zone.ts';
import { ALL_ZONES, ODD_ZONES, readClock } from './wall-clock.ts';

const HOUR_MS = 3_600_000;
const zone = fc.oneof(fc.constantFrom(...ODD_ZONES), fc.constantFrom(...ALL_ZONES));
const instant = fc
  .integer({ min: Date.UTC(2000, 0, 1) / 1000, max: Date.UTC(2040, 0, 1) / 1000 })
  .map((s) => s * 1000);

describe('the offset of a zone', () => {
  test.each([
    ['UTC', '2017-07-01T00:00Z', 0],
    ['America/New_York', '2017-03-12T06:59:59Z', -5],
    ['America/New_York', '2017-03-12T07:00:00Z', -4],
    ['America/New_York', '2017-11-05T05:59:59Z', -4],
    ['America/New_York', '2017-11-05T06:00:00Z', -5],
    ['Asia/Kathmandu', '2017-07-01T00:00Z', 5.75],
    ['Asia/Kolkata', '2017-07-01T00:00Z', 5.5],
    ['Australia/Lord_Howe', '2017-07-01T00:00Z', 10.5],
    ['Australia/Lord_Howe', '2017-12-01T00:00Z', 11],
    ['Pacific/Chatham', '2017-12-01T00:00Z', 13.75],
    ['Pacific/Apia', '2011-12-30T09:59:59Z', -10],
    ['Pacific/Apia', '2011-12-30T10:00:00Z', 14],
  ])('%s at %s is %d h', (name, time, hours) => {
    expect(offsetSpan(Date.parse(time), name).offsetMs).toBe(hours * HOUR_MS);
  });

  test('is what Intl reads, in every zone', () => {
    fc.assert(
      fc.property(zone, instant, (name, ms) => {
        const wall = new Date(wallMs(ms, name)).toISOString().slice(0, 19).replace('T', ' ');
        expect(wall).toBe(readClock(ms, name));
      }),
      { numRuns: 400 },
    );
  });

  test('spans border on each other where the clock changes', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ODD_ZONES), instant, (name, ms) => {
        const span = offsetSpan(ms, name);
        expect(span.startMs <= ms && ms < span.endMs).toBe(true);
        if (ms - span.startMs < 48 * HOUR_MS)
          expect(offsetSpan(span.startMs - 1, name).offsetMs).not.toBe(span.offsetMs);
        if (span.endMs - ms < 48 * HOUR_MS)
          expect(offsetSpan(span.endMs, name).offsetMs).not.toBe(span.offsetMs);
      }),
      { numRuns: 400 },
    );
  });

  test('of a zone that does not exist is an error', () => {
    expect(() => offsetSpan(0, 'Mars/Olympus_Mons')).toThrow(RangeError);
  });
});

describe('the first instant of a clock reading', () => {
  test.each([
    ['an ordinary one', 'America/New_York', '2017-03-11T10:00', '2017-03-11T15:00Z'],
    ['skipped: the jump', 'America/New_York', '2017-03-12T02:30', '2017-03-12T07:00Z'],
    ['twice: the first', 'America/New_York', '2017-11-05T01:30', '2017-11-05T05:30Z'],
    ['midnight skipped', 'America/Sao_Paulo', '2017-10-15T00:00', '2017-10-15T03:00Z'],
    [
      'midnight after the hour before it came twice',
      'America/Sao_Paulo',
      '2018-02-18T00:00',
      '2018-02-18T03:00Z',
    ],
    ['midnight twice', 'America/Havana', '2017-11-05T00:00', '2017-11-05T04:00Z'],
    ['a whole day skipped', 'Pacific/Apia', '2011-12-30T12:00', '2011-12-30T10:00Z'],
    ['half an hour skipped', 'Australia/Lord_Howe', '2017-10-01T02:15', '2017-09-30T15:30Z'],
  ])('%s', (_, name, wall, expected) => {
    expect(firstInstantOf(Date.parse(`${wall}Z`), name)).toBe(Date.parse(expected));
  });

  test('is the earliest at which Intl reads it or later', () => {
    const quarters = fc.integer({ min: Date.UTC(2000, 0, 2) / 900_000, max: Date.UTC(2040, 0, 1) / 900_000 });
    fc.assert(
      fc.property(fc.constantFrom(...ODD_ZONES), quarters, (name, quarter) => {
        const wall = new Date(quarter * 900_000).toISOString().slice(0, 19).replace('T', ' ');
        const first = firstInstantOf(quarter * 900_000, name);
        expect(readClock(first, name) >= wall).toBe(true);
        for (let back = 1; back <= 30; back += 1) {
          expect(readClock(first - back * 1800_000, name) < wall).toBe(true);
        }
        expect(readClock(first - 1000, name) < wall).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

test.each([
  ['UTC', true],
  ['America/New_York', true],
  ['Etc/GMT+5', true],
  ['+02:00', false],
  ['', false],
  ['Nowhere', false],
  ['America/New York', false],
])('%s is a zone: %s', (name, expected) => {
  expect(isTimeZone(name)).toBe(expected);
});
