import { expect, test } from 'vitest';
import type { Band, EngineSpec, SeriesScores } from '../../src/models/engine.ts';
import { createEngine, createForecastBuffer, createScoredBuffer } from '../../src/models/engine.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { createSlab } from '../../src/stats/slab.ts';
import { DAY, HOUR, windowAt } from './engine-specs.ts';

function fold(spec: EngineSpec, values: readonly number[], slots?: readonly number[]) {
  const engine = createEngine(spec);
  const slab = createSlab(engine.words);
  engine.init(slab, 0);
  const scored = createScoredBuffer(engine);
  for (const [i, y] of values.entries()) engine.step(slab, 0, y, windowAt(spec, i, slots), scored);
  const out = createForecastBuffer(spec);
  engine.forecast(slab, 0, windowAt(spec, values.length - 1, slots), out);
  return { engine, slab, out };
}

/** Covered share of the issued one-step intervals of Poisson sales with a weekly shape, after a start of 300 days. */
function coverageOfPoisson(seed: string, mean: number, days: number) {
  const random = createRandom(seed);
  const engine = createEngine(DAY);
  const slab = createSlab(engine.words);
  engine.init(slab, 0);
  const scored = createScoredBuffer(engine);
  let inside80 = 0;
  let inside95 = 0;
  for (let i = 0; i < 300 + days; i++) {
    const y = random.poisson(mean * (i % 7 >= 5 ? 1.6 : 0.8));
    engine.step(slab, 0, y, windowAt(DAY, i), scored);
    if (i < 300) continue;
    const q = scored.quantiles;
    if (y >= q[2]! && y <= q[6]!) inside80++;
    if (y >= q[0]! && y <= q[8]!) inside95++;
  }
  return { inside80: inside80 / days, inside95: inside95 / days };
}

test.each([
  ['poisson-a', 8],
  ['poisson-b', 40],
  ['poisson-c', 400],
])('intervals cover as often as they say, within binomial error: seed %s, mean %d', (seed, mean) => {
  const days = 3_000;
  const { inside80, inside95 } = coverageOfPoisson(seed, mean, days);
  const error = (p: number): number => 3 * Math.sqrt((p * (1 - p)) / days);
  expect(Math.abs(inside80 - 0.8)).toBeLessThan(error(0.8));
  expect(Math.abs(inside95 - 0.95)).toBeLessThan(error(0.95));
});

test('where zeros are frequent intervals cover at least as often as they say', () => {
  const { inside80, inside95 } = coverageOfPoisson('poisson-rare', 0.5, 2_000);
  expect(inside80).toBeGreaterThan(0.78);
  expect(inside95).toBeGreaterThan(0.935);
});

test('beats seasonal naive on noisy seasonal sales, by its own scores', () => {
  const random = createRandom('skill');
  const values = Array.from({ length: 400 }, (_, i) => random.poisson(10 + 5 * (i % 7)));
  const { engine, slab } = fold(DAY, values);
  for (const [b, band] of engine.bands.entries()) expectSkilful(band, engine.scores(slab, 0, b));
});

function expectSkilful(band: Band, scores: SeriesScores): void {
  expect(scores.skill, band.name).toBeGreaterThan(0.15);
  expect(scores.mase, band.name).toBeLessThan(0.85);
  expect(Math.abs(scores.bias), band.name).toBeLessThan(1);
}

/** Slots of local hours over a year with one 23-hour Sunday (slot 146 skipped) and one of 25 (slot 146 twice). */
function slotsWithClockChanges(weeks: number): number[] {
  const slots: number[] = [];
  for (let week = 0; week < weeks; week++) {
    for (let slot = 0; slot < 168; slot++) {
      if (week === 3 && slot === 146) continue;
      slots.push(slot);
      if (week === 5 && slot === 146) slots.push(slot);
    }
  }
  return slots;
}

test('hours skipped and repeated by a clock change shift nothing', () => {
  const slots = slotsWithClockChanges(9);
  const usual = (slot: number): number => (slot % 24 < 8 ? 0 : 20 + (slot % 24)) * (slot >= 144 ? 2 : 1);
  const { out } = fold(HOUR, slots.map(usual), slots);
  const ahead = windowAt(HOUR, slots.length - 1, slots).ahead;
  for (const [h, slot] of ahead.entries()) {
    expect(Math.abs(out.mean[h]! - usual(slot))).toBeLessThan(0.05 * usual(slot) + 0.5);
  }
});

test('an hourly series has the shape of its day after one day', () => {
  const usual = (i: number): number => (i % 24 < 8 ? 0 : 30);
  const { out } = fold(
    HOUR,
    Array.from({ length: 24 }, (_, i) => usual(i)),
  );
  expect(out.mean[3]).toBeLessThan(6);
  expect(out.mean[15]).toBeGreaterThan(20);
});

