import type { Layout } from './layout.ts';
import type { Slab } from './slab.ts';

/** A window of values that grows while their mean stands still and is cut where it has changed. */
export type Adwin = {
  init(slab: Slab, at: number): void;
  /** Learns a value; where older and newer values differ it forgets the older and returns new − old mean, else 0. */
  learn(slab: Slab, at: number, value: number): number;
  /** values in the window */
  width(slab: Slab, at: number): number;
  mean(slab: Slab, at: number): number;
};

/** Buckets of one size; a further one makes two into one of double the size. */
const PER_ROW = 2;
/** Sizes 1, 2, 4, 8, 16: at most 62 values. */
const ROWS = 5;
const SLOTS = PER_ROW * ROWS;
/** Neither side of a cut may be shorter. */
const SIDE_MIN = 4;

/**
 * Adaptive windowing over an exponential histogram: row r holds up to two buckets of 2ʳ values, each with the sum of its
 * values and of their squares. With W split into n₀ older and n₁ newer values, 1/m = 1/n₀ + 1/n₁ and
 * δ′ = δ/ln(n₀ + n₁), the older part is dropped where for a split between two buckets, the newest first,
 *
 *     |μ₁ − μ₀| ≥ √(2/m · σ² · ln(2/δ′)) + 2/(3m) · ln(2/δ′)
 *
 * with σ² the variance within both parts: the original takes that of the whole window, which a change itself widens.
 *
 * On values within 0…1 that stand still a cut happens with a probability of at most δ per value; values should be of
 * that order, as the second term, which matters only between short parts, does not scale with them. Memory is 21 singles.
 * Limits: the window is at most 62 values long, the oldest leaving in sixteens; the bound is careful: a rise by one
 * standard deviation is found after some thirty values, by three after some eight.
 * Source: Bifet & Gavaldà (2007), Learning from time-changing data with adaptive windowing, §3.2 and Theorem 3.2.
 */
export function createAdwin(layout: Layout, delta: number): Adwin {
  const sums = 2 * layout.takeSingles(`adwin(${delta},${PER_ROW}x${ROWS})`, 2 * SLOTS + 1);
  const squares = SLOTS;
  /** Buckets in use per row, a digit to base 4 each. */
  const counts = 2 * SLOTS;

  const inRow = (packed: number, row: number): number => (packed >> (2 * row)) & 3;

  function widthOf(packed: number): number {
    let width = 0;
    for (let row = 0; row < ROWS; row++) width += inRow(packed, row) << row;
    return width;
  }

  function total(f32: Float32Array, i: number, packed: number): number {
    let sum = 0;
    for (let row = 0; row < ROWS; row++)
      for (let b = 0; b < inRow(packed, row); b++) sum += f32[i + row * PER_ROW + b]!;
    return sum;
  }

  /** Puts a bucket in front of its row; two too many go on as one of double the size; the last row drops its oldest. */
  function insert(f32: Float32Array, i: number, packed: number, value: number): number {
    let sum = value;
    let square = value * value;
    let left = packed;
    for (let row = 0; row < ROWS; row++) {
      const used = inRow(left, row);
      const first = i + row * PER_ROW;
      const oldest = f32[first + 1]!;
      const oldestSquare = f32[first + squares + 1]!;
      const newer = f32[first]!;
      const newerSquare = f32[first + squares]!;
      f32[first] = sum;
      f32[first + squares] = square;
      if (used < PER_ROW || row === ROWS - 1) {
        f32[first + 1] = newer;
        f32[first + squares + 1] = newerSquare;
        return used < PER_ROW ? left + (1 << (2 * row)) : left;
      }
      left -= 1 << (2 * row);
      sum = oldest + newer;
      square = oldestSquare + newerSquare;
    }
    return left;
  }

  /** Values of the newer part where the window was last found to differ. */
  let kept = 0;

  /** Goes through the splits from the newest value on; returns the difference at the first that is too large, else 0. */
  function difference(f32: Float32Array, i: number, packed: number): number {
    const n = widthOf(packed);
    if (n < 2 * SIDE_MIN) return 0;
    const sum = total(f32, i, packed);
    const square = total(f32, i + squares, packed);
    const doubt = Math.log((2 * Math.log(n)) / delta);
    let newer = 0;
    let newerSum = 0;
    for (let row = 0; row < ROWS; row++) {
      for (let b = 0; b < inRow(packed, row); b++) {
        newer += 1 << row;
        newerSum += f32[i + row * PER_ROW + b]!;
        const older = n - newer;
        if (newer < SIDE_MIN || older < SIDE_MIN) continue;
        const newMean = newerSum / newer;
        const oldMean = (sum - newerSum) / older;
        const variance = (square - newer * newMean * newMean - older * oldMean * oldMean) / n;
        const perSide = 1 / newer + 1 / older;
        const gap = newMean - oldMean;
        const noise = Math.sqrt(2 * perSide * Math.max(0, variance) * doubt) + (2 / 3) * perSide * doubt;
        if (Math.abs(gap) >= noise) {
          kept = newer;
          return gap;
        }
      }
    }
    return 0;
  }

  function withoutOldest(packed: number): number {
    for (let row = ROWS - 1; row >= 0; row--) {
      if (inRow(packed, row) > 0) return packed - (1 << (2 * row));
    }
    return 0;
  }

  return {
    init(slab, at) {
      slab.f32.fill(0, 2 * at + sums, 2 * at + sums + 2 * SLOTS + 1);
    },
    learn({ f32 }, at, value) {
      const i = 2 * at + sums;
      let packed = insert(f32, i, f32[i + counts]!, value);
      const change = difference(f32, i, packed);
      if (change !== 0) while (widthOf(packed) > kept) packed = withoutOldest(packed);
      f32[i + counts] = packed;
      return change;
    },
    width: ({ f32 }, at) => widthOf(f32[2 * at + sums + counts]!),
    mean({ f32 }, at) {
      const packed = f32[2 * at + sums + counts]!;
      return packed === 0 ? 0 : total(f32, 2 * at + sums, packed) / widthOf(packed);
    },
  };
}
