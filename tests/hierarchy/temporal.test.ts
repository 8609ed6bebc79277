import { expect, test } from 'vitest';
import { agreeWithDay } from '../../src/hierarchy/temporal.ts';

type Case = {
  readonly what: string;
  readonly hours: readonly number[];
  readonly variances: readonly number[];
  readonly day: { readonly mean: number; readonly variance: number };
  readonly expected: readonly number[];
};

test.each<Case>([
  { what: 'that holds', hours: [1, 3], variances: [1, 1], day: { mean: 6, variance: 0 }, expected: [2, 4] },
  { what: 'by variances', hours: [1, 3], variances: [1, 3], day: { mean: 8, variance: 0 }, expected: [2, 6] },
  {
    what: 'as uncertain',
    hours: [1, 3],
    variances: [1, 1],
    day: { mean: 6, variance: 2 },
    expected: [1.5, 3.5],
  },
  { what: 'that agrees', hours: [1, 3], variances: [1, 1], day: { mean: 4, variance: 0 }, expected: [1, 3] },
  {
    what: 'with hours at zero',
    hours: [1, 9, 5],
    variances: [1, 1, 1],
    day: { mean: 6, variance: 0 },
    expected: [0, 5, 1],
  },
  {
    what: 'without sales',
    hours: [1, 9],
    variances: [1, 1],
    day: { mean: 0, variance: 0 },
    expected: [0, 0],
  },
  {
    what: 'with hours of returns',
    hours: [-1, 9],
    variances: [1, 1],
    day: { mean: 4, variance: 0 },
    expected: [-1, 5],
  },
  {
    what: 'below its hours of returns',
    hours: [-1, 9],
    variances: [1, 1],
    day: { mean: -3, variance: 0 },
    expected: [-1, 0],
  },
  {
    what: 'of certain hours that hold',
    hours: [1, 3],
    variances: [0, 0],
    day: { mean: 6, variance: 1 },
    expected: [1, 3],
  },
  {
    what: 'of hours without any variance',
    hours: [0, 0],
    variances: [0, 0],
    day: { mean: 6, variance: 0 },
    expected: [3, 3],
  },
  {
    what: 'that can only be met by one hour',
    hours: [1, 3],
    variances: [0, 2],
    day: { mean: 2, variance: 0 },
    expected: [1, 1],
  },
])('hours and a day $what', ({ hours, variances, day, expected }) => {
  const around = [7, ...hours, 8];
  const mean = Float64Array.from(around);
  const reached = agreeWithDay(
    mean,
    Float64Array.of(5, ...variances, 5),
    { from: 1, to: hours.length + 1 },
    day,
  );
  for (const [i, value] of [7, ...expected, 8].entries()) expect(mean[i]).toBeCloseTo(value, 12);
  expect(reached).toBeCloseTo(
    expected.reduce((sum, value) => sum + value, 0),
    12,
  );
});

test.each([23, 24, 25])('a day of %d hours comes to its forecast', (length) => {
  const mean = Float64Array.from({ length }, (_, i) => (i % 5 === 0 ? 0 : i));
  for (const day of [10_000, 100, 3, 0]) {
    const hours = mean.slice();
    agreeWithDay(hours, mean, { from: 0, to: length }, { mean: day, variance: 0 });
    expect(hours.reduce((sum, value) => sum + value, 0)).toBeCloseTo(day, 8);
    expect(Math.min(...hours)).toBeGreaterThanOrEqual(0);
  }
});
