/**
 * Deletes rows that were appended longer ago than their topic's retention, oldest first, so that what remains of a
 * partition is its end. The time of the append decides, not the records' own timestamps: history that is loaded or
 * replayed carries old ones, and must not vanish as it arrives.
 */
import type { DatabaseSync } from 'node:sqlite';
import { OFFSETS_MAX, rowId } from './database.ts';
import { inTransaction } from './write-batches.ts';

/** At most 16 MiB of full rows; deleting touches only their page numbers. */
const ROWS_PER_SLICE = 64;

type Expiring = { readonly id: number; readonly retention_ms: number };

/** Yields the number of rows deleted by each slice. */
export function* expireRows(database: DatabaseSync, nowMs: number): Generator<number> {
  const partitions = database
    .prepare(
      `SELECT id, retention_ms FROM partitions JOIN topics ON topics.name = partitions.topic
       WHERE retention_ms IS NOT NULL ORDER BY id`,
    )
    .all() as unknown as Expiring[];
  const oldest = database.prepare(
    `SELECT id, appended_at_ms FROM batches WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ${ROWS_PER_SLICE}`,
  );
  const remove = database.prepare('DELETE FROM batches WHERE id BETWEEN ? AND ?');

  for (const { id, retention_ms: retentionMs } of partitions) {
    for (;;) {
      const rows = oldest.all(rowId(id, 0), rowId(id, OFFSETS_MAX - 1)) as {
        id: number;
        appended_at_ms: number;
      }[];
      const firstKept = rows.findIndex((row) => row.appended_at_ms >= nowMs - retentionMs);
      const expired = firstKept < 0 ? rows : rows.slice(0, firstKept);
      const last = expired.at(-1);
      if (last === undefined) break;
      inTransaction(database, () => remove.run(rowId(id, 0), last.id));
      yield expired.length;
    }
  }
}
