import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Engine, EngineSpec } from '../../src/models/engine.ts';
import { createEngine, createForecastBuffer, createScoredBuffer } from '../../src/models/engine.ts';
import { createRandom } from '../../src/simulator/random.ts';
import type { Slab } from '../../src/stats/slab.ts';
import { createSlab } from '../../src/stats/slab.ts';
import { DAY, HOUR, WEEK, windowAt } from './engine-specs.ts';

type Run = { engine: Engine; slab: Slab; at: number };

function start(spec: EngineSpec, at = 0): Run {
  const engine = createEngine(spec);
  const slab = createSlab(at + engine.words + 3);
  engine.init(slab, at);
  return { engine, slab, at };
}

function learn(run: Run, values: readonly number[], from = 0): Run {
  const scored = createScoredBuffer(run.engine);
  for (const [i, y] of values.entries()) {
    run.engine.step(run.slab, run.at, y, windowAt(run.engine.spec, from + i), scored);
  }
  return run;
}

function forecastOf({ engine, slab, at }: Run, steps: number) {
  const out = createForecastBuffer(engine.spec);
  engine.forecast(slab, at, windowAt(engine.spec, Math.max(0, steps - 1)), out);
  return out;
}

function bits({ engine, slab, at }: Run): BigUint64Array {
  return new BigUint64Array(slab.f64.slice(at, at + engine.words).buffer);
}

function expectSane(run: Run, steps: number): void {
  const { mean, quantiles } = forecastOf(run, steps);
  expect(mean.every(Number.isFinite) && quantiles.every(Number.isFinite)).toBe(true);
  const count = run.engine.spec.probabilities.length;
  for (let i = 0; i < quantiles.length; i++) {
    if (i % count > 0) expect(quantiles[i]).toBeGreaterThanOrEqual(quantiles[i - 1]!);
  }
}

/** A shop's bucket counts: a calendar shape, Poisson chance, now and then a return. */
function shopSales(spec: EngineSpec, length: number, seed: string): number[] {
  const random = createRandom(seed);
  return Array.from({ length }, (_, i) => {
    const shape = 1 + Math.sin((2 * Math.PI * (i % spec.shortSeason)) / spec.shortSeason);
    return random.poisson(6 * shape) - (random.uniform() < 0.02 ? 3 : 0);
  });
}

const SPECS = [DAY, HOUR, WEEK];
const LENGTH = { '15min': 800, hour: 420, day: 120, week: 160 };

