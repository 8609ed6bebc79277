import type { Dimension, Groups } from './groups.ts';
import { addUp, sumCount } from './groups.ts';

/** Works on one step of the horizon at a time; weights hold until the next `weigh`. */
export type MinTrace = {
  /**
   * Takes the error variances of the leaves' and the sums' own forecasts, in any unit. 0: its forecast holds.
   * Infinity, of a sum: its forecast says nothing.
   */
  weigh(leafVariance: Float64Array, sumVariance: Float64Array): void;
  /** Moves the leaves' forecasts, in place, to those that agree best with the sums' own. */
  adjust(leafMean: Float64Array, sumMean: Float64Array): void;
};

/**
 * Sums that are solved for together, all but those of the largest dimension. With more, the largest dimensions among
 * them have no say: 512 take some 20 ms a `weigh`, eight times as many ten seconds.
 */
export const JOINT_SUMS_MAX = 512;
/** A pivot below this part of its sum's variance is rounding: the sum says what others say already. */
const PIVOT_MIN = 1e-12;

/**
 * Reconciliation of least trace with a diagonal W: leaves b nearest to all base forecasts by their error variances,
 *
 *     minimise Σ (b̂ᵢ − bᵢ)²/wᵢ + Σ (ûₚ − (A b)ₚ)²/vₚ        A: which leaves add to which sum
 *     b = b̂ + w Aᵀ λ        (A w Aᵀ + v) λ = û − A b̂
 *
 * the same as S(SᵀW⁻¹S)⁻¹SᵀW⁻¹ŷ by Woodbury's identity, with as many unknowns as there are sums and no inverse of a
 * variance: one of zero is a forecast that holds. Forecasts that agree already stay as they are, so unbiased ones
 * stay unbiased.
 *
 * Sums of one dimension have no leaf in common, so A w Aᵀ + v is diagonal there: the largest dimension is eliminated,
 * and what is left (with 1,000 stores × 100 categories: 101 unknowns) solved by LDLᵀ in a fixed order, so that the
 * same forecasts give the same bits. Cost of `weigh` per sum of the largest dimension: the square of how many joint
 * sums it meets; of `adjust`: each leaf once per dimension. Nothing is allocated after creation.
 *
 * Limits: errors of different series count as uncorrelated; JOINT_SUMS_MAX. Sums that hold and contradict each other
 * (or that no leaf can still move) are not met: see reconcile.ts, which says so.
 * Source: Wickramasuriya, Athanasopoulos & Hyndman (2019), Optimal forecast reconciliation through trace minimization,
 * JASA 114 (WLS_v); Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., §11.3.
 */
