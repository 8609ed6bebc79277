import { describe, expect, test } from 'vitest';
import type { Groups } from '../../src/hierarchy/groups.ts';
import { addUp, sumCount } from '../../src/hierarchy/groups.ts';
import type { Locks, ReconciliationMethod, StepForecasts } from '../../src/hierarchy/reconcile.ts';
import { createReconciler } from '../../src/hierarchy/reconcile.ts';
import { copyOf, randomGroups, randomStep } from './random-groups.ts';

const METHODS: readonly ReconciliationMethod[] = ['bottom-up', 'top-down', 'min-trace'];

/** Two stores × two categories and the chain: sums are chain, stores A B, categories x y; leaves Ax Ay Bx By. */
const CHAIN: Groups = {
  leaves: 4,
  dimensions: [
    { sums: 1, sumOf: Int32Array.of(0, 0, 0, 0) },
    { sums: 2, sumOf: Int32Array.of(0, 0, 1, 1) },
    { sums: 2, sumOf: Int32Array.of(0, 1, 0, 1) },
  ],
};

function stepOf(leaves: readonly number[], sums: readonly number[], variance = 1): StepForecasts {
  return {
    leafMean: Float64Array.from(leaves),
    leafVariance: new Float64Array(leaves.length).fill(variance),
    sumMean: Float64Array.from(sums),
    sumVariance: new Float64Array(sums.length).fill(2 * variance),
  };
}

function expectCoherent(groups: Groups, { leafMean, sumMean }: StepForecasts): void {
  const sums = new Float64Array(sumCount(groups));
  addUp(groups, leafMean, sums);
  for (let p = 0; p < sums.length; p++)
    expect(Math.abs(sums[p]! - sumMean[p]!)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(sums[p]!)));
}

