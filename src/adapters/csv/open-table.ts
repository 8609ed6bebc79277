/** A CSV file as a header and rows, opened and looked at before anything is done with it. */
import { ForetillError } from '../../errors.ts';
import { openTextFile } from './open-bytes.ts';
import type { CsvRow } from './parse-rows.ts';
import { parseRows } from './parse-rows.ts';

export type CsvTable = {
  readonly path: string;
  readonly header: readonly string[];
  /** The rows after the header, in the batches in which they were read. To be gone through once. */
  readonly batches: AsyncIterable<readonly CsvRow[]>;
  readonly bytesTotal: number;
  bytesRead(): number;
};

/** Throws INPUT_NOT_FOUND or INPUT_INVALID (src/adapters/csv/open-bytes.ts), also when there is only a header. */
export async function openTable(path: string): Promise<CsvTable> {
  const file = await openTextFile(path);
  const batches = parseRows(file.chunks)[Symbol.asyncIterator]();
  const first = await batches.next();
  const header = first.done === true ? undefined : first.value[0];
  if (header === undefined) throw noRows(path);
  const rest = first.done === true ? [] : first.value.slice(1);
  const second = rest.length === 0 ? await batches.next() : undefined;
  if (second?.done === true) throw noRows(path);
  return {
    path,
    header: header.fields.map((name) => name.trim()),
    batches: continued(rest.length === 0 ? (second?.value ?? []) : rest, batches),
    bytesTotal: file.bytesTotal,
    bytesRead: file.bytesRead,
  };
}

async function* continued(
  first: readonly CsvRow[],
  others: AsyncIterator<CsvRow[]>,
): AsyncGenerator<readonly CsvRow[]> {
  try {
    yield first;
    for (let next = await others.next(); next.done !== true; next = await others.next()) yield next.value;
  } finally {
    await others.return?.();
  }
}

function noRows(path: string): ForetillError {
  return new ForetillError('INPUT_INVALID', `${path} holds no rows.`, {
    remedy: 'It needs one line of column names and at least one line of data.',
  });
}
