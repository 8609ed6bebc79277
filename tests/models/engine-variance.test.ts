import { describe, expect, test } from 'vitest';
import { createEngine, createForecastBuffer, createScoredBuffer } from '../../src/models/engine.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { createSlab } from '../../src/stats/slab.ts';

const SPEC = {
  granularity: 'day',
  season: 7,
  shortSeason: 7,
  horizon: 28,
  probabilities: [0.1, 0.5, 0.9],
} as const;
const CALENDAR = { slot: 0, ahead: new Int32Array(28) };

function learned(yOf: (t: number) => number, buckets = 300) {
  const engine = createEngine(SPEC);
  const slab = createSlab(engine.words);
  engine.init(slab, 0);
  const scored = createScoredBuffer(engine);
  for (let t = 0; t < buckets; t++) engine.step(slab, 0, yOf(t), CALENDAR, scored);
  return (step: number, mean: number) => engine.variance(slab, 0, step, mean);
}

describe('the variance of a forecast’s error', () => {
  test('is near that of the series where nothing but its level can be known', () => {
    const random = createRandom('variance');
    const variance = learned(() => random.poisson(20));
    for (const step of [1, 3, 13, 28]) {
      expect(variance(step, 20)).toBeGreaterThan(10);
      expect(variance(step, 20)).toBeLessThan(40);
    }
  });

  test('rises with what is forecast', () => {
    const random = createRandom('variance');
    const variance = learned(() => random.poisson(20));
    for (const step of [1, 7, 28]) expect(variance(step, 40)).toBeGreaterThan(1.5 * variance(step, 20));
  });

  test('goes with the square of the unit', () => {
    const series = (scale: number) => {
      const random = createRandom('unit');
      return learned(() => scale * random.poisson(9));
    };
    expect(series(100)(2, 900) / (1e4 * series(1)(2, 9))).toBeCloseTo(1, 4);
  });

  test('is finite before anything was scored, and none for a series of zeros', () => {
    expect(learned(() => 5, 1)(28, 5)).toBeGreaterThan(0);
    expect(learned(() => 0)(28, 0)).toBe(0);
    const untouched = createEngine(SPEC);
    const slab = createSlab(untouched.words);
    untouched.init(slab, 0);
    untouched.forecast(slab, 0, CALENDAR, createForecastBuffer(SPEC));
    expect(Number.isFinite(untouched.variance(slab, 0, 1, 0))).toBe(true);
  });
});
