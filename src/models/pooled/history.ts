/**
 * What the pooled expert keeps of each series: a ring of its latest buckets, a row each, with the running figures that
 * stood after that bucket, so that the features of any recent origin can be built as they were then.
 */
export type History = {
  readonly rows: Float64Array;
  /** Buckets seen of a series. */
  count(series: number): number;
  /** Begins the row of the next bucket: a copy of the last one, so that figures are moved on in place. */
  append(series: number): number;
  /** Where row `n` (0 = the first bucket) of a series begins; meaningful for the last `length` rows only. */
  at(series: number, n: number): number;
  /** Whether row `n` is still, or already, kept. */
  has(series: number, n: number): boolean;
};

/** Fields of a row; those of the covariates follow, see CovariateFields. */
export const [Y, LEVEL, SIZE, FAST, SHORT, SLOT, NOISE, ERROR, HIGH] = [0, 1, 2, 3, 4, 5, 6, 7, 8] as const;
const FIELDS = 9;

/** Where the fields of covariates begin, one of each covariate after another, those known ahead first. */
export type CovariateFields = {
  readonly value: number;
  /** moving mean */
  readonly mean: number;
  /** of those known ahead: moving sums of what a change of it sold, and of its squared changes */
  readonly effect: number;
  readonly squares: number;
  /** fields of a row in all */
  readonly stride: number;
};

export function covariateFields(known: number, past: number): CovariateFields {
  const value = FIELDS;
  const mean = value + known + past;
  const effect = mean + known + past;
  const squares = effect + known;
  return { value, mean, effect, squares, stride: squares + known };
}

export function createHistory(series: number, length: number, stride: number): History {
  const rows = new Float64Array(series * length * stride);
  const counts = new Int32Array(series);
  const at = (s: number, n: number): number => (s * length + (n % length)) * stride;
  return {
    rows,
    at,
    count: (s) => counts[s]!,
    append(s) {
      const n = counts[s]!;
      const place = at(s, n);
      if (n > 0) rows.copyWithin(place, at(s, n - 1), at(s, n - 1) + stride);
      else rows.fill(0, place, place + stride);
      counts[s] = n + 1;
      return place;
    },
    has: (s, n) => n >= 0 && n < counts[s]! && n >= counts[s]! - length,
  };
}
