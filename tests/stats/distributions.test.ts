import { expect, test } from 'vitest';
import { gammaCdf, gammaQuantile, logGamma } from '../../src/stats/gamma.ts';
import { normalQuantile } from '../../src/stats/normal.ts';

test.each([
  [0.5, 0],
  [0.001, -3.090232306],
  [0.025, -1.959963985],
  [0.1, -1.281551566],
  [0.75, 0.6744897502],
  [0.975, 1.959963985],
  [0.9999, 3.719016485],
])('normal quantile of %d is %d', (p, expected) => {
  expect(normalQuantile(p)).toBeCloseTo(expected, 8);
});

// Half the tabled chi-square quantiles with twice the degrees of freedom; exponentials for shape 1.
test.each([
  [0.95, 0.5, 3.841458821 / 2],
  [0.05, 0.5, 0.00393214 / 2],
  [0.5, 1, Math.log(2)],
  [0.975, 1, Math.log(40)],
  [0.9, 5, 15.98717917 / 2],
  [0.01, 5, 2.55821216 / 2],
  [0.99, 15, 50.89218131 / 2],
])('gamma quantile of %d, shape %d, is %d', (p, shape, expected) => {
  expect(gammaQuantile(p, shape)).toBeCloseTo(expected, 7);
});

test('gamma quantiles meet their probabilities and rise with p', () => {
  for (const shape of [0.01, 0.07, 0.4, 0.99, 1.01, 3, 12, 29, 31, 80, 700]) {
    let before = 0;
    for (const p of [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]) {
      const x = gammaQuantile(p, shape);
      expect(Math.abs(gammaCdf(x, shape) - p)).toBeLessThan(3e-4);
      expect(x).toBeGreaterThan(before);
      before = x;
    }
  }
});

test('gamma quantiles are finite for the smallest and largest shapes', () => {
  for (const shape of [1e-300, 1e-9, 1e-3, 1e9, 1e300]) {
    for (const p of [0.001, 0.5, 0.999]) expect(Number.isFinite(gammaQuantile(p, shape))).toBe(true);
  }
});

test.each([
  [1, 0],
  [0.5, Math.log(Math.sqrt(Math.PI))],
  [5, Math.log(24)],
  [100, 359.1342053695754],
])('log gamma of %d is %d', (x, expected) => {
  expect(logGamma(x)).toBeCloseTo(expected, 10);
});
