/** Many series side by side, as a backtest folds them. */
import { bucketIndex } from './frequency.ts';
import type { Frequency } from './frequency.ts';

export type PanelSeries = {
  readonly id: string;
  /** a bucket each, in the order of time; all arrays below have its length */
  readonly y: Float64Array;
  /** place of the bucket on the axis that all series share: see bucketIndex */
  readonly index: Float64Array;
  /** place of the bucket's text in `Panel.ds` */
  readonly ds: Int32Array;
  /** covariates known ahead, a row of `Panel.known.length` per bucket */
  readonly known: Float64Array;
  /** covariates known only with the bucket itself, a row of `Panel.past.length` per bucket */
  readonly past: Float64Array;
  /** buckets before the first one that the split column calls test; all of them when there is no such column */
  readonly trainLength: number;
};

/** The numbers lie in shared memory, so that threads read one copy. */
export type Panel = {
  readonly frequency: Frequency;
  /** sorted by id */
  readonly series: readonly PanelSeries[];
  /** every text of the time column once */
  readonly ds: readonly string[];
  readonly known: readonly string[];
  readonly past: readonly string[];
};

/** One row of the file, checked. */
export type PanelRow = {
  /** place of its time in the list of all times */
  readonly ds: number;
  readonly y: number;
  /** those known ahead, then those known only afterwards */
  readonly covariates: readonly number[];
  readonly test: boolean;
  /** in the file, for messages */
  readonly line: number;
};

/** Rows of one series in the order of the file, packed: there may be millions. */
export type SeriesRows = { add(row: PanelRow): void; rows(): PackedRows };

/** A row is `DS, Y, LINE, TEST` and its covariates. */
export type PackedRows = { readonly count: number; readonly stride: number; readonly values: Float64Array };

const [DS, Y, LINE, TEST, COVARIATES] = [0, 1, 2, 3, 4] as const;
const FIRST_ROWS = 16;

export function createSeriesRows(covariates: number): SeriesRows {
  const stride = COVARIATES + covariates;
  let values = new Float64Array(FIRST_ROWS * stride);
  let count = 0;
  return {
    add(row) {
      const at = count * stride;
      if (at === values.length) {
        const grown = new Float64Array(2 * values.length);
        grown.set(values);
        values = grown;
      }
      values[at + DS] = row.ds;
      values[at + Y] = row.y;
      values[at + LINE] = row.line;
      values[at + TEST] = row.test ? 1 : 0;
      values.set(row.covariates, at + COVARIATES);
      count += 1;
    },
    rows: () => ({ count, stride, values }),
  };
}

export type PanelInput = {
  readonly frequency: Frequency;
  readonly rows: ReadonlyMap<string, SeriesRows>;
  /** every text of the time column once, and what time it is: see bucketIndex */
  readonly ds: readonly string[];
  readonly times: readonly number[];
  readonly known: readonly string[];
  readonly past: readonly string[];
};

export type PanelFault = {
  readonly kind: 'duplicate' | 'split';
  readonly id: string;
  readonly line: number;
  /** of the row that counts instead, or of the first test row */
  readonly otherLine: number;
};

/**
 * Sorts every series by time. Of two rows in one bucket the first in the file counts. A row called training that lies
 * after a test row is taken as test. `gaps` counts buckets that are missing between rows: rows are taken as they
 * stand, one after another, as other tools do; calendar slots stay right.
 */
export function buildPanel(input: PanelInput): { panel: Panel; faults: readonly PanelFault[]; gaps: number } {
  const faults: PanelFault[] = [];
  let gaps = 0;
  const bucketOfDs = Float64Array.from(input.times, (time) => bucketIndex(input.frequency, time));
  const series = [...input.rows.keys()].sort(byText).map((id) => {
    const rows = (input.rows.get(id) as SeriesRows).rows();
    const order = distinctBuckets(id, rows, bucketOfDs, faults);
    const built = buildSeries(id, rows, order, { input, bucketOfDs, faults });
    const { index } = built;
    for (let i = 1; i < index.length; i++) gaps += index[i]! - index[i - 1]! - 1;
    return built;
  });
  const { frequency, ds, known, past } = input;
  return { panel: { frequency, series, ds, known, past }, faults, gaps };
}

/** Places of the rows that count, in the order of time. */
function distinctBuckets(
  id: string,
  { count, stride, values }: PackedRows,
  bucketOfDs: Float64Array,
  faults: PanelFault[],
): Uint32Array {
  const bucketOf = (row: number): number => bucketOfDs[values[row * stride + DS]!]!;
  const order = Uint32Array.from({ length: count }, (_, row) => row);
  order.sort((a, b) => bucketOf(a) - bucketOf(b) || a - b);
  const lineOf = (row: number): number => values[row * stride + LINE]!;
  let kept = 0;
  for (const row of order) {
    const before = kept === 0 ? null : order[kept - 1]!;
    if (before === null || bucketOf(before) < bucketOf(row)) order[kept++] = row;
    else faults.push({ kind: 'duplicate', id, line: lineOf(row), otherLine: lineOf(before) });
  }
  return order.subarray(0, kept);
}

function buildSeries(
  id: string,
  { stride, values }: PackedRows,
  order: Uint32Array,
  { input, bucketOfDs, faults }: { input: PanelInput; bucketOfDs: Float64Array; faults: PanelFault[] },
): PanelSeries {
  const n = order.length;
  const known = input.known.length;
  const past = input.past.length;
  const series = {
    id,
    y: sharedDoubles(n),
    index: sharedDoubles(n),
    ds: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * n)),
    known: sharedDoubles(n * known),
    past: sharedDoubles(n * past),
  };
  let trainLength = n;
  for (const [i, row] of order.entries()) {
    const at = row * stride;
    series.y[i] = values[at + Y]!;
    series.ds[i] = values[at + DS]!;
    series.index[i] = bucketOfDs[values[at + DS]!]!;
    series.known.set(values.subarray(at + COVARIATES, at + COVARIATES + known), i * known);
    series.past.set(values.subarray(at + COVARIATES + known, at + stride), i * past);
    const test = values[at + TEST] === 1;
    if (test && trainLength === n) trainLength = i;
    if (!test && trainLength < i) {
      const otherLine = values[order[trainLength]! * stride + LINE]!;
      faults.push({ kind: 'split', id, line: values[at + LINE]!, otherLine });
    }
  }
  return { ...series, trainLength };
}

/** `count` of the series, spread evenly over their sorted order: number i is series ⌊i·N/count⌋. */
export function subset(panel: Panel, count: number): Panel {
  const all = panel.series.length;
  if (count >= all) return panel;
  const series = Array.from({ length: count }, (_, i) => panel.series[Math.floor((i * all) / count)]!);
  return { ...panel, series };
}

function sharedDoubles(length: number): Float64Array {
  return new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT * length));
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
