import { createHash } from 'node:crypto';
import type { Row, Store, Table } from './client.ts';

/** Inserts any number of rows, at most `rowsMax` at a time; the n-th chunk has the token `token:n`. */
export async function insertInChunks(
  store: Store,
  table: Table,
  rows: readonly Row[],
  options: { token: string; rowsMax: number },
): Promise<void> {
  for (let at = 0, n = 0; at < rows.length; at += options.rowsMax, n++) {
    await store.insert(table, rows.slice(at, at + options.rowsMax), { token: `${options.token}:${n}` });
  }
}

/** A token that says: these very rows. */
export function contentToken(table: Table, rows: readonly Row[]): string {
  return `${table.name}:${createHash('sha256').update(JSON.stringify(rows)).digest('hex')}`;
}
