/** What the engine finds of changes in a series, and how often it finds one where there is none. */
import { describe, expect, test } from 'vitest';
import { createDrift } from '../../src/models/drift.ts';
import type { DriftReading } from '../../src/models/drift.ts';
import { createEngine, createScoredBuffer } from '../../src/models/engine.ts';
import type { EngineSpec } from '../../src/models/engine.ts';
import type { Random } from '../../src/simulator/random.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { createLayout } from '../../src/stats/layout.ts';
import { createSlab } from '../../src/stats/slab.ts';
import { DAY, HOUR, windowAt } from './engine-specs.ts';

/** Sales of bucket i with a level of `level` times the usual. */
type Sales = (random: Random, i: number, level: number) => number;

const weekday = (day: number): number => 1 + 0.3 * Math.sin((2 * Math.PI * day) / 7);
const hourOfDay = (i: number): number => 1 + 0.9 * Math.sin((2 * Math.PI * i) / 24);
const hourly = (i: number): number => hourOfDay(i) * weekday(Math.floor(i / 24));
const heavy = (random: Random): number =>
  random.normal() / Math.hypot(random.normal(), random.normal(), random.normal());

function days(mean: number, noise: (random: Random) => number): Sales {
  return (random, i, level) => Math.max(0, mean * level * weekday(i) * (1 + noise(random)));
}

function regressive(rho: number, spread: number): (random: Random) => number {
  let last = 0;
  return (random) => {
    last = rho * last + Math.sqrt(1 - rho * rho) * random.normal();
    return spread * last;
  };
}

/** Poisson sales by the hour, where a whole day may be a good or a bad one. */
function hours(mean: number, daySpread = 0): Sales {
  let day = 1;
  return (random, i, level) => {
    if (i % 24 === 0) day = Math.exp(daySpread * random.normal());
    return random.poisson(mean * level * day * hourly(i));
  };
}

type Found = { readonly i: number; readonly reading: DriftReading };

/** Every drift found in `length` buckets, of which those from `shiftAt` on are at another level. */
function run(
  spec: EngineSpec,
  sales: Sales,
  plan: { seed: string; length: number; shiftAt?: number; level?: number },
): Found[] {
  const engine = createEngine(spec);
  const slab = createSlab(engine.words);
  engine.init(slab, 0);
  const scored = createScoredBuffer(engine);
  const random = createRandom(plan.seed);
  const found: Found[] = [];
  for (let i = 0; i < plan.length; i++) {
    const y = sales(random, i, i >= (plan.shiftAt ?? Infinity) ? (plan.level ?? 1) : 1);
    const before = engine.driftFound(slab, 0);
    engine.step(slab, 0, y, windowAt(spec, i), scored);
    const now = engine.driftFound(slab, 0);
    if (now !== 0 && now !== before) found.push({ i, reading: engine.drift(slab, 0)! });
  }
  return found;
}

const EPOCH = { '15min': 96, hour: 24, day: 1, week: 1 };
const WARM_DAYS = 100;
const SHIFTS = [1.3, 0.7];

type Kind = readonly [string, EngineSpec, () => Sales];

const CALM: readonly Kind[] = [
  ['days, 5 %', DAY, () => days(100, (r) => 0.05 * r.normal())],
  ['days, 10 %', DAY, () => days(100, (r) => 0.1 * r.normal())],
  ['days, Poisson of 100', DAY, () => (r, i, level) => r.poisson(100 * level * weekday(i))],
  ['days, 10 %, heavy-tailed', DAY, () => days(100, (r) => 0.1 * heavy(r))],
  ['days, 10 %, hanging together by 0.3', DAY, () => days(100, regressive(0.3, 0.1))],
  ['hours, Poisson of 20', HOUR, () => hours(20)],
  ['hours, Poisson of 2', HOUR, () => hours(2)],
  ['hours, Poisson of 10, days by 10 %', HOUR, () => hours(10, 0.1)],
];
const NOISY: readonly Kind[] = [
  ['days, 20 %', DAY, () => days(100, (r) => 0.2 * r.normal())],
  ['days, 10 %, hanging together by 0.6', DAY, () => days(100, regressive(0.6, 0.1))],
  ['days, Poisson of 5', DAY, () => (r, i, level) => r.poisson(5 * level * weekday(i))],
  ['days, Poisson of 0.2', DAY, () => (r, i, level) => r.poisson(0.2 * level * weekday(i))],
  ['hours, Poisson of 0.2', HOUR, () => hours(0.2)],
];

