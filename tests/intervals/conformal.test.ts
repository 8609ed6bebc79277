import { expect, test } from 'vitest';
import { createConformal } from '../../src/intervals/conformal.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { createLayout } from '../../src/stats/layout.ts';
import { createSeenRange } from '../../src/stats/seen-range.ts';
import { createSlab } from '../../src/stats/slab.ts';

const probabilities = [0.1, 0.5, 0.9];

function createBench() {
  const layout = createLayout();
  const range = createSeenRange(layout);
  const conformal = createConformal(layout, range, { bands: 2, probabilities });
  const slab = createSlab(layout.words());
  range.init(slab, 0);
  conformal.init(slab, 0);
  const out = new Float64Array(probabilities.length);
  let n = 0;
  return {
    conformal,
    slab,
    see: (y: number) => range.update(slab, 0, y, 1 / (n + 1)),
    quantiles(mean: number, band = 0): number[] {
      conformal.quantiles(slab, 0, band, mean, conformal.scale(slab, 0, band, mean), out, 0);
      return [...out];
    },
    learn(mean: number, y: number): void {
      conformal.learn(slab, 0, 0, n, mean, conformal.scale(slab, 0, 0, mean), y);
      range.update(slab, 0, y, 1 / (n + 1));
      n++;
    },
  };
}

test('nothing seen: no width', () => {
  expect(createBench().quantiles(0)).toEqual([0, 0, 0]);
});

test('sensible after the first bucket', () => {
  const bench = createBench();
  bench.see(100);
  const [low, middle, high] = bench.quantiles(100);
  expect(middle).toBeCloseTo(100, 6);
  expect(low).toBeGreaterThan(0);
  expect(low).toBeLessThan(60);
  expect(high).toBeGreaterThan(140);
  expect(high).toBeLessThan(250);
});

test.each([
  ['normal', (random: ReturnType<typeof createRandom>) => random.normal()],
  ['skewed', (random: ReturnType<typeof createRandom>) => -Math.log(1 - random.uniform()) - 1],
  [
    'two-sided',
    (random: ReturnType<typeof createRandom>) => (random.uniform() < 0.5 ? -1 : 1) + 0.2 * random.normal(),
  ],
])('each quantile is exceeded as often as it says: %s errors', (seed, error) => {
  const random = createRandom(seed);
  const bench = createBench();
  const below = [0, 0, 0];
  const rounds = 6_000;
  for (let i = 0; i < 500 + rounds; i++) {
    const y = 100 + 10 * error(random);
    const quantiles = bench.quantiles(100);
    expect(quantiles).toEqual([...quantiles].sort((a, b) => a - b));
    if (i >= 500) for (const [k, q] of quantiles.entries()) below[k]! += y <= q ? 1 : 0;
    bench.learn(100, y);
  }
  for (const [k, p] of probabilities.entries()) {
    expect(Math.abs(below[k]! / rounds - p)).toBeLessThan(3 * Math.sqrt((p * (1 - p)) / rounds));
  }
});

test('spread learned at one level holds at another, as the square root of the mean', () => {
  const random = createRandom('spread');
  const bench = createBench();
  for (let i = 0; i < 2_000; i++) bench.learn(100, random.poisson(100));
  const [low, , high] = bench.quantiles(25);
  expect(high! - low!).toBeGreaterThan(0.8 * 2 * 1.2816 * 5);
  expect(high! - low!).toBeLessThan(1.25 * 2 * 1.2816 * 5);
});

test('adapts when errors grow', () => {
  const random = createRandom('grow');
  const bench = createBench();
  for (let i = 0; i < 500; i++) bench.learn(100, 100 + random.normal());
  const before = bench.quantiles(100);
  for (let i = 0; i < 500; i++) bench.learn(100, 100 + 10 * random.normal());
  const after = bench.quantiles(100);
  expect(after[2]! - after[0]!).toBeGreaterThan(5 * (before[2]! - before[0]!));
});

test('below zero only if the series was', () => {
  const bench = createBench();
  for (const y of [0, 9, 0, 0, 12, 0, 0, 0, 7]) bench.learn(3, y);
  expect(bench.quantiles(1)[0]).toBe(0);
  bench.learn(3, -8);
  expect(bench.quantiles(1)[0]).toBeLessThan(0);
});

test('a band can begin where another stands', () => {
  const bench = createBench();
  for (let i = 0; i < 50; i++) bench.learn(100, 100 + (i % 9));
  bench.conformal.inherit(bench.slab, 0, 1, 0);
  expect(bench.quantiles(80, 1)).toEqual(bench.quantiles(80, 0));
});