export function createMinTrace(groups: Groups): MinTrace {
  const { leaves } = groups;
  const { apart, joint } = split(groups);
  const order = leavesBySum(apart, leaves);
  const jointCount = joint.reduce((count, { dimension }) => count + dimension.sums, 0);
  /** Per joint sum its number among all sums. */
  const numbers = joint.flatMap(({ first, dimension: { sums } }) =>
    Array.from({ length: sums }, (_, i) => first + i),
  );
  const sumOf = joint.map(({ place, dimension }) => ({ place, of: dimension.sumOf }));
  const total = sumCount(groups);
  const weight = new Float64Array(leaves);
  /** Of the eliminated sums: 1 / (Σ w + v). */
  const inverse = new Float64Array(apart.dimension.sums);
  const system = createSystem(jointCount);
  const reference = new Float64Array(jointCount);
  const residual = new Float64Array(total);
  const right = new Float64Array(jointCount);
  /** Of the eliminated sums. */
  const lambda = new Float64Array(apart.dimension.sums);
  /** Joint sums met by the leaves of one eliminated sum, and what these weigh in each. */
  const met = new Int32Array(jointCount);
  const metWeight = new Float64Array(jointCount);
  const isMet = new Uint8Array(jointCount);

  /** Joint sums that the leaves `order.leaf[from…to)` add to, rising, with the sum of their weights in each. */
  function meet(from: number, to: number): number {
    let count = 0;
    for (let d = 0; d < joint.length; d++) {
      const { place, of } = sumOf[d]!;
      for (let k = from; k < to; k++) {
        const i = order.leaf[k]!;
        if (of[i]! < 0) continue;
        const p = place + of[i]!;
        if (isMet[p] === 0) {
          isMet[p] = 1;
          metWeight[p] = 0;
          insert(met, count++, p);
        }
        metWeight[p]! += weight[i]!;
      }
    }
    for (let k = 0; k < count; k++) isMet[met[k]!] = 0;
    return count;
  }

  /** Adds each leaf's weight to every pair of joint sums it belongs to. */
  function addPairs(): void {
    for (const a of sumOf) {
      for (const b of sumOf) {
        if (b.place > a.place) continue;
        for (let i = 0; i < leaves; i++) {
          if (a.of[i]! < 0 || b.of[i]! < 0) continue;
          system.add(a.place + a.of[i]!, b.place + b.of[i]!, weight[i]!);
        }
      }
    }
  }

  return {
    weigh(leafVariance, sumVariance) {
      weight.set(leafVariance);
      system.clear();
      addPairs();
      for (let p = 0; p < jointCount; p++) {
        const variance = sumVariance[numbers[p]!]!;
        system.add(p, p, variance);
        reference[p] = system.at(p, p);
      }
      for (let s = 0; s < inverse.length; s++) {
        const [from, to] = [order.start[s]!, order.start[s + 1]!];
        let sum = sumVariance[apart.first + s]!;
        for (let k = from; k < to; k++) sum += weight[order.leaf[k]!]!;
        inverse[s] = sum > 0 ? 1 / sum : 0;
        if (inverse[s] === 0) continue;
        const count = meet(from, to);
        system.takeOuter(met, metWeight, count, inverse[s]!);
      }
      system.factor(reference);
    },
    adjust(leafMean, sumMean) {
      const { sumOf: apartOf } = apart.dimension;
      addUp(groups, leafMean, residual);
      for (let p = 0; p < total; p++) residual[p] = sumMean[p]! - residual[p]!;
      for (let p = 0; p < jointCount; p++) right[p] = residual[numbers[p]!]!;
      for (let s = 0; s < inverse.length; s++) lambda[s] = inverse[s]! * residual[apart.first + s]!;
      for (const { place, of } of sumOf) {
        for (let i = 0; i < leaves; i++) {
          if (of[i]! >= 0 && apartOf[i]! >= 0) right[place + of[i]!]! -= weight[i]! * lambda[apartOf[i]!]!;
        }
      }
      system.solve(right);
      for (const { place, of } of sumOf) {
        for (let i = 0; i < leaves; i++) {
          const s = apartOf[i]!;
          if (of[i]! < 0) continue;
          const shift = weight[i]! * right[place + of[i]!]!;
          leafMean[i]! += shift;
          if (s >= 0) lambda[s]! -= inverse[s]! * shift;
        }
      }
      for (let i = 0; i < leaves; i++) {
        if (apartOf[i]! >= 0) leafMean[i]! += weight[i]! * lambda[apartOf[i]!]!;
      }
    },
  };
}

/** A dimension, the number of its first sum among all sums, and its place among the joint ones. */
type Placed = { readonly dimension: Dimension; readonly first: number; readonly place: number };

/** The largest dimension, and those to be solved for together. */
function split({ leaves, dimensions }: Groups): { apart: Placed; joint: Placed[] } {
  let first = 0;
  const all = dimensions.map((dimension) => {
    first += dimension.sums;
    return { dimension, first: first - dimension.sums, place: 0 };
  });
  const bySize = all.toSorted((a, b) => b.dimension.sums - a.dimension.sums);
  const none = { sums: 0, sumOf: new Int32Array(leaves).fill(-1) };
  const [apart = { dimension: none, first: 0, place: 0 }, ...others] = bySize;
  const joint: Placed[] = [];
  let place = 0;
  for (const other of others.toReversed()) {
    if (place + other.dimension.sums > JOINT_SUMS_MAX) break;
    joint.push({ ...other, place });
    place += other.dimension.sums;
  }
  return { apart, joint };
}

