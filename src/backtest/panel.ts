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
  /** the bucket's time: see bucketIndex */
  readonly time: number;
  readonly ds: number;
  readonly y: number;
  readonly known: readonly number[];
  readonly past: readonly number[];
  readonly test: boolean;
  /** in the file, for messages */
  readonly line: number;
};

export type PanelInput = {
  readonly frequency: Frequency;
  readonly rows: ReadonlyMap<string, readonly PanelRow[]>;
  readonly ds: readonly string[];
  readonly known: readonly string[];
  readonly past: readonly string[];
};

export type PanelFault =
  | { readonly kind: 'duplicate'; readonly id: string; readonly line: number; readonly firstLine: number }
  | { readonly kind: 'split'; readonly id: string; readonly line: number };

/**
 * Sorts every series by time. Of two rows in one bucket the first in the file counts. A row called training that lies
 * after a test row is taken as test. `gaps` counts buckets that are missing between rows: rows are taken as they
 * stand, one after another, as other tools do; calendar slots stay right.
 */
export function buildPanel(input: PanelInput): { panel: Panel; faults: PanelFault[]; gaps: number } {
  const faults: PanelFault[] = [];
  let gaps = 0;
  const ids = [...input.rows.keys()].sort(byText);
  const series = ids.map((id) => {
    const rows = input.rows.get(id) as readonly PanelRow[];
    const sorted = distinctBuckets(id, rows, input.frequency, faults);
    for (let i = 1; i < sorted.length; i++) gaps += sorted[i]!.index - sorted[i - 1]!.index - 1;
    return buildSeries(id, sorted, input, faults);
  });
  const { frequency, ds, known, past } = input;
  return { panel: { frequency, series, ds, known, past }, faults, gaps };
}

type PlacedRow = { readonly row: PanelRow; readonly index: number };

function distinctBuckets(
  id: string,
  rows: readonly PanelRow[],
  frequency: Frequency,
  faults: PanelFault[],
): readonly PlacedRow[] {
  const placed = rows.map((row) => ({ row, index: bucketIndex(frequency, row.time) }));
  placed.sort((a, b) => a.index - b.index || a.row.line - b.row.line);
  const kept: PlacedRow[] = [];
  for (const each of placed) {
    const before = kept.at(-1);
    if (before === undefined || before.index < each.index) kept.push(each);
    else faults.push({ kind: 'duplicate', id, line: each.row.line, firstLine: before.row.line });
  }
  return kept;
}

function buildSeries(
  id: string,
  rows: readonly PlacedRow[],
  input: PanelInput,
  faults: PanelFault[],
): PanelSeries {
  const n = rows.length;
  const firstTest = rows.findIndex(({ row }) => row.test);
  const trainLength = firstTest === -1 ? n : firstTest;
  const late = rows.slice(trainLength).find(({ row }) => !row.test);
  if (late !== undefined) faults.push({ kind: 'split', id, line: late.row.line });
  const series = {
    id,
    y: sharedDoubles(n),
    index: sharedDoubles(n),
    ds: new Int32Array(new SharedArrayBuffer(4 * n)),
    known: sharedDoubles(n * input.known.length),
    past: sharedDoubles(n * input.past.length),
    trainLength,
  };
  for (const [i, { row, index }] of rows.entries()) {
    series.y[i] = row.y;
    series.index[i] = index;
    series.ds[i] = row.ds;
    series.known.set(row.known, i * input.known.length);
    series.past.set(row.past, i * input.past.length);
  }
  return series;
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
