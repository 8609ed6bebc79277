import { expect, test } from 'vitest';
import { createCombination } from '../../src/models/combine.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { createLayout } from '../../src/stats/layout.ts';
import { createSlab } from '../../src/stats/slab.ts';

const EXPERTS = 3;

function createBench(priors: readonly number[] = [1, 1, 2]) {
  const layout = createLayout();
  const combination = createCombination(layout, { bands: 2, priors });
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

test('the experts may come in any order', () => {
  const random = createRandom('order');
  const plain = createBench([1, 1, 2]);
  const turned = createBench([2, 1, 1]);
  for (let i = 0; i < 100; i++) {
    const [a, b, c] = [10 + random.normal(), 12 + random.normal(), 9 + random.normal()];
    const y = 10 + random.normal();
    plain.learn([a, b, c], y);
    turned.learn([c, b, a], y);
  }
  for (const [k, weight] of plain.weights().entries())
    expect(weight).toBeCloseTo(turned.weights()[2 - k]!, 4);
});

/** Three experts of which another one is right in every stretch of 150: excess loss over the one that is. */
function excessOverSwitches(seed: string): { ours: number; equal: number } {
  const random = createRandom(seed);
  const bench = createBench([1, 1, 1]);
  let ours = 0;
  let equal = 0;
  const rounds = 1_200;
  for (let i = 0; i < rounds; i++) {
    const right = Math.floor(i / 150) % 3;
    const y = 20 + random.normal();
    const forecasts = [0, 1, 2].map((k) => (k === right ? 20 : 20 + 4 * (k - 1.5)));
    const mean = bench.weights().reduce((sum, weight, k) => sum + weight * forecasts[k]!, 0);
    const best = Math.abs(20 - y);
    ours += Math.abs(mean - y) - best;
    equal += Math.abs((forecasts[0]! + forecasts[1]! + forecasts[2]!) / 3 - y) - best;
    bench.learn(forecasts, y);
  }
  return { ours: ours / rounds, equal: equal / rounds };
}

test.each(['switch a', 'switch b', 'switch c'])(
  'over switches it loses little to who was right: %s',
  (seed) => {
    const { ours, equal } = excessOverSwitches(seed);
    expect(ours).toBeLessThan(0.25);
    expect(ours).toBeLessThan(0.5 * equal);
  },
);

test('begins with what was earned elsewhere, and forgets it for its own evidence', () => {
  const bench = createBench();
  bench.combination.begin(bench.slab, 0, 0, Float64Array.of(9, 9, 0.6, 0.4, 0), 2);
  for (const [k, weight] of [0.6, 0.4, 0].entries())
    expect(Math.abs(bench.weights()[k]! - weight)).toBeLessThan(0.03);
  expect(bench.combination.begun(bench.slab, 0, 0)).toBe(true);
  expect(bench.combination.begun(bench.slab, 0, 1)).toBe(false);
  const random = createRandom('own evidence');
  for (let i = 0; i < 150; i++) bench.learn([16, 13, 10], 10 + random.normal());
  expect(bench.weights()[2]).toBeGreaterThan(0.6);
});
