import type { Groups } from './groups.ts';

/** A value that someone has set: index of a leaf or of a sum. */
export type Lock = { readonly index: number; readonly value: number };

/** A locked sum that its leaves cannot come to: other locks contradict it, or they would have to go below zero. */
export type BrokenLock = { readonly sum: number; readonly wanted: number; readonly reached: number };

const ROUNDS_MAX = 500;
/** Rounds end when no sum was further off than this part of itself. */
const CLOSE = 1e-13;

/**
 * Scales the leaves of every locked sum in turn until all sums are met, in place: iterative proportional fitting, which
 * keeps leaves at zero or above and comes to a solution wherever there is one. Leaves that are fixed, or negative,
 * stay. A sum of nothing but zeros is shared out alike.
 * Source: Deming & Stephan (1940); Bishop, Fienberg & Holland (1975), §3.5.
 */
export function meetLocks(
  groups: Groups,
  leafMean: Float64Array,
  isFixed: Uint8Array,
  locks: readonly Lock[],
): void {
  const members = locks.map(({ index }) => leavesOf(groups, index));
  for (let round = 0, worst = 1; round < ROUNDS_MAX && worst > CLOSE; round++) {
    worst = 0;
    for (const [k, { value }] of locks.entries()) {
      worst = Math.max(worst, meet(leafMean, isFixed, members[k]!, value));
    }
  }
}

/** Returns how far off the sum was, as a part of itself. */
function meet(leafMean: Float64Array, isFixed: Uint8Array, members: Int32Array, value: number): number {
  let free = 0;
  let fixed = 0;
  let count = 0;
  for (const i of members) {
    if (isFixed[i] === 1 || leafMean[i]! < 0) fixed += leafMean[i]!;
    else {
      free += leafMean[i]!;
      count++;
    }
  }
  const wanted = Math.max(0, value - fixed);
  if (count === 0 || wanted === free) return 0;
  for (const i of members) {
    if (isFixed[i] === 1 || leafMean[i]! < 0) continue;
    leafMean[i] = free > 0 ? leafMean[i]! * (wanted / free) : wanted / count;
  }
  return Math.abs(wanted - free) / Math.max(wanted, free);
}

function leavesOf({ dimensions }: Groups, index: number): Int32Array {
  let first = 0;
  for (const { sums, sumOf } of dimensions) {
    if (index < first + sums) {
      const found: number[] = [];
      for (let i = 0; i < sumOf.length; i++) if (sumOf[i] === index - first) found.push(i);
      return Int32Array.from(found);
    }
    first += sums;
  }
  throw new RangeError(`There is no sum ${index}.`);
}
