import { describe, expect, test } from 'vitest';
import type { Random } from '../../src/simulator/random.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { createLayout } from '../../src/stats/layout.ts';
import { createPageHinkley, pageHinkleyThreshold } from '../../src/stats/page-hinkley.ts';
import { createSlab } from '../../src/stats/slab.ts';
import { createStandardiser } from '../../src/stats/standardiser.ts';

const MEMORY = 112;

/** Both parts in one record, and an offset before it. */
function start(runLength: number, at = 2) {
  const layout = createLayout();
  const standard = createStandardiser(layout, MEMORY);
  const tests = createPageHinkley(layout, 'test', pageHinkleyThreshold(runLength));
  const slab = createSlab(at + layout.words() + 2);
  standard.init(slab, at);
  tests.init(slab, at);
  return { slab, at, standard, tests, words: layout.words() };
}

test.each([
  [365, 4.77],
  [465, 5],
  [1095, 5.83],
])('one false alarm in %i normal errors needs the threshold of the tables, %f', (runLength, threshold) => {
  expect(pageHinkleyThreshold(runLength)).toBeCloseTo(threshold, 1);
});

test('the run length it promises is the one that comes out', () => {
  const { slab, at, tests } = start(365);
  const random = createRandom('run length');
  const length = 200_000;
  let alarms = 0;
  for (let i = 0; i < length; i++) {
    if (tests.learn(slab, at, random.normal()) === 0) continue;
    alarms += 1;
    tests.init(slab, at);
  }
  expect(length / alarms).toBeGreaterThan(330);
  expect(length / alarms).toBeLessThan(430);
});

/** A tail as of Student's t with three degrees of freedom, spread 1. */
const heavy = (random: Random): number =>
  random.normal() / Math.hypot(random.normal(), random.normal(), random.normal());

function regressive(rho: number): (random: Random) => number {
  let last = 0;
  return (random) => (last = rho * last + random.normal());
}

/** Each error as it comes from forecasts of a series at rest. */
const STATIONARY: readonly [string, () => (random: Random) => number][] = [
  ['normal', () => (random) => random.normal()],
  ['normal, four times as wide as was thought', () => (random) => 4 * random.normal()],
  ['normal about another mean', () => (random) => 2 + random.normal()],
  ['of Poisson sales, four a day', () => (random) => (random.poisson(4) - 4) / 2],
  ['heavy-tailed', () => heavy],
  ['hanging together by 0.3', () => regressive(0.3)],
  ['hanging together by 0.6', () => regressive(0.6)],
];

describe('errors of a series at rest', () => {
  test.each(STATIONARY)('%s: less than one false alarm a year of days', (_, noise) => {
    const years = 100;
    const { slab, at, standard, tests } = start(3 * 365);
    const random = createRandom('at rest', _);
    const next = noise();
    let alarms = 0;
    for (let i = 0; i < years * 365; i++) {
      const error = next(random);
      const z = standard.standardise(slab, at, error);
      const found = standard.count(slab, at) < 28 ? 0 : tests.learn(slab, at, z);
      if (found !== 0) {
        alarms += 1;
        tests.init(slab, at);
      }
      if (Math.abs(tests.suspicion(slab, at)) <= 0.5) standard.learn(slab, at, error);
    }
    expect(alarms / years).toBeLessThan(0.8);
  });
});

test.each([
  [2, 7],
  [-2, 7],
  [1, 20],
])('a shift by %f spreads is found in its direction within %i errors', (shift, errorsMax) => {
  const found = Array.from({ length: 40 }, (_, seed) => {
    const { slab, at, tests } = start(3 * 365);
    const random = createRandom('shift', seed);
    for (let i = 1; i <= errorsMax; i++) {
      const direction = tests.learn(slab, at, shift + random.normal());
      if (direction !== 0) return direction;
    }
    return 0;
  });
  expect(found.filter((direction) => direction === Math.sign(shift)).length).toBeGreaterThanOrEqual(34);
});

test('an error that is none teaches nothing', () => {
  const { slab, at, tests } = start(365);
  tests.learn(slab, at, 2);
  const before = [...slab.f64];
  expect(tests.learn(slab, at, Number.NaN)).toBe(0);
  expect([...slab.f64]).toEqual(before);
});

test('whatever comes, sums stay within their threshold, the record within its words, and the spread at 1 or more', () => {
  const { slab, at, standard, tests, words } = start(365);
  for (let i = 0; i < 500; i++) {
    const error = [1e6, -1e6, 0, 1e-30][i % 4]!;
    tests.learn(slab, at, standard.standardise(slab, at, error));
    standard.learn(slab, at, error);
    expect(Math.abs(tests.suspicion(slab, at))).toBeLessThanOrEqual(1);
    expect(standard.spread(slab, at)).toBeGreaterThanOrEqual(1);
  }
  expect([slab.f64[0], slab.f64[1], slab.f64[at + words], slab.f64[at + words + 1]]).toEqual([0, 0, 0, 0]);
  expect(slab.f64.every(Number.isFinite)).toBe(true);
});
