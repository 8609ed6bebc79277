import { describe, expect, test } from 'vitest';
import type { EngineSpec, ExternalPaths } from '../../src/models/engine.ts';
import { createEngine, createForecastBuffer, createScoredBuffer } from '../../src/models/engine.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { createSlab } from '../../src/stats/slab.ts';
import { DAY, HOUR, WEEK, windowAt } from './engine-specs.ts';

const EXTERNAL = [
  { name: 'seer', family: 'external', prior: 1 },
  { name: 'fool', family: 'external', prior: 1 },
];
const LENGTH = { '15min': 800, hour: 420, day: 120, week: 160 };

/** Folds the values, each step with the paths that `pathsAt` gives for it. */
function learn(spec: EngineSpec, values: readonly number[], pathsAt: (i: number) => ExternalPaths) {
  const engine = createEngine(spec);
  const slab = createSlab(engine.words);
  engine.init(slab, 0);
  const scored = createScoredBuffer(engine);
  for (const [i, y] of values.entries()) {
    engine.step(slab, 0, y, windowAt(spec, i), scored, pathsAt(i));
  }
  const weightsOf = (band: number): Float64Array => {
    const weights = new Float64Array(engine.experts.length);
    engine.weights(slab, 0, band, weights);
    return weights;
  };
  const forecastWith = (paths: ExternalPaths) => {
    const out = createForecastBuffer(spec);
    engine.forecast(slab, 0, windowAt(spec, values.length - 1), out, paths);
    return out;
  };
  return { engine, slab, weightsOf, forecastWith };
}

describe.each([DAY, HOUR, WEEK])('external experts, $granularity', (plain) => {
  const spec = { ...plain, external: EXTERNAL };
  const { horizon } = spec;
  const random = createRandom('external', spec.granularity);
  const values = Array.from({ length: LENGTH[spec.granularity] }, () => random.poisson(20));
  const silence = new Float64Array(2 * horizon).fill(Number.NaN);
  /** The first knows the future, the second says what `fool` says. */
  const seeing = (fool: number) => (i: number) =>
    Float64Array.from({ length: 2 * horizon }, (_, j) => (j < horizon ? (values[i + 1 + j] ?? 20) : fool));

  test('stand after the built-in ones, by name', () => {
    const { experts, layout } = createEngine(spec);
    expect(experts.slice(0, -2)).toEqual(createEngine(plain).experts);
    expect(experts.slice(-2).map(({ name }) => name)).toEqual(['seer', 'fool']);
    const renamed = createEngine({ ...plain, external: [EXTERNAL[0]!, { ...EXTERNAL[1]!, name: 'sage' }] });
    expect(renamed.layout).not.toBe(layout);
  });

  test('one that is right gains what one that is wrong loses', () => {
    const run = learn(spec, values, seeing(0));
    const weights = run.weightsOf(0);
    const [seer, fool] = [weights.at(-2)!, weights.at(-1)!];
    expect(seer).toBe(Math.max(...weights));
    expect(fool).toBeLessThan(0.01);
    const { mean } = run.forecastWith(new Float64Array(2 * horizon).fill(20));
    const { mean: higher } = run.forecastWith(
      Float64Array.from({ length: 2 * horizon }, (_, j) => (j < horizon ? 24 : 20)),
    );
    expect(higher[0]! - mean[0]!).toBeCloseTo(4 * seer, 9);
  });

  test('who is silent counts for nothing now: the others share its weight', () => {
    const run = learn(spec, values, seeing(0));
    const means = new Float64Array(run.engine.experts.length * horizon);
    run.engine.expertMeans(run.slab, 0, windowAt(spec, values.length - 1), means, silence);
    expect(means.subarray(-2 * horizon).every(Number.isNaN)).toBe(true);
    const { mean } = run.forecastWith(silence);
    const awake = run.engine.experts.length - 2;
    for (const [b, { fromStep, toStep }] of run.engine.bands.entries()) {
      const weights = run.weightsOf(b).subarray(0, awake);
      const total = weights.reduce((sum, w) => sum + w, 0);
      for (let step = fromStep; step <= toStep; step++) {
        const weighed = weights.reduce((sum, w, k) => sum + w * means[k * horizon + step - 1]!, 0);
        expect(mean[step - 1]).toBeCloseTo(weighed / total, 9);
      }
    }
  });

  test('who never speaks keeps the standing of a stranger, and no paths mean silence', () => {
    const silent = learn(spec, values, () => silence);
    const none = learn(spec, values, () => new Float64Array(0));
    expect(none.slab.f64).toEqual(silent.slab.f64);
    expect(none.forecastWith(new Float64Array(0))).toEqual(silent.forecastWith(silence));
    const [one, other] = silent.weightsOf(0).slice(-2);
    expect(one).toBe(other);
    expect(one).toBeGreaterThan(0);
  });

  test('whatever it says, forecasts are finite and within sight of the series', () => {
    const wild = [1e300, -1e300, Infinity, -Infinity, Number.NaN, 0, 20];
    const run = learn(spec, values, (i) =>
      Float64Array.from({ length: 2 * horizon }, (_, j) => wild[(i + j) % wild.length]!),
    );
    const { mean, quantiles } = run.forecastWith(new Float64Array(2 * horizon).fill(Infinity));
    const highest = 2 * Math.max(...values);
    for (const value of mean) expect(value >= 0 && value <= highest).toBe(true);
    expect(quantiles.every(Number.isFinite)).toBe(true);
  });

  test('the same buckets and paths give the same bits', () => {
    const [one, other] = [1, 2].map(() => learn(spec, values, seeing(7)));
    expect(one!.slab.f64).toEqual(other!.slab.f64);
  });
});
