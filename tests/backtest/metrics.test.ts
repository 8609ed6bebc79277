import { describe, expect, test } from 'vitest';
import {
  addForecast,
  createTally,
  figuresOf,
  meanOf,
  medianOf,
  pinball,
  scaleOf,
  seriesMase,
} from '../../src/backtest/metrics.ts';
import type { SeriesTally } from '../../src/backtest/metrics.ts';

describe('the scale is the mean difference from one season before', () => {
  const y = Float64Array.of(1, 4, 2, 8, 5);
  test.each([
    [5, 1, (3 + 2 + 6 + 3) / 4, (9 + 4 + 36 + 9) / 4],
    [4, 1, (3 + 2 + 6) / 3, (9 + 4 + 36) / 3],
    [5, 2, (1 + 4 + 3) / 3, (1 + 16 + 9) / 3],
    [5, 4, 4, 16],
  ])('%d buckets, season %d', (length, season, absolute, square) => {
    expect(scaleOf(y, length, season)).toEqual({ absolute, square });
  });

  test('there is none before a season is over', () => {
    expect(scaleOf(y, 4, 4)).toEqual({ absolute: Number.NaN, square: Number.NaN });
  });
});

test.each([
  [0.1, 10, 8, 0.2],
  [0.9, 10, 8, 1.8],
  [0.1, 8, 10, 1.8],
  [0.9, 8, 10, 0.2],
  [0.5, 8, 10, 1],
  [0.9, 5, 5, 0],
])('pinball at %d: actual %d, quantile %d', (p, y, quantile, loss) => {
  expect(pinball(p, y, quantile)).toBeCloseTo(loss, 12);
});

/** Quantiles 0.1 and 0.9, which are wQL's and the only level's. */
const PLACES = { count: 2, low80: 0, high80: 1, levels: [{ low: 0, high: 1 }] };
const BOTH = { fromStep: 1, toStep: 2 };

type Case = {
  readonly y: readonly [number, number];
  readonly mean: readonly [number, number];
  readonly quantiles?: readonly number[];
  readonly scale?: { readonly absolute: number; readonly square: number };
};

function tallyOf(...origins: readonly Case[]): SeriesTally {
  const tally = createTally(2, origins.length, 1);
  for (const [origin, { y, mean, quantiles, scale }] of origins.entries()) {
    addForecast(
      tally,
      origin,
      {
        actual: Float64Array.of(99, ...y),
        from: 1,
        steps: 2,
        mean: Float64Array.from(mean),
        quantiles: Float64Array.from(quantiles ?? [1, 9, 1, 9]),
        scale: scale ?? { absolute: 2, square: 5 },
      },
      PLACES,
    );
  }
  return tally;
}

describe('figures of two points, by hand', () => {
  // y 4, 8; ŷ 5, 6; intervals 3…5 and 5…7: errors 1 and −2.
  const tally = tallyOf({ y: [4, 8], mean: [5, 6], quantiles: [3, 5, 5, 7] });
  const all = figuresOf([tally], BOTH, 1);

  test.each([
    ['points', all.points, 2],
    ['MASE: 1.5 / 2', all.mase, 0.75],
    ['MASE of the pair', tally.mase[0], 0.75],
    ['RMSSE: √(2.5 / 5)', tally.rmsse[0], Math.sqrt(0.5)],
    ['sMAPE: mean of 200/9 and 400/14', all.smape, (200 / 9 + 400 / 14) / 2],
    ['WAPE: 3 / 12', all.wape, 25],
    ['RMSE: √2.5', all.rmse, Math.sqrt(2.5)],
    ['MAE', all.mae, 1.5],
    ['MAPE: mean of 1/4 and 2/8', all.mape, 25],
    ['bias: −1 / 12', all.biasPct, -100 / 12],
    // 0.1: 0.1·1 + 0.1·3 = 0.4; 0.5: 0.5·1 + 0.5·2 = 1.5; 0.9: 0.1·1 + 0.9·1 = 1
    ['wQL: 100·2·(0.4 + 1.5 + 1) / 3 / 12', all.wql, (200 * 2.9) / 36],
    ['coverage: 4 within, 8 not', all.intervals[0]?.coverage, 50],
    ['width: (2 + 2) / 12', all.intervals[0]?.width, 400 / 12],
  ])('%s', (_, found, expected) => {
    expect(found).toBeCloseTo(expected, 10);
  });

  test('by step', () => {
    const second = figuresOf([tally], { fromStep: 2, toStep: 2 }, 1);
    expect([second.points, second.mae, second.mase, second.wape, second.biasPct]).toEqual([1, 2, 1, 25, -25]);
  });
});

test('the ends of an interval count as within', () => {
  const { intervals } = figuresOf([tallyOf({ y: [1, 9], mean: [5, 5] })], BOTH, 1);
  expect(intervals[0]?.coverage).toBe(100);
});

test('zeros: sMAPE counts them as no error where both are zero, MAPE leaves them out', () => {
  const { smape, mape } = figuresOf([tallyOf({ y: [0, 4], mean: [0, 5] })], BOTH, 1);
  expect(smape).toBeCloseTo((0 + 200 / 9) / 2, 10);
  expect(mape).toBeCloseTo(25, 10);
});

test('pairs without a scale are left out of MASE, not counted as zero', () => {
  const none = { absolute: 0, square: 0 };
  const tally = tallyOf({ y: [4, 4], mean: [5, 5] }, { y: [4, 4], mean: [6, 6], scale: none });
  expect([...tally.mase]).toEqual([0.5, Number.NaN]);
  expect(meanOf(tally.mase)).toBe(0.5);
  expect(figuresOf([tally], BOTH, 1).mase).toBe(0.5);
  expect(figuresOf([tally], BOTH, 1).mae).toBe(1.5);
});

test('a model without intervals has no wQL and no coverage, not a coverage of zero', () => {
  const gaps = [Number.NaN, Number.NaN, Number.NaN, Number.NaN];
  const { wql, intervals, mae } = figuresOf([tallyOf({ y: [4, 4], mean: [5, 5], quantiles: gaps })], BOTH, 1);
  expect([wql, intervals[0]?.coverage, intervals[0]?.width]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  expect(mae).toBe(1);
});

test('prequential MASE counts every series once, however many origins it has', () => {
  const often = tallyOf(
    { y: [4, 4], mean: [5, 5] },
    { y: [4, 4], mean: [5, 5] },
    { y: [4, 4], mean: [5, 5] },
  );
  const once = tallyOf({ y: [4, 4], mean: [8, 8] });
  expect(seriesMase([often, once], BOTH, 1)).toBe((0.5 + 2) / 2);
  expect(figuresOf([often, once], BOTH, 1).mase).toBe((3 * 0.5 + 2) / 4);
});

test.each([
  [[3, 1, 2], 2],
  [[4, 1, 2, 3], 2.5],
  [[Number.NaN, 7], 7],
  [[], Number.NaN],
])('median of %j', (values, expected) => {
  expect(medianOf(values)).toBe(expected);
});
