import { expect, test } from 'vitest';
import { createEngine, createScoredBuffer } from '../../src/models/engine.ts';
import { standingsOf } from '../../src/models/standing.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { createSlab } from '../../src/stats/slab.ts';
import { DAY, windowAt } from './engine-specs.ts';

const VOICES = [
  { family: 'naive', prior: 1 },
  { family: 'theta', prior: 3 },
  { family: 'intermittent', prior: 0.5 },
  { family: 'intermittent', prior: 0.5 },
];

test.each([
  ['day', 'smooth', [0.2, 0.6, 0.1, 0.1]],
  ['day', 'erratic', [0.2, 0.6, 0.1, 0.1]],
  ['day', 'intermittent', [0.125, 0.375, 0.25, 0.25]],
  ['week', 'lumpy', [0.125, 0.375, 0.25, 0.25]],
  ['hour', 'lumpy', [0.2, 0.6, 0.1, 0.1]],
  ['15min', 'intermittent', [0.2, 0.6, 0.1, 0.1]],
] as const)('%s, %s', (granularity, demand, expected) => {
  for (const [i, value] of standingsOf(granularity, VOICES)[demand].entries()) {
    expect(value).toBeCloseTo(expected[i]!, 12);
  }
});

test.each([
  ['intermittent', 0.15, [0.3, 0.7]],
  ['smooth', 1, [0, 0.2]],
] as const)(
  'the engine tells %s demand and leans on the experts made for it',
  (demand, chance, [least, most]) => {
    const random = createRandom('standing', demand);
    const engine = createEngine(DAY);
    const slab = createSlab(engine.words);
    engine.init(slab, 0);
    const scored = createScoredBuffer(engine);
    for (let i = 0; i < 60; i++) {
      const y = random.uniform() < chance ? 3 + random.poisson(2) : 0;
      engine.step(slab, 0, y, windowAt(DAY, i), scored);
    }
    expect(engine.demandClass(slab, 0)).toBe(demand);
    const weights = new Float64Array(engine.experts.length);
    engine.weights(slab, 0, 3, weights);
    const made = weights.filter((_, k) => engine.experts[k]!.family === 'intermittent');
    const together = made.reduce((sum, weight) => sum + weight, 0);
    expect(together).toBeGreaterThan(least);
    expect(together).toBeLessThan(most);
  },
);
