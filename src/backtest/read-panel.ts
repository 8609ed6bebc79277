/** A panel from a long CSV: a row per series and bucket. */
import { basename } from 'node:path';
import type { DateOrder } from '../adapters/csv/local-time.ts';
import type { CsvTable } from '../adapters/csv/open-table.ts';
import { RowFault } from '../adapters/csv/read-sale.ts';
import type { RowProblem, RowProblems } from '../adapters/csv/row-problems.ts';
import { ForetillError } from '../errors.ts';
import { frequencyOfStep, parseFrequency } from './frequency.ts';
import type { Frequency } from './frequency.ts';
import { buildPanel, createSeriesRows } from './panel.ts';
import type { Panel, PanelFault, SeriesRows } from './panel.ts';
import { createRowReader, ownText } from './read-panel-row.ts';
import type { PanelColumns } from './read-panel-row.ts';

export type PanelRequest = {
  readonly table: CsvTable;
  readonly columns: PanelColumns;
  /** null: as far as most rows lie apart */
  readonly frequency: string | null;
  readonly dateOrder: DateOrder;
  readonly problems: RowProblems;
  readonly onRows?: (rows: number) => void;
};

export type PanelReading = {
  readonly panel: Panel;
  readonly rows: number;
  /** buckets missing between rows of a series */
  readonly gaps: number;
};

/** Rows that are kept; a panel lies in memory. */
const ROWS_MAX = 20_000_000;
/** So many rows say how far rows lie apart; a series is looked at whole. */
const STEPS_LOOKED_AT_MIN = 100_000;

/**
 * Throws USAGE for columns that are not there, and INPUT_INVALID when no row is good or the frequency cannot be told.
 * Bad rows are added to `problems` and left out.
 */
export async function readPanel(request: PanelRequest): Promise<PanelReading> {
  const { table, columns, problems } = request;
  const given = request.frequency === null ? null : frequencyNamed(request.frequency);
  const reader = createRowReader(table, columns, request.dateOrder);
  const covariates = columns.known.length + columns.past.length;
  const byId = new Map<string, SeriesRows>();
  let rows = 0;
  for await (const batch of table.batches) {
    rows += batch.length;
    if (rows > ROWS_MAX) throw tooLong(table.path);
    for (const row of batch) {
      try {
        const { id, values } = reader.read(row);
        let series = byId.get(id);
        if (series === undefined) byId.set(ownText(id), (series = createSeriesRows(covariates)));
        series.add(values);
      } catch (error) {
        if (!(error instanceof RowFault)) throw error;
        problems.add({ line: row.line, column: error.column, reason: error.message });
      }
    }
    request.onRows?.(rows);
  }
  if (byId.size === 0) throw noGoodRow(table.path, problems);
  const { ds, times, numbers } = reader.times();
  const frequency = settleFrequency(table.path, given, numbers, commonestStep(byId, times));
  const { known, past } = columns;
  const { panel, faults, gaps } = buildPanel({ frequency, rows: byId, ds, times, known, past });
  for (const fault of faults) problems.add(problemOf(fault, columns));
  return { panel, rows, gaps };
}

function problemOf({ kind, id, line, otherLine }: PanelFault, columns: PanelColumns): RowProblem {
  if (kind === 'duplicate') {
    return {
      line,
      column: columns.time,
      reason: `the same bucket of ${id} is on line ${otherLine}, which counts`,
    };
  }
  return {
    line,
    column: columns.split ?? '',
    reason: `it comes after a row of ${id} called test (line ${otherLine}), so it counts as test`,
  };
}

function frequencyNamed(text: string): Frequency {
  const frequency = parseFrequency(text);
  if (frequency !== null) return frequency;
  throw new ForetillError('USAGE', `--freq ${text.slice(0, 40)} is no frequency.`, {
    remedy:
      'Use 15min, h, D, W, M, Q or Y, with a number before it where needed (4h), or 1 for a counted index.',
  });
}

/** What was given, if the rows lie apart so; else what they say themselves. */
function settleFrequency(path: string, given: Frequency | null, numbers: boolean, stepMs: number): Frequency {
  const found = numbers ? parseFrequency('1') : frequencyOfStep(stepMs);
  const frequency = given ?? found;
  if (frequency === null) throw noFrequency(path);
  const fits =
    frequency.kind === 'index'
      ? numbers
      : !numbers && (stepMs === 0 || frequency.kind !== 'width' || frequency.widthMs === stepMs);
  if (!fits) throw wrongFrequency(path, frequency, found?.name);
  return frequency;
}

/** How far rows that follow each other in time lie apart most often; 0 when no series has two. */
function commonestStep(rows: ReadonlyMap<string, SeriesRows>, timesOfDs: readonly number[]): number {
  const counts = new Map<number, number>();
  let looked = 0;
  for (const series of rows.values()) {
    const { count, stride, values } = series.rows();
    const times = Float64Array.from({ length: count }, (_, row) => timesOfDs[values[row * stride]!]!).sort();
    for (let i = 1; i < times.length; i++) {
      const step = times[i]! - times[i - 1]!;
      if (step > 0) counts.set(step, (counts.get(step) ?? 0) + 1);
    }
    looked += times.length;
    if (looked >= STEPS_LOOKED_AT_MIN) break;
  }
  let best = 0;
  for (const [step, times] of counts) if (times > (counts.get(best) ?? 0)) best = step;
  return best;
}

function noGoodRow(path: string, problems: RowProblems): ForetillError {
  const first = problems.kept()[0];
  const why =
    first === undefined
      ? ''
      : ` The first problem: line ${first.line}${first.column === '' ? '' : `, column ${first.column}`}: ${first.reason}.`;
  return new ForetillError('INPUT_INVALID', `${basename(path)} has no good row.${why}`, {
    remedy:
      'Say which columns hold what with --id, --time and --target, and how dates are written with --dates.',
  });
}

function noFrequency(path: string): ForetillError {
  return new ForetillError(
    'INPUT_INVALID',
    `How far the buckets of ${basename(path)} lie apart cannot be told.`,
    {
      remedy: 'Say it: --freq 15min, h, D, W, M, or 1 where the time column counts buckets.',
    },
  );
}

function wrongFrequency(path: string, given: Frequency, found: string | undefined): ForetillError {
  const seen = found === undefined ? 'otherwise' : `by ${found}`;
  return new ForetillError(
    'USAGE',
    `--freq ${given.name}: the rows of ${basename(path)} lie apart ${seen}.`,
    {
      remedy: found === undefined ? 'Check --time and --freq.' : `Use --freq ${found}, or check --time.`,
    },
  );
}

function tooLong(path: string): ForetillError {
  return new ForetillError(
    'INPUT_INVALID',
    `${basename(path)} has over ${ROWS_MAX.toLocaleString('en')} rows.`,
    {
      remedy: 'A backtest holds its series in memory: take fewer of them, or a shorter time.',
    },
  );
}