test.each(CALM)(
  '%s: a shift by three tenths is found within one season, and in its direction',
  (name, spec, sales) => {
    const epoch = EPOCH[spec.granularity];
    const runs = epoch === 1 ? 40 : 16;
    let inTime = 0;
    for (let k = 0; k < runs; k++) {
      const level = SHIFTS[k % SHIFTS.length]!;
      const shiftAt = (WARM_DAYS + (k % 7)) * epoch;
      const plan = { seed: `${name} ${k}`, length: shiftAt + spec.season, shiftAt, level };
      const found = run(spec, sales(), plan).find(({ i }) => i >= shiftAt);
      if (found === undefined) continue;
      inTime += 1;
      if (found.reading.kind !== 'spread') expect(found.reading.direction).toBe(level > 1 ? 'up' : 'down');
    }
    expect(inTime / runs).toBeGreaterThanOrEqual(0.8);
  },
);

test.each([...CALM, ...NOISY])(
  '%s: at rest there is less than one false alarm a year',
  (name, spec, sales) => {
    const epoch = EPOCH[spec.granularity];
    const [series, years] = epoch === 1 ? [30, 3] : [8, 1];
    let alarms = 0;
    for (let k = 0; k < series; k++) {
      alarms += run(spec, sales(), { seed: `${name} at rest ${k}`, length: years * 365 * epoch }).length;
    }
    expect(alarms / (series * years)).toBeLessThan(1);
  },
);

/** The detector alone, fed with forecasts of its own. */
function detector(spec: EngineSpec = DAY) {
  const layout = createLayout();
  const count = layout.take('count', 1);
  const drift = createDrift(layout, spec);
  const slab = createSlab(layout.words());
  drift.init(slab, 0);
  return {
    drift,
    slab,
    learn(slot: number, y: number, mean: number, scale: number): DriftReading | null {
      drift.learn(slab, 0, slot, y, mean, scale);
      slab.f64[count]! += 1;
      return drift.read(slab, 0);
    },
  };
}

