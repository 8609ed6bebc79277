import type { Groups } from './groups.ts';
import { addUp, sumCount } from './groups.ts';
import type { BrokenLock, Lock } from './meet-locks.ts';
import { meetLocks } from './meet-locks.ts';
import { createMinTrace } from './min-trace.ts';

/** How forecasts of leaves and of their sums are made to agree. */
export type ReconciliationMethod = 'bottom-up' | 'top-down' | 'min-trace';

/** All forecasts of one step of the horizon, with the variances of their errors. */
export type StepForecasts = {
  readonly leafMean: Float64Array;
  readonly leafVariance: Float64Array;
  readonly sumMean: Float64Array;
  /** Infinity: this sum has no forecast of its own. */
  readonly sumVariance: Float64Array;
};

/** What has been set by hand. */
export type Locks = { readonly leaves: readonly Lock[]; readonly sums: readonly Lock[] };

export type Reconciler = {
  /**
   * Makes the step's forecasts agree, in place: afterwards every sum is that of its leaves, in their order, to the
   * bit (a locked one its own value, as far as its leaves' sum is that but for rounding). Returns the locks that
   * could not be kept.
   */
  reconcile(step: StepForecasts, locks?: Locks): readonly BrokenLock[];
};

const NO_LOCKS: Locks = { leaves: [], sums: [] };
const KEPT: readonly BrokenLock[] = [];
/** Beside a lock no leaf is more certain than this part of the mean variance: it must come from somewhere. */
const CERTAIN_SHARE = 1e-9;
/** A locked sum counts as met within this part of itself, or this part of all leaves together. */
const MET_WITHIN = 1e-9;
const MET_WITHIN_ALL = 1e-12;

/**
 * All methods are one, and differ in what they believe: `min-trace` the variances it is given; `bottom-up` no sum;
 * `top-down` only the sums of the smallest dimension (the chain), which its leaves share out in proportion to their
 * own forecasts. A lock is a forecast without variance, so with any method the rest moves to meet it, by least trace.
 *
 * No leaf goes below zero, or below its own forecast where that is negative (returns): what would is put there and the
 * sums are added up again, so that they come out a little higher than least trace has them. Where that, or a chain that
 * top-down believes, keeps locked sums from being met, their leaves are then scaled to them. Example: stores forecast 30 and 50, variances 1 and 3, the chain 90 with 1: 32, 56, 88.
 * Source: as of createMinTrace; Di Fonzo & Girolimetto (2023), Spatio-temporal reconciliation of solar forecasts
 * (set-negative-to-zero); Athanasopoulos, Ahmed & Hyndman (2009) for forecast proportions.
 */
export function createReconciler(groups: Groups, method: ReconciliationMethod): Reconciler {
  const sums = sumCount(groups);
  const top = topSums(groups);
  const minTrace = createMinTrace(groups);
  const weight = new Float64Array(groups.leaves);
  const variance = new Float64Array(sums);
  const floor = new Float64Array(groups.leaves);
  const isFixed = new Uint8Array(groups.leaves);

  function believe({ leafMean, leafVariance, sumVariance }: StepForecasts): void {
    if (method === 'min-trace') {
      weight.set(leafVariance);
      variance.set(sumVariance);
      return;
    }
    weight.set(leafVariance);
    variance.fill(Number.POSITIVE_INFINITY);
    if (method === 'bottom-up') return;
    for (let i = 0; i < weight.length; i++) weight[i] = Math.max(0, leafMean[i]!);
    for (let p = top.from; p < top.to; p++) if (sumVariance[p]! < Number.POSITIVE_INFINITY) variance[p] = 0;
  }

  function hold({ leafMean, sumMean }: StepForecasts, locks: Locks): void {
    let mean = 0;
    for (let i = 0; i < weight.length; i++) mean += weight[i]! / weight.length;
    const least = mean > 0 ? CERTAIN_SHARE * mean : 1;
    for (let i = 0; i < weight.length; i++) weight[i] = Math.max(least, weight[i]!);
    for (const { index, value } of locks.leaves) {
      leafMean[index] = value;
      weight[index] = 0;
    }
    for (const { index, value } of locks.sums) {
      sumMean[index] = value;
      variance[index] = 0;
    }
  }

  function move({ leafMean, sumMean }: StepForecasts): void {
    for (let i = 0; i < floor.length; i++) floor[i] = Math.min(0, leafMean[i]!);
    minTrace.weigh(weight, variance);
    minTrace.adjust(leafMean, sumMean);
    for (let i = 0; i < floor.length; i++) leafMean[i] = Math.max(floor[i]!, leafMean[i]!);
  }

  /** Adds up; returns the locks that are not met. */
  function sumUp({ leafMean, sumMean }: StepForecasts, locks: Locks): readonly BrokenLock[] {
    addUp(groups, leafMean, sumMean);
    if (locks.sums.length === 0) return KEPT;
    const all = leafMean.reduce((sum, value) => sum + Math.abs(value), 0);
    const broken: BrokenLock[] = [];
    for (const { index, value } of locks.sums) {
      const reached = sumMean[index]!;
      const within = MET_WITHIN * Math.abs(value) + MET_WITHIN_ALL * all;
      if (Math.abs(reached - value) <= within) sumMean[index] = value;
      else broken.push({ sum: index, wanted: value, reached });
    }
    return broken;
  }

  return {
    reconcile(step, locks = NO_LOCKS) {
      believe(step);
      if (locks.leaves.length + locks.sums.length > 0) hold(step, locks);
      if (variance.some(Number.isFinite)) move(step);
      if (sumUp(step, locks).length === 0) return KEPT;
      isFixed.fill(0);
      for (const { index } of locks.leaves) isFixed[index] = 1;
      meetLocks(groups, step.leafMean, isFixed, locks.sums);
      return sumUp(step, locks);
    },
  };
}

/** The sums of the smallest dimension. */
function topSums({ dimensions }: Groups): { from: number; to: number } {
  let from = 0;
  let top = { from: 0, to: 0 };
  for (const { sums } of dimensions) {
    if (sums > 0 && (top.to === 0 || sums < top.to - top.from)) top = { from, to: from + sums };
    from += sums;
  }
  return top;
}
