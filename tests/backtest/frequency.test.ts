import { expect, test } from 'vitest';
import {
  bucketIndex,
  frequencyOfStep,
  grainOf,
  parseFrequency,
  usualHorizon,
  usualSeasons,
} from '../../src/backtest/frequency.ts';
import type { Frequency } from '../../src/backtest/frequency.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/sales/durations.ts';

const named = (text: string): Frequency => parseFrequency(text)!;

test.each([
  ['15min', 'width', [96, 672], 96, '15min'],
  ['h', 'width', [24, 168], 24, 'hour'],
  ['4h', 'width', [6, 42], 6, 'hour'],
  ['D', 'width', [7], 14, 'day'],
  ['W-FRI', 'width', [52], 8, 'week'],
  ['MS', 'months', [12], 12, 'week'],
  ['Q', 'months', [4], 4, 'week'],
  ['y', 'months', [1], 1, 'week'],
  ['1', 'index', [1], 12, 'day'],
])('%s', (text, kind, seasons, horizon, grain) => {
  const frequency = named(text);
  expect(frequency.kind).toBe(kind);
  expect(usualSeasons(frequency)).toEqual(seasons);
  expect(usualHorizon(frequency)).toBe(horizon);
  expect(grainOf(frequency, seasons[0]!)).toBe(grain);
});

test.each(['', 'x', '2', '0h', '-1h', 'h h', 'D-FRI', 'daily'])('%j is no frequency', (text) => {
  expect(parseFrequency(text)).toBeNull();
});

test.each([
  [24, 'hour'],
  [96, '15min'],
  [7, 'day'],
  [52, 'week'],
  [12, 'week'],
])('an index of season %d goes by the settings of %s', (season, grain) => {
  expect(grainOf(named('1'), season)).toBe(grain);
});

test.each([
  [HOUR_MS, 'h'],
  [15 * MINUTE_MS, '15min'],
  [DAY_MS, 'D'],
  [7 * DAY_MS, 'W'],
  [31 * DAY_MS, 'M'],
  [91 * DAY_MS, 'Q'],
  [366 * DAY_MS, 'Y'],
  [90_000, '90s'],
])('rows %d ms apart are %s', (step, name) => {
  expect(frequencyOfStep(step)?.name).toBe(name);
});

test.each([0, -1, 0.5])('rows %d ms apart are nothing', (step) => {
  expect(frequencyOfStep(step)).toBeNull();
});

test.each([
  ['the hour of the week begins on Monday', 'h', '2024-01-01T00:00Z', 168, 0],
  ['as role forecast counts it: Sunday, 23:00', 'h', '2024-01-07T23:00Z', 168, 167],
  ['Thursday', 'D', '2024-02-29T00:00Z', 7, 3],
  ['before 1970', 'D', '1969-07-20T00:00Z', 7, 6],
  ['March', 'M', '2024-03-31T00:00Z', 12, 2],
  ['the last quarter', 'Q', '2024-10-01T00:00Z', 4, 3],
])('%s', (_, frequency, time, season, slot) => {
  const index = bucketIndex(named(frequency), Date.parse(time));
  expect(((index % season) + season) % season).toBe(slot);
});

test('weeks that begin on any day are one bucket apart', () => {
  const friday = Date.UTC(2010, 1, 5);
  const indices = [0, 1, 2].map((week) => bucketIndex(named('W-FRI'), friday + week * 7 * DAY_MS));
  expect([indices[1]! - indices[0]!, indices[2]! - indices[1]!]).toEqual([1, 1]);
});
