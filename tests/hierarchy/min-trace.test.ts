import { describe, expect, test } from 'vitest';
import type { Groups } from '../../src/hierarchy/groups.ts';
import { addUp, sumCount } from '../../src/hierarchy/groups.ts';
import { createMinTrace, JOINT_SUMS_MAX } from '../../src/hierarchy/min-trace.ts';
import { copyOf, randomGroups, randomStep, textbookLeaves } from './random-groups.ts';

const SHAPES: readonly { readonly sizes: readonly number[]; readonly leaves: number }[] = [
  { sizes: [1], leaves: 1 },
  { sizes: [1], leaves: 7 },
  { sizes: [3], leaves: 6 },
  { sizes: [1, 3], leaves: 9 },
  { sizes: [1, 2, 5], leaves: 20 },
  { sizes: [1, 5, 2], leaves: 20 },
  { sizes: [4, 4, 4], leaves: 30 },
  { sizes: [1, 3, 8, 5], leaves: 40 },
];

function adjusted(groups: Groups, step: ReturnType<typeof randomStep>): Float64Array {
  const { leafMean, leafVariance, sumMean, sumVariance } = copyOf(step);
  const minTrace = createMinTrace(groups);
  minTrace.weigh(leafVariance, sumVariance);
  minTrace.adjust(leafMean, sumMean);
  return leafMean;
}

function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>, within = 1e-9): void {
  for (let i = 0; i < expected.length; i++) {
    const size = Math.max(1, Math.abs(expected[i]!));
    expect(Math.abs(found[i]! - expected[i]!) / size, `${i}: ${found[i]} for ${expected[i]}`).toBeLessThan(
      within,
    );
  }
}

describe.each(SHAPES)('dimensions of $sizes sums over $leaves leaves', ({ sizes, leaves }) => {
  const seeds = ['a', 'b', 'c'].map((seed) => `${seed} ${sizes.join()} ${leaves}`);

  test.each(seeds)('are reconciled as by the textbook’s dense matrices (%s)', (seed) => {
    const groups = randomGroups(seed, sizes, leaves);
    const step = randomStep(seed, groups);
    expectClose(adjusted(groups, step), textbookLeaves(groups, step));
  });

  test.each(seeds)('weigh nothing where a variance is infinite (%s)', (seed) => {
    const groups = randomGroups(seed, sizes, leaves);
    const step = randomStep(seed, groups);
    for (let p = 0; p < step.sumVariance.length; p += 2) step.sumVariance[p] = Number.POSITIVE_INFINITY;
    expectClose(adjusted(groups, step), textbookLeaves(groups, step));
  });

  test.each(seeds)('stay as they are when they agree already (%s)', (seed) => {
    const groups = randomGroups(seed, sizes, leaves);
    const step = randomStep(seed, groups);
    addUp(groups, step.leafMean, step.sumMean);
    expectClose(adjusted(groups, step), step.leafMean, 1e-12);
  });

  test.each(seeds)('hold where a variance is zero, and the limit is that of small ones (%s)', (seed) => {
    const groups = randomGroups(seed, sizes, leaves);
    const step = randomStep(seed, groups);
    step.leafVariance[0] = 0;
    step.sumVariance[0] = 0;
    const found = adjusted(groups, step);
    expect(found[0]).toBe(step.leafMean[0]);
    const small = copyOf(step);
    small.leafVariance[0] = 1e-6;
    small.sumVariance[0] = 1e-6;
    if (leaves > 1) expectClose(found, textbookLeaves(groups, small), 1e-4);
    const sums = new Float64Array(sumCount(groups));
    addUp(groups, found, sums);
    if (leaves > 1) expectClose([sums[0]!], [step.sumMean[0]!]);
  });

  test.each(seeds)('give the same bits again, also after other weights (%s)', (seed) => {
    const groups = randomGroups(seed, sizes, leaves);
    const [one, other] = [randomStep(seed, groups), randomStep(`${seed} other`, groups)];
    const minTrace = createMinTrace(groups);
    const again = [one, other, one].map((step) => {
      const mean = step.leafMean.slice();
      minTrace.weigh(step.leafVariance, step.sumVariance);
      minTrace.adjust(mean, step.sumMean);
      return mean;
    });
    expect(again[2]).toEqual(again[0]);
    expect(again[0]).toEqual(adjusted(groups, one));
  });
});

test('without any sum nothing moves', () => {
  const groups = { leaves: 2, dimensions: [] };
  const step = randomStep('none', groups);
  expect(adjusted(groups, step)).toEqual(step.leafMean);
});

test('where everything is certain nothing moves, whatever the sums say', () => {
  const groups = randomGroups('certain', [1, 3, 4], 12);
  const step = randomStep('certain', groups);
  step.leafVariance.fill(0);
  for (const variance of [0, 1]) {
    step.sumVariance.fill(variance);
    expect(adjusted(groups, step)).toEqual(step.leafMean);
  }
});

test.each([1e-12, 1e12])('a scale of %d changes no more than the scale', (scale) => {
  const groups = randomGroups('scale', [1, 4, 6], 24);
  const step = randomStep('scale', groups);
  const scaled = copyOf(step);
  for (const means of [scaled.leafMean, scaled.sumMean])
    means.forEach((value, i) => (means[i] = value * scale));
  for (const variances of [scaled.leafVariance, scaled.sumVariance])
    variances.forEach((value, i) => (variances[i] = value * scale * scale));
  const found = adjusted(groups, scaled).map((value) => value / scale);
  expectClose(found, adjusted(groups, step));
});

test('beyond the joint sums the largest dimension among them has no say', () => {
  const leaves = 2 * (JOINT_SUMS_MAX + 1);
  const sumOf = (of: (i: number) => number): Int32Array =>
    Int32Array.from({ length: leaves }, (_, i) => of(i));
  const wide = { sums: leaves / 2 + 1, sumOf: sumOf((i) => Math.floor(i / 2)) };
  const narrow = { sums: JOINT_SUMS_MAX + 1, sumOf: sumOf((i) => i % (JOINT_SUMS_MAX + 1)) };
  const chain = { sums: 1, sumOf: sumOf(() => 0) };
  const all = { leaves, dimensions: [wide, narrow, chain] };
  const step = randomStep('many', all);
  const found = adjusted(all, step);
  for (let p = 0; p < narrow.sums; p++) step.sumVariance[wide.sums + p] = Number.POSITIVE_INFINITY;
  const few = { leaves, dimensions: [wide, chain] };
  const without = (values: Float64Array): Float64Array =>
    Float64Array.of(...values.subarray(0, wide.sums), values.at(-1)!);
  const expected = adjusted(few, {
    ...step,
    sumMean: without(step.sumMean),
    sumVariance: without(step.sumVariance),
  });
  expectClose(found, expected);
});