describe.each(METHODS)('%s', (method) => {
  test.each(['a', 'b', 'c', 'd'])('makes every sum that of its leaves (%s)', (seed) => {
    const groups = randomGroups(seed, [1, 3, 7], 40);
    const step = randomStep(seed, groups);
    expect(createReconciler(groups, method).reconcile(step)).toEqual([]);
    expectCoherent(groups, step);
  });

  test('changes nothing where all agree', () => {
    const step = stepOf([1, 2, 3, 4], [10, 3, 7, 4, 6]);
    const before = copyOf(step);
    createReconciler(CHAIN, method).reconcile(step);
    for (const [i, value] of before.leafMean.entries()) expect(step.leafMean[i]).toBeCloseTo(value, 12);
    for (const [p, value] of before.sumMean.entries()) expect(step.sumMean[p]).toBeCloseTo(value, 12);
  });

  test.each<{ what: string; locks: Locks }>([
    { what: 'a leaf', locks: { leaves: [{ index: 1, value: 9 }], sums: [] } },
    { what: 'a store', locks: { leaves: [], sums: [{ index: 1, value: 12 }] } },
    { what: 'the chain', locks: { leaves: [], sums: [{ index: 0, value: 5 }] } },
    { what: 'a store at nothing', locks: { leaves: [], sums: [{ index: 2, value: 0 }] } },
    {
      what: 'a leaf, its store and its category',
      locks: {
        leaves: [{ index: 0, value: 2 }],
        sums: [
          { index: 1, value: 20 },
          { index: 3, value: 4 },
        ],
      },
    },
    {
      what: 'all sums, which agree',
      locks: { leaves: [], sums: [20, 12, 8, 11, 9].map((value, index) => ({ index, value })) },
    },
  ])('holds what is locked: $what', ({ locks }) => {
    const step = stepOf([1, 2, 3, 4], [11, 3, 7, 4, 6]);
    expect(createReconciler(CHAIN, method).reconcile(step, locks)).toEqual([]);
    for (const { index, value } of locks.leaves) expect(step.leafMean[index]).toBe(value);
    for (const { index, value } of locks.sums) expect(step.sumMean[index]).toBe(value);
    for (const value of step.leafMean) expect(value).toBeGreaterThanOrEqual(0);
    expectCoherent(CHAIN, step);
  });

  test('brings a locked store about out of leaves that never sold', () => {
    const step = stepOf([0, 0, 3, 4], [7, 0, 7, 3, 4]);
    step.leafVariance.fill(0, 0, 2);
    expect(
      createReconciler(CHAIN, method).reconcile(step, { leaves: [], sums: [{ index: 1, value: 6 }] }),
    ).toEqual([]);
    expect(step.leafMean[0]! + step.leafMean[1]!).toBeCloseTo(6, 9);
    expectCoherent(CHAIN, step);
  });

  test.each<{ what: string; locks: Locks; sums: number[] }>([
    {
      what: 'stores that contradict their chain',
      locks: { leaves: [], sums: [20, 3, 4].map((value, index) => ({ index, value })) },
      sums: [0, 1, 2],
    },
    {
      what: 'leaves that contradict their store',
      locks: {
        leaves: [
          { index: 0, value: 1 },
          { index: 1, value: 1 },
        ],
        sums: [{ index: 1, value: 5 }],
      },
      sums: [1],
    },
    { what: 'a store below zero', locks: { leaves: [], sums: [{ index: 1, value: -5 }] }, sums: [1] },
  ])('says which locks cannot be kept: $what', ({ locks, sums }) => {
    const step = stepOf([1, 2, 3, 4], [10, 3, 7, 4, 6]);
    const broken = createReconciler(CHAIN, method).reconcile(step, locks);
    expect(broken.length).toBeGreaterThan(0);
    for (const { sum, wanted, reached } of broken) {
      expect(sums).toContain(sum);
      expect(wanted).toBe(locks.sums.find(({ index }) => index === sum)?.value);
      expect(step.sumMean[sum]).toBe(reached);
    }
    for (const value of step.leafMean) expect(Number.isFinite(value)).toBe(true);
    expectCoherent(CHAIN, step);
  });

  test('lets no leaf go below zero, nor below its own forecast where that is negative', () => {
    const step = stepOf([0.1, 5, -1, 4], [2, 0, 2, 0, 2]);
    createReconciler(CHAIN, method).reconcile(step);
    expect(step.leafMean[0]).toBeGreaterThanOrEqual(0);
    expect(step.leafMean[2]).toBeGreaterThanOrEqual(-1);
    expectCoherent(CHAIN, step);
  });

  test('leaves a single node as it is', () => {
    const single = { leaves: 1, dimensions: [{ sums: 1, sumOf: Int32Array.of(-1) }] };
    const step = stepOf([3], [8]);
    createReconciler(single, method).reconcile(step);
    expect([...step.leafMean, ...step.sumMean]).toEqual([3, 0]);
  });
});

test('bottom-up believes no sum', () => {
  const step = stepOf([1, 2, 3, 4], [100, 100, 100, 100, 100]);
  createReconciler(CHAIN, 'bottom-up').reconcile(step);
  expect([...step.leafMean]).toEqual([1, 2, 3, 4]);
  expect([...step.sumMean]).toEqual([10, 3, 7, 4, 6]);
});

test('top-down shares the chain out in proportion to the leaves’ own forecasts', () => {
  const step = stepOf([1, 2, 3, 4], [20, 3, 7, 4, 6]);
  createReconciler(CHAIN, 'top-down').reconcile(step);
  for (const [i, value] of [2, 4, 6, 8].entries()) expect(step.leafMean[i]).toBeCloseTo(value, 12);
});

test('top-down goes without a chain that has no forecast of its own', () => {
  const step = stepOf([1, 2, 3, 4], [0, 3, 7, 4, 6]);
  step.sumVariance[0] = Number.POSITIVE_INFINITY;
  createReconciler(CHAIN, 'top-down').reconcile(step);
  expect([...step.leafMean]).toEqual([1, 2, 3, 4]);
});

test('two stores and a chain come out as worked by hand', () => {
  const groups = { leaves: 2, dimensions: [{ sums: 1, sumOf: Int32Array.of(0, 0) }] };
  const step = {
    leafMean: Float64Array.of(30, 50),
    leafVariance: Float64Array.of(1, 3),
    sumMean: Float64Array.of(90),
    sumVariance: Float64Array.of(1),
  };
  createReconciler(groups, 'min-trace').reconcile(step);
  expect([...step.leafMean, ...step.sumMean]).toEqual([32, 56, 88]);
});
