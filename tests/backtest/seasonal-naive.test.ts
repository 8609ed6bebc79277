import { describe, expect, test } from 'vitest';
import type { FoldSpec } from '../../src/backtest/forecaster.ts';
import { seasonalNaiveForecaster } from '../../src/backtest/seasonal-naive.ts';
import { createForecastBuffer } from '../../src/models/engine.ts';

const PROBABILITIES = [0.025, 0.1, 0.5, 0.9, 0.975];

/** Forecast after `values`, season 3, six steps ahead. */
function forecast(values: readonly number[], naiveWindow: number | null = null) {
  const spec: FoldSpec = {
    grain: 'day',
    season: 3,
    shortSeason: 3,
    naiveSeason: 3,
    naiveWindow,
    horizon: 6,
    probabilities: PROBABILITIES,
    known: [],
    past: [],
    refitEvery: 1,
    series: 1,
  };
  const fold = seasonalNaiveForecaster.create(spec);
  const out = createForecastBuffer({ ...spec, granularity: 'day' });
  const bucket = {
    y: 0,
    calendar: { slot: 0, ahead: new Int32Array(6) },
    known: new Float64Array(),
    past: new Float64Array(),
    paths: new Float64Array(6),
  };
  for (const y of values) fold.learn(0, { ...bucket, y });
  fold.forecast(0, bucket, out);
  return { mean: [...out.mean], at: (step: number, i: number) => out.quantiles[(step - 1) * 5 + i]! };
}

describe('as statsforecast defines it', () => {
  // Differences from three before: 3, −1, 2, 4, 0: σ² = (9 + 1 + 4 + 16 + 0) / 5 = 6.
  const VALUES = [10, 20, 30, 13, 19, 32, 17, 19];

  test('the last season over and over', () => {
    expect(forecast(VALUES).mean).toEqual([32, 17, 19, 32, 17, 19]);
  });

  test.each([
    [1, 3, 32 + 1.2815515655446004 * Math.sqrt(6)],
    [3, 3, 19 + 1.2815515655446004 * Math.sqrt(6)],
    [4, 3, 32 + 1.2815515655446004 * Math.sqrt(12)],
    [6, 1, 19 - 1.2815515655446004 * Math.sqrt(12)],
    [2, 0, 17 - 1.959963984540054 * Math.sqrt(6)],
    [5, 4, 17 + 1.959963984540054 * Math.sqrt(12)],
  ])('step %d: the interval widens by the root of the seasons ahead', (step, i, expected) => {
    expect(forecast(VALUES).at(step, i)).toBeCloseTo(expected, 7);
  });

  test('a window: the spread of its last buckets alone', () => {
    // Five buckets hold the differences 4 and 0: σ² = 8.
    expect(forecast(VALUES, 5).at(1, 3)).toBeCloseTo(32 + 1.2815515655446004 * Math.sqrt(8), 7);
    expect(forecast(VALUES, 100).at(1, 3)).toBeCloseTo(32 + 1.2815515655446004 * Math.sqrt(6), 7);
  });

  test('nothing is clipped at zero', () => {
    expect(forecast([0, 0, 1, 9, 0, 0]).at(2, 0)).toBeLessThan(0);
  });
});

test.each([
  [[5], 5],
  [[5, 8], 8],
])('before a season is over it repeats the last value: %j', (values, expected) => {
  const { mean, at } = forecast(values);
  expect(mean).toEqual(Array(6).fill(expected));
  expect([at(1, 0), at(6, 4)]).toEqual([expected, expected]);
});
