/** Small seeded hierarchies, and what a textbook makes of them. */
import type { Dimension, Groups } from '../../src/hierarchy/groups.ts';
import { addUp, sumCount } from '../../src/hierarchy/groups.ts';
import type { StepForecasts } from '../../src/hierarchy/reconcile.ts';
import { createRandom } from '../../src/simulator/random.ts';

/** Leaves that add to up to three dimensions at random, some to none of one. */
export function randomGroups(seed: string, sizes: readonly number[], leaves: number): Groups {
  const random = createRandom('groups', seed);
  const dimensions: Dimension[] = sizes.map((sums) => ({
    sums,
    sumOf: Int32Array.from({ length: leaves }, () =>
      random.uniform() < 0.1 ? -1 : Math.floor(random.uniform() * sums),
    ),
  }));
  return { leaves, dimensions };
}

export function randomStep(seed: string, groups: Groups): StepForecasts {
  const random = createRandom('step', seed);
  const values = (length: number, scale: number): Float64Array =>
    Float64Array.from({ length }, () => scale * (0.1 + random.uniform()));
  const leafMean = values(groups.leaves, 100);
  const sums = sumCount(groups);
  const sumMean = new Float64Array(sums);
  addUp(groups, leafMean, sumMean);
  for (let p = 0; p < sums; p++) sumMean[p]! *= 0.9 + 0.2 * random.uniform();
  return { leafMean, leafVariance: values(groups.leaves, 9), sumMean, sumVariance: values(sums, 30) };
}

export function copyOf(step: StepForecasts): StepForecasts {
  return {
    leafMean: step.leafMean.slice(),
    leafVariance: step.leafVariance.slice(),
    sumMean: step.sumMean.slice(),
    sumVariance: step.sumVariance.slice(),
  };
}

/** Leaves of S(SᵀW⁻¹S)⁻¹SᵀW⁻¹ŷ with dense matrices. Sums of infinite variance weigh nothing. */
export function textbookLeaves(groups: Groups, step: StepForecasts): number[] {
  const n = groups.leaves;
  const rows: { s: number[]; weight: number; mean: number }[] = [];
  for (let i = 0; i < n; i++) {
    const s = Array.from({ length: n }, (_, k) => (k === i ? 1 : 0));
    rows.push({ s, weight: 1 / step.leafVariance[i]!, mean: step.leafMean[i]! });
  }
  let first = 0;
  for (const { sums, sumOf } of groups.dimensions) {
    for (let p = 0; p < sums; p++) {
      const s = Array.from(sumOf, (sum) => (sum === p ? 1 : 0));
      rows.push({ s, weight: 1 / step.sumVariance[first + p]!, mean: step.sumMean[first + p]! });
    }
    first += sums;
  }
  const normal = Array.from({ length: n }, (_, i) =>
    Array.from({ length: n }, (_, k) => rows.reduce((sum, { s, weight }) => sum + s[i]! * s[k]! * weight, 0)),
  );
  const right = Array.from({ length: n }, (_, i) =>
    rows.reduce((sum, { s, weight, mean }) => sum + s[i]! * weight * mean, 0),
  );
  return gauss(normal, right);
}

function gauss(matrix: number[][], right: number[]): number[] {
  const n = right.length;
  for (let p = 0; p < n; p++) {
    const pivot = matrix[p]!;
    for (let i = p + 1; i < n; i++) {
      const factor = matrix[i]![p]! / pivot[p]!;
      for (let k = p; k < n; k++) matrix[i]![k]! -= factor * pivot[k]!;
      right[i]! -= factor * right[p]!;
    }
  }
  for (let p = n - 1; p >= 0; p--) {
    for (let k = p + 1; k < n; k++) right[p]! -= matrix[p]![k]! * right[k]!;
    right[p]! /= matrix[p]![p]!;
  }
  return right;
}
