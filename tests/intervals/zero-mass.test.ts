import { expect, test } from 'vitest';
import { createPositiveShift } from '../../src/intervals/positive-shift.ts';
import { createZeroMass } from '../../src/intervals/zero-mass.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { createLayout } from '../../src/stats/layout.ts';
import { normalQuantile } from '../../src/stats/normal.ts';
import { createSlab } from '../../src/stats/slab.ts';

function createBench() {
  const layout = createLayout();
  const zeros = createZeroMass(layout);
  const slab = createSlab(layout.words());
  zeros.init(slab, 0);
  let n = 0;
  return {
    rate: () => zeros.rate(slab, 0),
    learn(mean: number, empty: boolean): void {
      zeros.learn(slab, 0, n++, mean, empty);
    },
  };
}

test.each([0.1, 0.7, 3, 40])('finds %d arrivals per unit from buckets of all sizes', (rate) => {
  const random = createRandom('rate', String(rate));
  const bench = createBench();
  for (let i = 0; i < 3_000; i++) {
    const mean = (0.2 + 0.4 * (i % 7)) / rate;
    bench.learn(mean, random.uniform() < Math.exp(-rate * mean));
  }
  expect(bench.rate() / rate).toBeGreaterThan(0.75);
  expect(bench.rate() / rate).toBeLessThan(1.33);
});

test('knows of no zeros before the first, and little of them after it', () => {
  const bench = createBench();
  for (let i = 0; i < 200; i++) bench.learn(5, false);
  expect(bench.rate()).toBe(0);
  bench.learn(5, true);
  expect(Math.exp(-5 * bench.rate())).toBeLessThan(0.05);
});

test('follows a product that stops selling, and one that begins to', () => {
  const bench = createBench();
  for (let i = 0; i < 300; i++) bench.learn(2, i % 10 === 0);
  for (let i = 0; i < 300; i++) bench.learn(2, i % 10 !== 0);
  expect(Math.exp(-2 * bench.rate())).toBeGreaterThan(0.8);
  for (let i = 0; i < 300; i++) bench.learn(2, i % 10 === 0);
  expect(Math.exp(-2 * bench.rate())).toBeLessThan(0.2);
});

test('scales with the units, to the bit', () => {
  const [plain, scaled] = [1, 1024].map((unit) => {
    const bench = createBench();
    for (let i = 0; i < 400; i++) bench.learn(unit * (0.5 + (i % 5)), i % 4 === 0);
    return bench.rate();
  });
  expect(scaled! * 1024).toBe(plain);
});

test('stays finite whatever comes', () => {
  const bench = createBench();
  for (let i = 0; i < 2_000; i++) {
    bench.learn([1e-300, 1e15, 0, 5e-324, 3][i % 5]!, i % 3 === 0);
    expect(Number.isFinite(bench.rate())).toBe(true);
    expect(bench.rate()).toBeGreaterThanOrEqual(0);
  }
});

test('the shift of z is that of the probability among buckets that are not empty', () => {
  const probabilities = Float64Array.of(0.025, 0.1, 0.5, 0.9, 0.975);
  const shift = createPositiveShift(probabilities);
  for (const [i, p] of probabilities.entries()) {
    expect(shift(i, 0)).toBe(0);
    for (let part = 0; part <= 0.9; part += 0.013) {
      const exact = normalQuantile((p - part * p) / (1 - part * p)) - normalQuantile(p);
      expect(Math.abs(shift(i, part * p) - exact)).toBeLessThan(0.01);
    }
    expect(Number.isFinite(shift(i, p * (1 - 1e-12)))).toBe(true);
  }
});
