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
      const scale = conformal.scale(slab, 0, 0, mean);
      conformal.quantiles(slab, 0, 0, mean, scale, out, 0);
      conformal.learn(slab, 0, 0, n, mean, scale, out, 0, y);
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

test('errors from before the first season was known are soon forgotten', () => {
  const random = createRandom('first year');
  const bench = createBench();
  for (let i = 0; i < 52; i++) bench.learn(100, 100 + 15 * random.normal());
  for (let i = 0; i < 90; i++) bench.learn(100, 100 + 3 * random.normal());
  const [low, , high] = bench.quantiles(100);
  expect(high! - low!).toBeLessThan(1.5 * 2 * 1.2816 * 3);
  expect(high! - low!).toBeGreaterThan(0.7 * 2 * 1.2816 * 3);
});

test('a constant that begins to vary is believed within two months of days', () => {
  const random = createRandom('constant');
  const bench = createBench();
  for (let i = 0; i < 300; i++) bench.learn(100, 100);
  expect(bench.quantiles(100)[2]! - bench.quantiles(100)[0]!).toBeLessThan(0.1);
  for (let i = 0; i < 60; i++) bench.learn(100, 100 + 10 * random.normal());
  const [low, , high] = bench.quantiles(100);
  expect(high! - low!).toBeGreaterThan(0.5 * 2 * 1.2816 * 10);
});

test('one wild error widens the interval by less than double', () => {
  const random = createRandom('one wild');
  const bench = createBench();
  for (let i = 0; i < 300; i++) bench.learn(100, 100 + random.normal());
  const before = bench.quantiles(100);
  bench.learn(100, 110);
  const after = bench.quantiles(100);
  expect(after[2]! - after[0]!).toBeLessThan(2 * (before[2]! - before[0]!));
});

/** Sales of `mean` on average that come in lots of geometric size, `lot` on average. */
function inLots(random: ReturnType<typeof createRandom>, mean: number, lot: number): number {
  let sold = 0;
  for (let lots = random.poisson(mean / lot); lots > 0; lots--) {
    sold += 1 + Math.floor(Math.log(1 - random.uniform()) / Math.log(1 - 1 / lot));
  }
  return sold;
}

test.each([1.2, 3, 8])(
  'upper quantiles are exceeded as often as they say among many zeros: lots of %d',
  (lot) => {
    const random = createRandom('lots', String(lot));
    const bench = createBench();
    const rounds = 6_000;
    let below = 0;
    let told = 0;
    let asked = 0;
    for (let i = 0; i < 500 + rounds; i++) {
      const mean = lot * (0.4 + 1.2 * (i % 3));
      const y = inLots(random, mean, lot);
      const quantiles = bench.quantiles(mean);
      if (i >= 500) {
        asked++;
        told += quantiles[0] === 0 ? 1 : 0;
        below += y <= quantiles[2]! ? 1 : 0;
      }
      bench.learn(mean, y);
    }
    expect(told / asked).toBeGreaterThan(0.6);
    expect(below / asked - 0.9).toBeGreaterThan(-3 * Math.sqrt(0.09 / asked));
    expect(below / asked - 0.9).toBeLessThan(0.06);
  },
);

test('where next to nothing is expected the quantiles are zero, and in a busy hour they are not', () => {
  const random = createRandom('slack and busy');
  const bench = createBench();
  for (let i = 0; i < 3_000; i++) {
    const mean = i % 2 === 0 ? 0.02 : 6;
    bench.learn(mean, random.poisson(mean));
  }
  expect(bench.quantiles(0.02)).toEqual([0, 0, 0]);
  const [low, middle, high] = bench.quantiles(6);
  expect(low).toBeGreaterThan(1.5);
  expect(middle).toBeGreaterThan(4.5);
  expect(high).toBeGreaterThan(8);
  expect(high).toBeLessThan(11);
});
