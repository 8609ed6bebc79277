/**
 * Text to rows as in RFC 4180: quoted fields may hold delimiters, quotes (doubled) and line breaks. Lines are counted
 * as an editor shows them, so that a message can point at one; that, and speed where there are no quotes, is why this
 * is not a library.
 */
import { ForetillError } from '../../errors.ts';

export type CsvRow = {
  /** Where it begins, from 1. */
  readonly line: number;
  readonly fields: readonly string[];
  /** What is wrong with its text, if anything. */
  readonly problem: string | null;
};

/** A quoted field that is longer has most likely lost its closing quote. */
const ROW_CHARS_MAX = 1_048_576;
const DELIMITERS = [',', ';', '\t', '|'] as const;

/** Yields what each chunk completes. Blank lines are left out. Throws INPUT_INVALID for a quote that never closes. */
export async function* parseRows(
  chunks: AsyncIterable<string>,
  options: { readonly delimiter?: string } = {},
): AsyncGenerator<CsvRow[]> {
  let delimiter = options.delimiter;
  let rest = '';
  let line = 1;
  for await (const chunk of chunks) {
    const text = rest + chunk;
    if (delimiter === undefined && !text.includes('\n') && text.length < ROW_CHARS_MAX) {
      rest = text;
      continue;
    }
    delimiter ??= detectDelimiter(text);
    const done = completeRows(text, { line, delimiter, last: false });
    rest = text.slice(done.end);
    line = done.line;
    if (rest.length > ROW_CHARS_MAX) throw unclosed(line);
    if (done.rows.length > 0) yield done.rows;
  }
  if (rest === '') return;
  const done = completeRows(rest, { line, delimiter: delimiter ?? detectDelimiter(rest), last: true });
  if (done.rows.length > 0) yield done.rows;
}

/** The delimiter that the first line holds most often, outside of quotes. */
export function detectDelimiter(text: string): string {
  const firstLine = (text.split('\n', 1)[0] ?? '').replaceAll(/"[^"]*"/g, '');
  let best: string = ',';
  let most = 0;
  for (const delimiter of DELIMITERS) {
    const count = firstLine.split(delimiter).length - 1;
    if (count > most) [best, most] = [delimiter, count];
  }
  return best;
}

type Place = { readonly line: number; readonly delimiter: string; readonly last: boolean };

function completeRows(
  text: string,
  { line, delimiter, last }: Place,
): { rows: CsvRow[]; end: number; line: number } {
  const rows: CsvRow[] = [];
  const damaged = text.includes('\uFFFD');
  let start = 0;
  while (start < text.length) {
    let end = text.indexOf('\n', start);
    if (end === -1 && !last) break;
    if (end === -1) end = text.length;
    const content = text.slice(start, text.charCodeAt(end - 1) === 13 && end > start ? end - 1 : end);
    if (content.includes('"')) {
      const row = quotedRow(text, { start, delimiter, last });
      if (row.end === -1 && !last) break;
      if (row.end === -1) throw unclosed(line);
      if (!isBlank(row.fields))
        rows.push({ line, fields: row.fields, problem: row.problem ?? encodingProblem(damaged, row.fields) });
      line += row.lines;
      start = row.end;
      continue;
    }
    if (content.trim() !== '') {
      const fields = content.split(delimiter);
      rows.push({ line, fields, problem: encodingProblem(damaged, fields) });
    }
    line += 1;
    start = end + 1;
  }
  return { rows, end: start, line };
}

type Quoted = { fields: string[]; end: number; lines: number; problem: string | null };

/** One row from `start` on, field by field; `end` is where the next begins, -1 when this text does not hold it all. */
function quotedRow(
  text: string,
  { start, delimiter, last }: { start: number; delimiter: string; last: boolean },
): Quoted {
  const row: Quoted = { fields: [], end: -1, lines: 1, problem: null };
  let at = start;
  for (;;) {
    let field = '';
    if (text[at] === '"') {
      const closing = closingQuote(text, at + 1);
      if (closing === -1) return row;
      field = text.slice(at + 1, closing).replaceAll('""', '"');
      row.lines += field.split('\n').length - 1;
      at = closing + 1;
    }
    const end = fieldEnd(text, at, delimiter);
    if (end === text.length && !last) return row;
    const tail = text.slice(at, text[end] === '\n' && text[end - 1] === '\r' && end > at ? end - 1 : end);
    if (field !== '' && tail.trim() !== '')
      row.problem = `text after a closing quote: ${JSON.stringify(tail.slice(0, 40))}`;
    row.fields.push(field + (end === text.length && tail.endsWith('\r') ? tail.slice(0, -1) : tail));
    if (end === text.length || text[end] === '\n') {
      row.end = end + 1;
      return row;
    }
    at = end + 1;
  }
}

function closingQuote(text: string, from: number): number {
  let at = text.indexOf('"', from);
  while (at !== -1 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
  return at;
}

function fieldEnd(text: string, from: number, delimiter: string): number {
  let at = from;
  while (at < text.length && text[at] !== delimiter && text[at] !== '\n') at += 1;
  return at;
}

function isBlank(fields: readonly string[]): boolean {
  return fields.length === 1 && fields[0] === '';
}

function encodingProblem(damaged: boolean, fields: readonly string[]): string | null {
  return damaged && fields.some((field) => field.includes('\uFFFD')) ? 'it is not UTF-8 text' : null;
}

function unclosed(line: number): ForetillError {
  return new ForetillError('INPUT_INVALID', `Line ${line}: a quoted field begins there and never ends.`, {
    remedy: 'Close the quote, or double quotes inside of quoted fields ("" for one ").',
  });
}