test('slot means and dispersion tell the shape and spread of the series', () => {
  const random = createRandom('dispersion');
  const values = Array.from({ length: 700 }, (_, i) => random.poisson(20 + 10 * (i % 7)));
  const { engine, slab } = fold(DAY, values);
  for (let slot = 0; slot < 7; slot++) {
    expect(Math.abs(engine.slotMean(slab, 0, slot) - (20 + 10 * slot))).toBeLessThan(8);
  }
  expect(engine.dispersion(slab, 0)).toBeGreaterThan(0.7);
  expect(engine.dispersion(slab, 0)).toBeLessThan(1.6);
  expect(engine.count(slab, 0)).toBe(700);
});

test.each([
  ['smooth', 1, 20],
  ['erratic', 1, 1.5],
  ['intermittent', 0.2, 20],
] as const)('tells that demand is %s', (demand, chance, mean) => {
  const random = createRandom('demand', demand);
  const values = Array.from({ length: 400 }, () =>
    random.uniform() < chance ? 1 + random.poisson(mean) ** 2 : 0,
  );
  const { engine, slab } = fold(DAY, values);
  expect(engine.demandClass(slab, 0)).toBe(demand);
});

test.each([1, 2, 3])('a shift of 30 %% is followed within a season, seed %d', (seed) => {
  const random = createRandom('shift', String(seed));
  const usual = (i: number): number => 100 + 40 * Math.sin((2 * Math.PI * (i % 7)) / 7);
  const before = Array.from({ length: 200 }, (_, i) => random.poisson(usual(i)));
  const after = Array.from({ length: 7 }, (_, i) => random.poisson(1.3 * usual(200 + i)));
  const { out } = fold(DAY, [...before, ...after]);
  const week = out.mean.subarray(0, 7).reduce((sum, mean) => sum + mean, 0) / 700;
  expect(week).toBeGreaterThan(1.15);
  expect(week).toBeLessThan(1.45);
});

test('one bucket of a hundred times the usual moves the next forecasts by less than half, and is gone in a month', () => {
  const random = createRandom('hundredfold');
  const usual = Array.from({ length: 200 }, () => random.poisson(100));
  const mean = (values: readonly number[]): number =>
    fold(DAY, values).out.mean.reduce((sum, value) => sum + value, 0) / DAY.horizon;
  expect(mean([...usual, 10_000])).toBeLessThan(150);
  const month = Array.from({ length: 28 }, () => random.poisson(100));
  expect(Math.abs(mean([...usual, 10_000, ...month]) - 100)).toBeLessThan(12);
});

type Chance = ReturnType<typeof createRandom>;

const WORLDS: readonly (readonly [string, (random: Chance, i: number) => number])[] = [
  ['lognormal', (random, i) => (i % 7 >= 5 ? 160 : 80) * Math.exp(0.3 * random.normal())],
  ['heavy tails', (random) => Math.max(0, 200 + (20 * random.normal()) / Math.sqrt(random.uniform()))],
  ['negative binomial', (random) => random.poisson(-60 * Math.log(1 - random.uniform()))],
  ['trend', (random, i) => random.poisson(50 + 0.1 * i)],
];

test.each(WORLDS)('intervals cover as often as they say: %s', (name, draw) => {
  const random = createRandom('world', name);
  const engine = createEngine(DAY);
  const slab = createSlab(engine.words);
  engine.init(slab, 0);
  const scored = createScoredBuffer(engine);
  const days = 3_000;
  const below = DAY.probabilities.map(() => 0);
  for (let i = 0; i < 400 + days; i++) {
    const y = draw(random, i);
    engine.step(slab, 0, y, windowAt(DAY, i), scored);
    if (i >= 400) for (let k = 0; k < below.length; k++) below[k]! += y <= scored.quantiles[k]! ? 1 : 0;
  }
  const share = (k: number): number => below[k]! / days;
  const error = (p: number): number => 3 * Math.sqrt((p * (1 - p)) / days);
  expect(Math.abs(share(6) - share(2) - 0.8)).toBeLessThan(error(0.8));
  expect(Math.abs(share(8) - share(0) - 0.95)).toBeLessThan(error(0.95));
  for (const [k, p] of DAY.probabilities.entries())
    expect(Math.abs(share(k) - p)).toBeLessThan(error(p) + 0.01);
});

test('a series that starts from the standing of its siblings speaks with their experts first', () => {
  const random = createRandom('siblings');
  const { engine, slab } = fold(
    DAY,
    Array.from({ length: 400 }, (_, i) => random.poisson(10 + 5 * (i % 7))),
  );
  const experts = engine.experts.length;
  const standing = new Float64Array(engine.bands.length * experts);
  for (let b = 0; b < engine.bands.length; b++) {
    engine.weights(slab, 0, b, standing.subarray(b * experts, (b + 1) * experts));
  }
  const young = createSlab(engine.words);
  engine.init(young, 0, standing);
  const weights = new Float64Array(experts);
  for (let b = 0; b < engine.bands.length; b++) {
    engine.weights(young, 0, b, weights);
    for (const [k, weight] of weights.entries()) {
      expect(Math.abs(weight - standing[b * experts + k]!)).toBeLessThan(0.03);
    }
  }
});
