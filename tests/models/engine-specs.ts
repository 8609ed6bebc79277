import type { CalendarWindow, EngineSpec } from '../../src/models/engine.ts';

const PROBABILITIES = [0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975];

export const DAY: EngineSpec = {
  granularity: 'day',
  season: 7,
  shortSeason: 7,
  horizon: 28,
  probabilities: PROBABILITIES,
};

export const HOUR: EngineSpec = {
  granularity: 'hour',
  season: 168,
  shortSeason: 24,
  horizon: 48,
  probabilities: PROBABILITIES,
};

export const WEEK: EngineSpec = {
  granularity: 'week',
  season: 52,
  shortSeason: 52,
  horizon: 26,
  probabilities: PROBABILITIES,
};

export const QUARTER_HOUR: EngineSpec = {
  granularity: '15min',
  season: 672,
  shortSeason: 96,
  horizon: 192,
  probabilities: PROBABILITIES,
};

/** The calendar of step `i` of a plain run of slots, or of `slots` where given (repeated at its end). */
export function windowAt(spec: EngineSpec, i: number, slots?: readonly number[]): CalendarWindow {
  const slotOf = (j: number): number =>
    slots === undefined ? j % spec.season : (slots[j % slots.length] as number);
  return { slot: slotOf(i), ahead: Int32Array.from({ length: spec.horizon }, (_, h) => slotOf(i + 1 + h)) };
}