describe('the detector', () => {
  const noisy = (seed: string) => {
    const random = createRandom(seed);
    return (width = 1) => 10 * width * random.normal();
  };

  test('says since when, how far, and what the errors were before and after', () => {
    const { learn } = detector();
    const noise = noisy('reading');
    let reading: DriftReading | null = null;
    let i = 0;
    for (; i < 200; i++) expect(learn(i % 7, 100 + noise(), 100, 10)).toBeNull();
    for (; reading === null; i++) reading = learn(i % 7, 140 + noise(), 100, 10);
    expect(reading).toMatchObject({ kind: 'level', direction: 'up', foundCount: i });
    expect(Math.abs(reading.sinceCount - 200)).toBeLessThanOrEqual(2);
    expect(reading.size).toBeCloseTo(0.4, 0);
    expect(reading.errorBefore).toBeCloseTo(0.08, 1);
    expect(reading.errorAfter).toBeGreaterThan(0.15);
  });

  test('lets pass what was forecast: a week of twice the sales, known ahead', () => {
    const { learn } = detector();
    const noise = noisy('promotion');
    for (let i = 0; i < 365; i++) {
      const expected = Math.floor(i / 7) % 10 === 9 ? 200 : 100;
      expect(learn(i % 7, expected + noise(), expected, 10)).toBeNull();
    }
  });

  test('sees forecasts that lean to one side while sales are as ever', () => {
    const { learn } = detector();
    const noise = noisy('bias');
    let reading: DriftReading | null = null;
    for (let i = 0; i < 208; i++) reading ??= learn(i % 7, 100 + noise(), i < 200 ? 100 : 150, 10);
    expect(reading).toMatchObject({ kind: 'bias', direction: 'down' });
    expect(reading?.size).toBeCloseTo(-1 / 3, 1);
  });

  test('sees errors that have grown to five times', () => {
    const { learn } = detector();
    const noise = noisy('spread');
    let reading: DriftReading | null = null;
    let i = 0;
    for (; i < 200; i++) expect(learn(i % 7, 100 + noise(), 100, 10)).toBeNull();
    for (; reading === null && i < 260; i++) reading = learn(i % 7, 100 + noise(5), 100, 50);
    expect(reading).toMatchObject({ kind: 'spread', direction: null, size: Number.NaN });
    expect(reading?.errorAfter).toBeGreaterThan(2 * (reading?.errorBefore ?? 0));
  });

  test('holds a drift for a season, lets learn faster meanwhile, and finds the next', () => {
    const { learn, drift, slab } = detector();
    const noise = noisy('again');
    const levelAt = (i: number): number => (i < 200 ? 100 : i < 260 ? 150 : 100);
    const held: number[] = [];
    const hastes: number[] = [];
    for (let i = 0; i < 300; i++) {
      const reading = learn(i % 7, levelAt(i) + noise(), levelAt(i - 3), 10);
      if (reading === null) continue;
      held.push(i);
      hastes.push(drift.agility(slab, 0));
    }
    expect(held).toHaveLength(14);
    expect(held[6]! - held[0]!).toBe(6);
    expect(held[7]!).toBeGreaterThanOrEqual(260);
    expect(held[7]!).toBeLessThan(267);
    expect(hastes.slice(0, 7).toSorted((a, b) => b - a)).toEqual(hastes.slice(0, 7));
    expect(hastes[0]).toBe(4);
    expect(hastes[6]).toBeGreaterThan(1);
    expect(drift.agility(slab, 0)).toBe(1);
  });

  test('has no false alarm after the hour of a day that the change of clocks repeats', () => {
    const { learn } = detector(HOUR);
    const noise = noisy('clocks');
    for (let day = 0; day < 60; day++) {
      for (let hour = 0; hour < 24; hour++) learn((day % 7) * 24 + hour, 100 + noise(), 100, 10);
      if (day % 20 === 19) expect(learn((day % 7) * 24 + 23, 100 + noise(), 100, 10)).toBeNull();
    }
  });

  test('does not depend on units: four times the sales are the same finding, to the bit', () => {
    const findings = [1, 4].map((unit) => {
      const { learn } = detector();
      const noise = noisy('units');
      const all = Array.from({ length: 300 }, (_, i) =>
        learn(i % 7, unit * ((i < 250 ? 100 : 150) + noise()), unit * 100, unit * 10),
      );
      return all.filter((reading) => reading !== null);
    });
    expect(findings[0]!.length).toBeGreaterThan(0);
    expect(findings[1]).toEqual(findings[0]);
  });

  test.each([
    ['nothing but zeros', () => [0, 0, 0]],
    ['huge', (i: number) => [i % 2 ? 1e15 : -1e15, 1e15, 1e15]],
    ['tiny', () => [5e-324, 0, 5e-324]],
    ['no error at all', () => [7, 7, 0]],
  ] as const)('bears %s', (_, at) => {
    const { learn, drift, slab } = detector();
    for (let i = 0; i < 500; i++) {
      const [y, mean, scale] = at(i) as [number, number, number];
      learn(i % 7, y, mean, scale);
      expect(drift.agility(slab, 0)).toBeGreaterThanOrEqual(1);
      expect(drift.agility(slab, 0)).toBeLessThanOrEqual(4);
    }
    expect([...slab.f32].filter(Number.isNaN)).toEqual([]);
  });
});
