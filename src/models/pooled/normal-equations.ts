/**
 * Weighted least squares with forgetting, kept as its normal equations: `A ← λ·A + Σ w·x·xᵀ`, `b ← λ·b + Σ w·z·x`,
 * solved as `(A + ρ·I)·β = b`: β is drawn towards zero as by ρ rows of weight 1. The first feature is the intercept
 * and is not drawn.
 *
 * A row costs p²/2 multiplications, a solution p³/6 by Cholesky. A feature whose pivot is nothing but rounding gets
 * coefficient 0 instead of a division by it, so β is finite as long as rows are finite and bounded.
 * Source: Golub & Van Loan, Matrix Computations, 4th ed., §4.2; Hoerl & Kennard (1970), Ridge regression.
 */
export type NormalEquations = {
  /** Everything it knows: lower triangle of A row by row, b, summed weight. */
  readonly state: Float64Array;
  /** Lets everything so far count `memory` (λ) times as much. */
  forget(memory: number): void;
  add(x: Float64Array, z: number, weight: number): void;
  /** Summed weight of what still counts. */
  weight(): number;
  /** Writes β; zeros before anything was added. */
  solve(ridge: number, out: Float64Array): void;
};

/** A pivot below this part of its own diagonal is rounding. */
const PIVOT_MIN = 1e-10;

/** `features`: p, the intercept among them. */
export function createNormalEquations(features: number): NormalEquations {
  const p = features;
  const triangle = (p * (p + 1)) / 2;
  const state = new Float64Array(triangle + p + 1);
  const moments = state.subarray(triangle, triangle + p);
  const total = triangle + p;
  const factor = new Float64Array(triangle);
  return {
    state,
    forget(memory) {
      for (let i = 0; i < state.length; i++) state[i]! *= memory;
    },
    add(x, z, weight) {
      let k = 0;
      for (let i = 0; i < p; i++) {
        const wx = weight * x[i]!;
        if (wx === 0) {
          k += i + 1;
          continue;
        }
        for (let j = 0; j <= i; j++) state[k++]! += wx * x[j]!;
        moments[i]! += wx * z;
      }
      state[total]! += weight;
    },
    weight: () => state[total]!,
    solve(ridge, out) {
      out.fill(0);
      if (state[total] === 0) return;
      decompose(state, factor, p, ridge);
      substitute(factor, moments, p, out);
    },
  };
}

/** Lower triangle L with L·Lᵀ = A + ρ·I, row by row; a feature that is dropped has zero on the diagonal. */
function decompose(a: Float64Array, l: Float64Array, p: number, ridge: number): void {
  for (let i = 0; i < p; i++) {
    const row = (i * (i + 1)) / 2;
    for (let j = 0; j < i; j++) {
      const other = (j * (j + 1)) / 2;
      const pivot = l[other + j]!;
      let sum = a[row + j]!;
      for (let k = 0; k < j; k++) sum -= l[row + k]! * l[other + k]!;
      l[row + j] = pivot > 0 ? sum / pivot : 0;
    }
    const whole = a[row + i]! + (i === 0 ? 0 : ridge);
    let rest = whole;
    for (let k = 0; k < i; k++) rest -= l[row + k]! * l[row + k]!;
    l[row + i] = rest > PIVOT_MIN * whole ? Math.sqrt(rest) : 0;
  }
}

/** Solves L·Lᵀ·out = b, leaving out what was dropped. */
function substitute(l: Float64Array, b: Float64Array, p: number, out: Float64Array): void {
  for (let i = 0; i < p; i++) {
    const row = (i * (i + 1)) / 2;
    const pivot = l[row + i]!;
    let sum = b[i]!;
    for (let k = 0; k < i; k++) sum -= l[row + k]! * out[k]!;
    out[i] = pivot > 0 ? sum / pivot : 0;
  }
  for (let i = p - 1; i >= 0; i--) {
    const pivot = l[(i * (i + 1)) / 2 + i]!;
    let sum = out[i]!;
    for (let k = i + 1; k < p; k++) sum -= l[(k * (k + 1)) / 2 + i]! * out[k]!;
    out[i] = pivot > 0 ? sum / pivot : 0;
  }
}
