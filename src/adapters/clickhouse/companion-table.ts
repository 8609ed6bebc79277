/** What all companion tables have in common: rows with a key, values and recorded_at, of which the latest holds. */
import type { Row, Store, Table } from './client.ts';
import { contentToken, insertInChunks } from './insert-in-chunks.ts';

export type Recorded = { readonly recordedAtMs: number };

export type CompanionTable<T extends Recorded, R> = {
  readonly table: Table;
  /** The columns of which each combination has one row that holds. */
  readonly keys: readonly string[];
  /** The select list that yields R; `recorded_at_ms` is added to it. */
  readonly select: string;
  toRow(value: T): Row;
  fromRow(row: R & { recorded_at_ms: number }): T;
};

const ROWS_PER_INSERT = 20_000;

/** Entering the same rows again enters nothing. */
export function insertCompanion<T extends Recorded, R>(
  store: Store,
  companion: CompanionTable<T, R>,
  values: readonly T[],
): Promise<void> {
  const rows = values.map((value) => companion.toRow(value));
  const { table } = companion;
  return insertInChunks(store, table, rows, { token: contentToken(table, rows), rowsMax: ROWS_PER_INSERT });
}

export type AsOf = {
  /** What was known at this instant; absent: what is known now. */
  readonly asOfMs?: number;
};

/** The row that holds for every key, in the order of the keys. */
export async function readCompanion<T extends Recorded, R>(
  store: Store,
  companion: CompanionTable<T, R>,
  { asOfMs }: AsOf = {},
): Promise<T[]> {
  const keys = companion.keys.join(', ');
  const known =
    asOfMs === undefined ? '' : "WHERE recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')";
  const rows = await store.query<R & { recorded_at_ms: number }>(
    `SELECT ${companion.select}, toUnixTimestamp64Milli(recorded_at) AS recorded_at_ms
     FROM ${companion.table.name} ${known}
     ORDER BY ${keys}, recorded_at DESC
     LIMIT 1 BY ${keys}`,
    asOfMs === undefined ? {} : { as_of_ms: asOfMs },
  );
  return rows.map((row) => companion.fromRow(row));
}