/** Leaves of every sum of the dimension, in their order: `leaf[start[s]…start[s + 1])`. */
function leavesBySum({ dimension }: Placed, leaves: number): { start: Int32Array; leaf: Int32Array } {
  const { sums, sumOf } = dimension;
  const start = new Int32Array(sums + 2);
  for (let i = 0; i < leaves; i++) if (sumOf[i]! >= 0) start[sumOf[i]! + 2]!++;
  for (let s = 2; s < start.length; s++) start[s]! += start[s - 1]!;
  const leaf = new Int32Array(leaves);
  for (let i = 0; i < leaves; i++) if (sumOf[i]! >= 0) leaf[start[sumOf[i]! + 1]!++] = i;
  return { start, leaf };
}

/** Puts `value` in its place among the `count` rising ones; most come in their order. */
function insert(rising: Int32Array, count: number, value: number): void {
  let at = count;
  while (at > 0 && rising[at - 1]! > value) {
    rising[at] = rising[at - 1]!;
    at--;
  }
  rising[at] = value;
}

/** A symmetric system of `n` unknowns, of which only the lower triangle is kept. */
function createSystem(n: number) {
  const values = new Float64Array(n * n);
  /** 1 / D of LDLᵀ; 0 for an unknown that is left at zero. */
  const pivot = new Float64Array(n);
  const packed = new Float64Array(n);
  /** A row of L·D. */
  const scaled = new Float64Array(n);
  return {
    clear(): void {
      values.fill(0);
    },
    add(p: number, q: number, value: number): void {
      values[p * n + q]! += value;
    },
    at: (p: number, q: number): number => values[p * n + q]!,
    /**
     * Takes off `factor` times the outer product of the vector with `weight[p]` at the `count` places p in `at`, which
     * rise. The costliest loops of all: they run over packed weights, and without a detour where no place is left out.
     */
    takeOuter(at: Int32Array, weight: Float64Array, count: number, factor: number): void {
      for (let k = 0; k < count; k++) packed[k] = weight[at[k]!]!;
      const last = count > 0 ? at[count - 1]! : 0;
      const all = last === at[0]! + count - 1;
      for (let j = 0; j < count; j++) {
        const scale = factor * packed[j]!;
        const row = at[j]! * n;
        if (all) {
          const first = row + at[0]!;
          for (let k = 0; k <= j; k++) values[first + k]! -= scale * packed[k]!;
        } else {
          for (let k = 0; k <= j; k++) values[row + at[k]!]! -= scale * packed[k]!;
        }
      }
    },
    /** Factors in place. An unknown whose pivot vanishes beside `reference`, or that is infinite, is left at zero. */
    factor(reference: Float64Array): void {
      for (let p = 0; p < n; p++) {
        const row = p * n;
        let diagonal = values[row + p]!;
        for (let q = 0; q < p; q++) {
          let sum = values[row + q]!;
          for (let k = 0; k < q; k++) sum -= scaled[k]! * values[q * n + k]!;
          scaled[q] = pivot[q] === 0 ? 0 : sum;
        }
        for (let q = 0; q < p; q++) {
          values[row + q] = scaled[q]! * pivot[q]!;
          diagonal -= scaled[q]! * values[row + q]!;
        }
        pivot[p] = diagonal > PIVOT_MIN * reference[p]! ? 1 / diagonal : 0;
      }
    },
    /** Solves in place. */
    solve(x: Float64Array): void {
      for (let p = 0; p < n; p++) {
        for (let q = 0; q < p; q++) x[p]! -= values[p * n + q]! * x[q]!;
      }
      for (let p = 0; p < n; p++) x[p]! *= pivot[p]!;
      for (let p = n - 1; p >= 0; p--) {
        for (let q = 0; q < p; q++) x[q]! -= values[p * n + q]! * x[p]!;
      }
    },
  };
}
