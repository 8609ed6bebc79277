import { expect, test } from 'vitest';
import { createCombination } from '../../src/models/combine.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { createLayout } from '../../src/stats/layout.ts';
import { createSlab } from '../../src/stats/slab.ts';

const EXPERTS = 3;

function createBench() {
  const layout = createLayout();
  const combination = createCombination(layout, { bands: 2, priors: [1, 1, 2] });
  const place = 2 * layout.takeSingles('forecasts', EXPERTS);
  const slab = createSlab(layout.words());
  combination.init(slab, 0);
  const weights = (band = 0): number[] => {
    const out = new Float64Array(EXPERTS);
    combination.weights(slab, 0, band, out);
    return [...out];
  };
  return {
    combination,
    slab,
    weights,
    learn(forecasts: readonly number[], y: number): void {
      slab.f32.set(forecasts, place);
      const mean = weights().reduce((sum, weight, k) => sum + weight * forecasts[k]!, 0);
      combination.learn(slab, 0, 0, place, mean, 2, y);
    },
  };
}

test('begins with the priors', () => {
  expect(createBench().weights()).toEqual([0.25, 0.25, 0.5]);
});

test('goes to the better expert, to the next when that one gets better, and loses none', () => {
  const bench = createBench();
  const random = createRandom('better');
  for (let i = 0; i < 300; i++) bench.learn([10, 13, 16], 10 + random.normal());
  expect(bench.weights()[0]).toBeGreaterThan(0.7);
  for (let i = 0; i < 300; i++) bench.learn([10, 13, 16], 16 + random.normal());
  expect(bench.weights()[2]).toBeGreaterThan(0.7);
  expect(Math.min(...bench.weights())).toBeGreaterThan(0.001);
});

test('finds a mixture that is better than every expert', () => {
  const bench = createBench();
  const random = createRandom('mixture');
  for (let i = 0; i < 600; i++) bench.learn([7, 13, 30], 10 + random.normal());
  const [low, middle, high] = bench.weights();
  expect(Math.abs(7 * low! + 13 * middle! + 30 * high! - 10)).toBeLessThan(1);
});

test('a wild bucket does not choose the experts', () => {
  const bench = createBench();
  const random = createRandom('wild');
  for (let i = 0; i < 200; i++) bench.learn([10, 13, 16], 10 + random.normal());
  const before = bench.weights()[0]!;
  bench.learn([10, 13, 16], 1e12);
  expect(bench.weights()[0]).toBeGreaterThan(0.5 * before);
});

test('experts that agree keep their weights, a scale of nothing teaches nothing', () => {
  const bench = createBench();
  bench.learn([5, 5, 5], 9);
  bench.combination.learn(bench.slab, 0, 0, 0, 5, 0, 9);
  expect(bench.weights()).toEqual([0.25, 0.25, 0.5]);
});

test('a band can begin where another stands', () => {
  const bench = createBench();
  for (let i = 0; i < 50; i++) bench.learn([10, 13, 16], 10);
  bench.combination.inherit(bench.slab, 0, 1, 0);
  expect(bench.weights(1)).toEqual(bench.weights(0));
});
