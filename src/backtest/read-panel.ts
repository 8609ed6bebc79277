/** A panel from a long CSV: a row per series and bucket. */
import { basename } from 'node:path';
import { instantOfText } from '../adapters/csv/local-time.ts';
import type { DateOrder } from '../adapters/csv/local-time.ts';
import type { CsvTable } from '../adapters/csv/open-table.ts';
import type { CsvRow } from '../adapters/csv/parse-rows.ts';
import { RowFault } from '../adapters/csv/read-sale.ts';
import type { RowProblem, RowProblems } from '../adapters/csv/row-problems.ts';
import { ForetillError } from '../errors.ts';
import { frequencyOfStep, parseFrequency } from './frequency.ts';
import type { Frequency } from './frequency.ts';
import { buildPanel, createSeriesRows } from './panel.ts';
import type { Panel, PanelFault, PanelRow, SeriesRows } from './panel.ts';

export type PanelColumns = {
  readonly id: string;
  readonly time: string;
  readonly target: string;
  /** rows of which it says "test" are forecast */
  readonly split: string | null;
  readonly known: readonly string[];
  readonly past: readonly string[];
};

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

type RowReader = {
  /** Throws RowFault. */
  read(row: CsvRow): { readonly id: string; readonly values: PanelRow };
  /** All texts of the time column so far, and what time each is; whether they are whole numbers. */
  times(): { readonly ds: readonly string[]; readonly times: readonly number[]; readonly numbers: boolean };
};

function createRowReader(table: CsvTable, columns: PanelColumns, dateOrder: DateOrder): RowReader {
  const { header } = table;
  const place = (column: string): number => placeOf(table, column);
  const [id, time, target] = [place(columns.id), place(columns.time), place(columns.target)];
  const split = columns.split === null ? null : place(columns.split);
  const covariates = [...columns.known, ...columns.past].map(place);
  const places = new Map<string, number>();
  const ds: string[] = [];
  const times: number[] = [];
  let numbers: boolean | null = null;

  /** Each text is read once, however many series have it. */
  function placeOfTime(text: string): number {
    const seen = places.get(text);
    if (seen !== undefined) return seen;
    const isNumber = /^[-+]?\d{1,15}$/.test(text) && dateOfDigits(text) === null;
    const value = isNumber ? Number(text) : timeOfText(text, dateOrder);
    if (value === null) throw new RowFault(columns.time, `${quoted(text)} is no date, time or whole number`);
    numbers ??= isNumber;
    if (numbers !== isNumber) {
      throw new RowFault(
        columns.time,
        `${quoted(text)} is ${isNumber ? 'a number' : 'a date'} where rows before it have ${isNumber ? 'dates' : 'numbers'}`,
      );
    }
    const own = ownText(text);
    places.set(own, ds.length);
    times.push(value);
    return ds.push(own) - 1;
  }

  function numberAt(fields: readonly string[], at: number): number {
    const text = fields[at]!.trim();
    if (text === '' && at === target)
      throw new RowFault(columns.target, 'it is empty; a bucket without sales is 0');
    const value = /^[-+.\d]/.test(text) ? Number(text) : Number.NaN;
    if (Number.isFinite(value)) return value;
    throw new RowFault(header[at]!, text === '' ? 'it is empty' : `${quoted(text)} is no number`);
  }

  return {
    read({ fields, line, problem }) {
      if (problem !== null) throw new RowFault('', problem);
      if (fields.length !== header.length) {
        throw new RowFault('', `it has ${fields.length} columns, the header has ${header.length}`);
      }
      const name = fields[id]!.trim();
      if (name === '') throw new RowFault(columns.id, 'it is empty: whose row is it?');
      return {
        id: name,
        values: {
          y: numberAt(fields, target),
          covariates: covariates.map((at) => numberAt(fields, at)),
          test: split !== null && fields[split]!.trim().toLowerCase() === 'test',
          ds: placeOfTime(fields[time]!.trim()),
          line,
        },
      };
    },
    times: () => ({ ds, times, numbers: numbers === true }),
  };
}

function placeOf({ header, path }: CsvTable, column: string): number {
  const exact = header.indexOf(column);
  const at = exact === -1 ? header.findIndex((seen) => seen.toLowerCase() === column.toLowerCase()) : exact;
  if (at !== -1) return at;
  throw new ForetillError('USAGE', `${basename(path)} has no column "${column}".`, {
    remedy: `Its columns are: ${header.map((name) => name.slice(0, 40)).join(', ')}. Say which is which with --id, --time and --target.`,
  });
}

/** The clock as written: a zone or an offset behind it is not looked at. */
function timeOfText(text: string, order: DateOrder): number | null {
  const local = text.replace(/(?<=:\d{2}(?:\.\d+)?)\s*(?:Z|[+-]\d{2}:?\d{2})$/, '');
  const options = { timeZone: 'UTC', order };
  if (/^\d{4}-\d{2}$/.test(local)) return instantOfText(`${local}-01`, options);
  return dateOfDigits(local) ?? instantOfText(local, options);
}

/** 20170131 is a day and no count. */
function dateOfDigits(text: string): number | null {
  const match = /^(1[6-9]\d{2}|2[01]\d{2})(\d{2})(\d{2})$/.exec(text);
  if (match === null) return null;
  return instantOfText(match.slice(1).join('-'), { timeZone: 'UTC', order: 'iso' });
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

/** A text of its own: a piece of a larger one would keep all of that in memory. */
function ownText(text: string): string {
  return Buffer.from(text).toString();
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 40));
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
