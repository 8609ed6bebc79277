/** One row of a long CSV as a bucket of a series. */
import { basename } from 'node:path';
import { instantOfText } from '../adapters/csv/local-time.ts';
import type { DateOrder } from '../adapters/csv/local-time.ts';
import type { CsvTable } from '../adapters/csv/open-table.ts';
import type { CsvRow } from '../adapters/csv/parse-rows.ts';
import { RowFault } from '../adapters/csv/read-sale.ts';
import { ForetillError } from '../errors.ts';
import type { PanelRow } from './panel.ts';

export type PanelColumns = {
  readonly id: string;
  readonly time: string;
  readonly target: string;
  /** rows of which it says "test" are forecast */
  readonly split: string | null;
  readonly known: readonly string[];
  readonly past: readonly string[];
};

export type RowReader = {
  /** Throws RowFault. */
  read(row: CsvRow): { readonly id: string; readonly values: PanelRow };
  /** All texts of the time column so far, and what time each is; whether they are whole numbers. */
  times(): { readonly ds: readonly string[]; readonly times: readonly number[]; readonly numbers: boolean };
};

export function createRowReader(table: CsvTable, columns: PanelColumns, dateOrder: DateOrder): RowReader {
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

/** A text of its own: a piece of a larger one would keep all of that in memory. */
export function ownText(text: string): string {
  return Buffer.from(text).toString();
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}
