import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { nowcast } from '../../src/models/nowcast.ts';

const probabilities = [0.025, 0.1, 0.5, 0.9, 0.975];

function run(sold: number, expected: number, elapsedShare: number, dispersion = 1) {
  const quantiles = new Float64Array(probabilities.length);
  return { ...nowcast({ sold, expected, elapsedShare, dispersion, probabilities }, quantiles), quantiles };
}

const amount = fc.double({ min: -1e6, max: 1e9, noNaN: true });
const share = fc.double({ min: 0, max: 1, noNaN: true });
const dispersion = fc.double({ min: 1e-6, max: 1e4, noNaN: true });

test('sold and remaining are the total exactly, quantiles rise from what is sold', () => {
  fc.assert(
    fc.property(amount, amount, share, dispersion, (sold, expected, elapsedShare, d) => {
      const { remaining, total, quantiles } = run(sold, expected, elapsedShare, d);
      expect(remaining).toBeGreaterThanOrEqual(0);
      expect(sold + remaining).toBe(total);
      expect(quantiles.every(Number.isFinite)).toBe(true);
      expect(quantiles[0]).toBeGreaterThanOrEqual(sold);
      for (let i = 1; i < quantiles.length; i++)
        expect(quantiles[i]).toBeGreaterThanOrEqual(quantiles[i - 1]!);
    }),
  );
});

test.each([
  // sold, expected, share, remaining
  [0, 100, 0, 100],
  [50, 100, 0.5, 50],
  [80, 100, 0.5, 60],
  [20, 100, 0.5, 40],
  [90, 100, 1, 0],
  [0, 0, 0.5, 0],
  [-5, 100, 0, 100],
  [30, -10, 0.5, 10],
])('sold %d of %d expected, %d elapsed: remaining %d', (sold, expected, elapsedShare, remaining) => {
  expect(run(sold, expected, elapsedShare).remaining).toBeCloseTo(remaining, 9);
});

test.each([
  [0.4, 1],
  [3, 1.5],
  [60, 1],
  [60, 20],
  [5_000, 3],
  [1e6, 400],
])('on pace the interval never widens and ends without width: expected %d, dispersion %d', (expected, d) => {
  let before = Infinity;
  for (let i = 0; i <= 200; i++) {
    const elapsed = i / 200;
    const { quantiles, total } = run(elapsed * expected, expected, elapsed, d);
    const width = quantiles.at(-1)! - quantiles[0]!;
    expect(width).toBeLessThanOrEqual(before * (1 + 1e-3) + 1e-12);
    expect(total).toBeCloseTo(expected, 6);
    before = width;
  }
  expect(before).toBe(0);
});

test('the wider the dispersion, the wider the interval', () => {
  const widths = [0.5, 1, 2, 4, 8].map((d) => {
    const { quantiles } = run(30, 100, 0.3, d);
    return quantiles.at(-1)! - quantiles[0]!;
  });
  expect(widths).toEqual([...widths].sort((a, b) => a - b));
});

test('counts in another unit give the same nowcast in that unit', () => {
  const pieces = run(30, 100, 0.3, 2);
  const cents = run(30 * 128, 100 * 128, 0.3, 2 * 128);
  expect(cents.remaining).toBe(128 * pieces.remaining);
  expect([...cents.quantiles].map((value) => value / 128)).toEqual([...pieces.quantiles]);
});