describe.each(SPECS)('engine, $granularity', (spec) => {
  const length = LENGTH[spec.granularity];

  test('any finite input gives finite forecasts whose quantiles do not cross', () => {
    const value = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(0, -0, 1, 1e12, -1e12, 1e308, -1e308, 5e-324, 1e-300),
      fc.integer({ min: -50, max: 500 }),
    );
    fc.assert(
      fc.property(fc.array(value, { maxLength: 60 }), (values) =>
        expectSane(learn(start(spec), values), values.length),
      ),
      { numRuns: 60 },
    );
  });

  test.each([
    ['all zeros', () => 0],
    ['constant', () => 7],
    ['huge', (i: number) => 1e12 + 1e11 * (i % 3)],
    ['only returns', (i: number) => -(i % 5)],
    ['sparse', (i: number) => (i % 41 === 40 ? 3 : 0)],
    ['growing by half each bucket', (i: number) => 1.5 ** Math.min(i, 80)],
    ['long silence, then sales', (i: number) => (i > 100 ? 50 : 0)],
    ['sales, then silence', (i: number) => (i < 60 ? 50 : 0)],
    ['alternating signs', (i: number) => (i % 2 === 0 ? 1e6 : -1e6)],
    ['denormal', () => 5e-324],
    ['as large as is learned, now and then', (i: number) => (i % 17 === 0 ? 1e15 : 1)],
    ['a single spike', (i: number) => (i === 40 ? 1e9 : 0)],
    ['alternating sizes', (i: number) => (i % 2 === 0 ? 1e-9 : 1e9)],
    ['a single empty bucket', (i: number) => (i === 50 ? 0 : 12)],
    ['mostly empty, with returns', (i: number) => (i % 9 === 0 ? 4 : i % 31 === 0 ? -2 : 0)],
  ])('stays sane after every bucket: %s', (_, value) => {
    const run = start(spec);
    for (let i = 0; i < length; i++) {
      learn(run, [value(i)], i);
      if (i % 13 === 0 || i === length - 1) expectSane(run, i + 1);
    }
  });

  test('a series of zeros is forecast as exactly zero', () => {
    const { mean, quantiles } = forecastOf(learn(start(spec), Array(length).fill(0)), length);
    expect([...mean, ...quantiles].every((value) => value === 0)).toBe(true);
  });

  test('a series that never went below zero has no quantile below zero', () => {
    const random = createRandom('non-negative');
    const values = Array.from({ length }, () => random.poisson(0.3));
    const { mean, quantiles } = forecastOf(learn(start(spec), values), length);
    expect(Math.min(...mean, ...quantiles)).toBeGreaterThanOrEqual(0);
  });

  test('one wild bucket leaves the forecasts within sight of the past, and is forgotten', () => {
    const usual = (i: number): number => 90 + (i % 21);
    const run = learn(
      start(spec),
      Array.from({ length }, (_, i) => usual(i)),
    );
    learn(run, [1e12], length);
    const after = forecastOf(run, length + 1);
    expect(Math.max(...after.mean)).toBeLessThan(1_000);
    const weeks = 6 * spec.season;
    learn(
      run,
      Array.from({ length: weeks }, (_, i) => usual(length + 1 + i)),
      length + 1,
    );
    const later = forecastOf(run, length + 1 + weeks);
    expect(Math.max(...later.mean)).toBeLessThan(150);
    expect(Math.min(...later.mean)).toBeGreaterThan(70);
  });

  test('a shift to a thousand times the level is followed', () => {
    const run = learn(start(spec), Array(length).fill(10));
    learn(run, Array(2 * spec.season).fill(10_000), length);
    const { mean } = forecastOf(run, length + 2 * spec.season);
    expect(mean[0]).toBeGreaterThan(5_000);
    expect(mean[0]).toBeLessThan(20_000);
  });

  test('one bucket at a time, or again from scratch between other series: the same bits', () => {
    const values = shopSales(spec, length, 'fold');
    const alone = learn(start(spec), values);
    const engine = createEngine(spec);
    const slab = createSlab(3 * engine.words);
    const runs = [0, 1, 2].map((i) => ({ engine, slab, at: i * engine.words }));
    for (const run of runs) engine.init(slab, run.at);
    for (const [i, y] of values.entries()) {
      for (const [r, run] of runs.entries()) learn(run, [r === 1 ? y : i % 7], i);
      if (i % 10 === 0) forecastOf(runs[0]!, i + 1);
    }
    expect(bits(runs[1]!)).toEqual(bits(alone));
    expect(forecastOf(runs[1]!, length)).toEqual(forecastOf(alone, length));
  });

  test('a record copied to another place of another slab goes on with the same bits', () => {
    const values = shopSales(spec, length, 'copy');
    const half = Math.floor(length / 2);
    const original = learn(start(spec), values.slice(0, half));
    const copy = start(spec, 29);
    copy.slab.f64.set(original.slab.f64.subarray(0, original.engine.words), 29);
    expect(bits(copy)).toEqual(bits(original));
    learn(original, values.slice(half), half);
    learn(copy, values.slice(half), half);
    expect(bits(copy)).toEqual(bits(original));
    expect(forecastOf(copy, length)).toEqual(forecastOf(original, length));
  });

  test('reads nothing but its arguments and writes only its record and its buffer', () => {
    const run = start(spec, 5);
    run.slab.f64.fill(4711, 0, 5);
    run.slab.f64.fill(4711, 5 + run.engine.words);
    learn(run, shopSales(spec, length, 'bounds'));
    const before = bits(run);
    const calendar = windowAt(spec, length - 1);
    const ahead = [...calendar.ahead];
    run.engine.forecast(run.slab, run.at, calendar, createForecastBuffer(spec));
    run.engine.weights(run.slab, run.at, 0, new Float64Array(run.engine.experts.length));
    run.engine.scores(run.slab, run.at, 0);
    expect(bits(run)).toEqual(before);
    expect([...calendar.ahead]).toEqual(ahead);
    expect([...run.slab.f64.subarray(0, 5), ...run.slab.f64.subarray(5 + run.engine.words)]).toEqual(
      Array(8).fill(4711),
    );
  });

  test('is scale equivariant: four times the sales are four times the forecast, to the bit', () => {
    const values = shopSales(spec, length, 'scale');
    const plain = forecastOf(learn(start(spec), values), length);
    const scaled = forecastOf(
      learn(
        start(spec),
        values.map((y) => 4 * y),
      ),
      length,
    );
    expect([...scaled.mean]).toEqual([...plain.mean].map((value) => 4 * value));
    expect([...scaled.quantiles]).toEqual([...plain.quantiles].map((value) => 4 * value));
  });

  test('what is scored is what was forecast before the bucket was known', () => {
    const values = shopSales(spec, length, 'prequential');
    const { engine, slab, at } = start(spec);
    const scored = createScoredBuffer(engine);
    const issued: Float64Array[] = [];
    const seen = engine.bands.map(() => 0);
    for (const [i, y] of values.entries()) {
      const mask = engine.step(slab, at, y, windowAt(spec, i), scored);
      for (const [b, band] of engine.bands.entries()) {
        if (((mask >> b) & 1) === 0) continue;
        seen[b]! += 1;
        const origin = issued[i - band.scoredStep]!;
        expect(scored.mean[b]).toBe(Math.fround(origin[band.scoredStep - 1]!));
      }
      issued.push(Float64Array.from(forecastOf({ engine, slab, at }, i + 1).mean));
    }
    expect(seen.every((count, b) => count === engine.scores(slab, at, b).n && count > 0)).toBe(true);
  });

  test('the bucket itself does not move its own score', () => {
    const values = shopSales(spec, length, 'leak');
    const results = [1e6, -1e6].map((last) => {
      const run = learn(start(spec), values);
      const scored = createScoredBuffer(run.engine);
      run.engine.step(run.slab, run.at, last, windowAt(spec, length), scored);
      return scored;
    });
    expect(results[0]).toEqual(results[1]);
  });

  test('weights are positive and sum to one in every band, also before anything was scored', () => {
    for (const count of [0, 1, length]) {
      const run = learn(start(spec), shopSales(spec, count, 'weights'));
      const weights = new Float64Array(run.engine.experts.length);
      for (let b = 0; b < run.engine.bands.length; b++) {
        run.engine.weights(run.slab, run.at, b, weights);
        expect(weights.every((weight) => weight > 0)).toBe(true);
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
      }
    }
  });

  test('forecasts what its experts forecast, weighed', () => {
    const run = learn(start(spec), shopSales(spec, length, 'experts'));
    const { engine, slab, at } = run;
    const { horizon } = spec;
    const experts = new Float64Array(engine.experts.length * horizon);
    engine.expertMeans(slab, at, windowAt(spec, length - 1), experts);
    const weights = new Float64Array(engine.experts.length);
    const { mean } = forecastOf(run, length);
    for (const [b, { fromStep, toStep }] of engine.bands.entries()) {
      engine.weights(slab, at, b, weights);
      for (let step = fromStep; step <= toStep; step++) {
        const weighed = weights.reduce((sum, w, k) => sum + w * experts[k * horizon + step - 1]!, 0);
        expect(mean[step - 1]).toBeCloseTo(weighed, 9);
      }
    }
  });

  test('fits in its memory', () => {
    expect(createEngine(spec).words).toBeLessThanOrEqual(512);
  });

  test('a number that is none is refused before it can touch the record', () => {
    const run = learn(start(spec), [1, 2, 3]);
    const before = bits(run);
    for (const y of [Number.NaN, Infinity, -Infinity]) expect(() => learn(run, [y], 3)).toThrow(RangeError);
    expect(bits(run)).toEqual(before);
  });
});

test('layouts differ where records mean something else', () => {
  const texts = [DAY, HOUR, { ...DAY, horizon: 14 }, { ...DAY, probabilities: [0.1, 0.9] }].map(
    (spec) => createEngine(spec).layout,
  );
  expect(new Set(texts).size).toBe(texts.length);
  expect(createEngine(DAY).layout).toBe(texts[0]);
});

test.each([
  { ...DAY, horizon: 0 },
  { ...DAY, shortSeason: 2 },
  { ...DAY, probabilities: [0.9, 0.1] },
  { ...DAY, probabilities: [0, 0.5] },
])('an impossible specification is refused: %o', (spec) => {
  expect(() => createEngine(spec)).toThrow(RangeError);
});
