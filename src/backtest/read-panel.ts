/** A panel from a long CSV: a row per series and bucket. */
import { basename } from 'node:path';
import { instantOfText } from '../adapters/csv/local-time.ts';
import type { DateOrder } from '../adapters/csv/local-time.ts';
import type { CsvTable } from '../adapters/csv/open-table.ts';
import type { CsvRow } from '../adapters/csv/parse-rows.ts';
import { RowFault } from '../adapters/csv/read-sale.ts';
import type { RowProblems } from '../adapters/csv/row-problems.ts';
import { ForetillError } from '../errors.ts';
import { bucketIndex, frequencyOfStep, parseFrequency } from './frequency.ts';
import type { Frequency } from './frequency.ts';
import { buildPanel } from './panel.ts';
import type { Panel, PanelRow } from './panel.ts';

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
const ROWS_MAX = 50_000_000;
/** Differences that are looked at to find out the frequency. */
const STEPS_LOOKED_AT_MAX = 100_000;

/**
 * Throws USAGE for columns that are not there, and INPUT_INVALID when no row is good or the frequency cannot be told.
 * Bad rows are added to `problems` and left out.
 */
export async function readPanel(request: PanelRequest): Promise<PanelReading> {
  const { table, columns, problems } = request;
  const reader = createRowReader(table, columns, request.dateOrder);
  const byId = new Map<string, PanelRow[]>();
  let rows = 0;
  for await (const batch of table.batches) {
    rows += batch.length;
    if (rows > ROWS_MAX) throw tooLong(table.path);
    for (const row of batch) {
      try {
        const { id, ...rest } = reader.read(row);
        const series = byId.get(id);
        if (series === undefined) byId.set(ownText(id), [rest]);
        else series.push(rest);
      } catch (error) {
        if (!(error instanceof RowFault)) throw error;
        problems.add({ line: row.line, column: error.column, reason: error.message });
      }
    }
    request.onRows?.(rows);
  }
  if (byId.size === 0) throw noGoodRow(table.path, problems);
  const frequency = settleFrequency(request, reader.timesAreNumbers(), byId);
  const { known, past } = columns;
  const built = buildPanel({ frequency, rows: byId, ds: reader.ds(), known, past });
  for (const fault of built.faults) {
    const reason =
      fault.kind === 'duplicate'
        ? `the same bucket of ${fault.id} is on line ${fault.firstLine}, which counts`
        : `a row of ${fault.id} that is not called test comes after one that is; it counts as test`;
    problems.add({
      line: fault.line,
      column: fault.kind === 'duplicate' ? columns.time : (columns.split ?? ''),
      reason,
    });
  }
  return { panel: built.panel, rows, gaps: built.gaps };
}

type RowReader = {
  /** Throws RowFault. */
  read(row: CsvRow): PanelRow & { readonly id: string };
  ds(): readonly string[];
  timesAreNumbers(): boolean;
};

type TimeText = { readonly at: number; readonly time: number };

function createRowReader(table: CsvTable, columns: PanelColumns, dateOrder: DateOrder): RowReader {
  const { header } = table;
  const place = (column: string): number => placeOf(table, column);
  const [id, time, target] = [place(columns.id), place(columns.time), place(columns.target)];
  const split = columns.split === null ? null : place(columns.split);
  const known = columns.known.map(place);
  const past = columns.past.map(place);
  const times = new Map<string, TimeText>();
  const ds: string[] = [];
  let numbers: boolean | null = null;

  function timeOf(text: string): TimeText {
    const seen = times.get(text);
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
    const found = { at: ds.length, time: value };
    ds.push(ownText(text));
    times.set(ds[found.at]!, found);
    return found;
  }

  return {
    read(row) {
      if (row.problem !== null) throw new RowFault('', row.problem);
      const { fields, line } = row;
      if (fields.length !== header.length) {
        throw new RowFault('', `it has ${fields.length} columns, the header has ${header.length}`);
      }
      const name = fields[id]!.trim();
      if (name === '') throw new RowFault(columns.id, 'it is empty: whose row is it?');
      const numberAt = (at: number): number => numberOf(fields[at]!, header[at]!);
      const bucket = timeOf(fields[time]!.trim());
      return {
        id: name,
        time: bucket.time,
        ds: bucket.at,
        y: numberAt(target),
        known: known.map(numberAt),
        past: past.map(numberAt),
        test: split !== null && fields[split]!.trim().toLowerCase() === 'test',
        line,
      };
    },
    ds: () => ds,
    timesAreNumbers: () => numbers === true,
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

function numberOf(text: string, column: string): number {
  const trimmed = text.trim();
  if (trimmed === '') throw new RowFault(column, 'it is empty; a bucket without sales is 0');
  const value = /^[-+.\d]/.test(trimmed) ? Number(trimmed) : Number.NaN;
  if (Number.isFinite(value)) return value;
  throw new RowFault(column, `${quoted(text)} is no number`);
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

function settleFrequency(
  { table, frequency }: PanelRequest,
  numbers: boolean,
  rows: ReadonlyMap<string, readonly PanelRow[]>,
): Frequency {
  const commonest = commonestStep(rows);
  const found = numbers ? parseFrequency('1') : frequencyOfStep(commonest);
  const given = frequency === null ? found : parseFrequency(frequency);
  if (given === null) throw frequency === null ? noFrequency(table.path) : unknownFrequency(frequency);
  if ((given.kind === 'index') !== numbers)
    throw wrongFrequency(table.path, given, numbers ? '1' : found?.name);
  const [first] = rows.values();
  const time = first?.[0]?.time ?? 0;
  const buckets = bucketIndex(given, time + commonest) - bucketIndex(given, time);
  if (given.kind === 'width' && commonest > 0 && (buckets !== 1 || commonest < given.widthMs))
    throw wrongFrequency(table.path, given, found?.name);
  return given;
}

/** How far rows that follow each other in time lie apart most often; 0 when no series has two. */
function commonestStep(rows: ReadonlyMap<string, readonly PanelRow[]>): number {
  const counts = new Map<number, number>();
  let looked = 0;
  for (const series of rows.values()) {
    const times = series.slice(0, STEPS_LOOKED_AT_MAX).map(({ time }) => time);
    times.sort((a, b) => a - b);
    for (let i = 1; i < times.length; i++) {
      const step = times[i]! - times[i - 1]!;
      if (step > 0) counts.set(step, (counts.get(step) ?? 0) + 1);
    }
    looked += times.length;
    if (looked >= STEPS_LOOKED_AT_MAX) break;
  }
  let best = 0;
  for (const [step, count] of counts) if (count > (counts.get(best) ?? 0)) best = step;
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

function unknownFrequency(text: string): ForetillError {
  return new ForetillError('USAGE', `--freq ${text.slice(0, 40)} is no frequency.`, {
    remedy:
      'Use 15min, h, D, W, M, Q or Y, with a number before it where needed (4h), or 1 for a counted index.',
  });
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
