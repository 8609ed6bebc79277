/** Intervals of sums, by simulation: leaves that have good and bad days together. */
import { expect, test } from 'vitest';
import type { Groups } from '../../src/hierarchy/groups.ts';
import { addUp, sumCount } from '../../src/hierarchy/groups.ts';
import { moveTo } from '../../src/hierarchy/move-to.ts';
import { createReconciler } from '../../src/hierarchy/reconcile.ts';
import { createEngine, createForecastBuffer, createScoredBuffer } from '../../src/models/engine.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { createSlab } from '../../src/stats/slab.ts';

/** Three stores × three categories and the chain. */
const GROUPS: Groups = {
  leaves: 9,
  dimensions: [
    { sums: 1, sumOf: new Int32Array(9) },
    { sums: 3, sumOf: Int32Array.from({ length: 9 }, (_, i) => Math.floor(i / 3)) },
    { sums: 3, sumOf: Int32Array.from({ length: 9 }, (_, i) => i % 3) },
  ],
};
const NODES = 9 + sumCount(GROUPS);
const CHAIN = 9;
const LEARNED = 400;
const JUDGED = 800;

test('moved to the sum of its leaves a node’s own interval covers what it says; leaves’ intervals added up do not', () => {
  const spec = {
    granularity: 'day',
    season: 7,
    shortSeason: 7,
    horizon: 1,
    probabilities: [0.1, 0.5, 0.9],
  } as const;
  const engine = createEngine(spec);
  const slab = createSlab(NODES * engine.words);
  for (let i = 0; i < NODES; i++) engine.init(slab, i * engine.words);
  const scored = createScoredBuffer(engine);
  const reconciler = createReconciler(GROUPS, 'min-trace');
  const random = createRandom('quantiles');
  const y = new Float64Array(NODES);
  const inside = { moved: 0, ofStores: 0, sumOfQuantiles: 0, sumOfVariances: 0 };
  for (let t = 0; t < LEARNED + JUDGED; t++) {
    const day = Math.exp(0.15 * (random.uniform() + random.uniform() + random.uniform() - 1.5));
    for (let i = 0; i < 9; i++) y[i] = random.poisson((20 + 5 * i) * day);
    addUp(GROUPS, y.subarray(0, 9), y.subarray(9));
    const calendar = { slot: t % 7, ahead: Int32Array.of((t + 1) % 7) };
    if (t >= LEARNED) {
      const before = { slot: (t + 6) % 7, ahead: Int32Array.of(t % 7) };
      const own = Array.from({ length: NODES }, (_, i) => {
        const buffer = createForecastBuffer(spec);
        engine.forecast(slab, i * engine.words, before, buffer);
        return buffer;
      });
      const variance = Float64Array.from(own, ({ mean }, i) =>
        engine.variance(slab, i * engine.words, 1, mean[0]!),
      );
      const mean = Float64Array.from(own, (buffer) => buffer.mean[0]!);
      const step = {
        leafMean: mean.subarray(0, 9),
        leafVariance: variance.subarray(0, 9),
        sumMean: mean.subarray(9),
        sumVariance: variance.subarray(9),
      };
      reconciler.reconcile(step);
      for (const [i, buffer] of own.entries()) {
        moveTo(buffer, mean.subarray(i, i + 1));
        expect(buffer.quantiles).toEqual(buffer.quantiles.toSorted());
      }
      const covered = (low: number, high: number, actual: number): number =>
        actual >= low && actual <= high ? 1 : 0;
      const [low, , high] = own[CHAIN]!.quantiles as unknown as [number, number, number];
      inside.moved += covered(low, high, y[CHAIN]!);
      for (let s = 1; s <= 3; s++)
        inside.ofStores +=
          covered(own[CHAIN + s]!.quantiles[0]!, own[CHAIN + s]!.quantiles[2]!, y[CHAIN + s]!) / 3;
      const sum = (of: (i: number) => number): number =>
        Array.from({ length: 9 }, (_, i) => of(i)).reduce((a, b) => a + b);
      const total = mean[CHAIN]!;
      inside.sumOfQuantiles += covered(
        sum((i) => own[i]!.quantiles[0]!),
        sum((i) => own[i]!.quantiles[2]!),
        y[CHAIN]!,
      );
      const half =
        1.2816 * Math.sqrt(sum((i) => ((own[i]!.quantiles[2]! - own[i]!.quantiles[0]!) / 2.5631) ** 2));
      inside.sumOfVariances += covered(total - half, total + half, y[CHAIN]!);
    }
    for (let i = 0; i < NODES; i++) engine.step(slab, i * engine.words, y[i]!, calendar, scored);
  }
  // Three standard errors of 800 draws at 80 % are 4 points.
  expect(inside.moved / JUDGED).toBeGreaterThan(0.74);
  expect(inside.moved / JUDGED).toBeLessThan(0.86);
  expect(inside.ofStores / JUDGED).toBeGreaterThan(0.74);
  expect(inside.ofStores / JUDGED).toBeLessThan(0.86);
  expect(inside.sumOfQuantiles / JUDGED).toBeGreaterThan(0.88);
  expect(inside.sumOfVariances / JUDGED).toBeLessThan(0.72);
});
