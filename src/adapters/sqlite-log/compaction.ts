/**
 * Compaction, as in Kafka's log cleaner: of the records with one key the latest stays, at its offset; offsets keep
 * their gaps. First the new part of a partition is read and the latest offset of every key in it remembered, then
 * everything up to there is rewritten without what they replace. A tombstone (null value) stays for its grace time, for
 * readers that are behind, and goes with the first compaction after it. Records without a key stay.
 *
 * Every slice is a transaction that drops only what a later record replaces, so stopping anywhere is safe: the work
 * begins again. A damaged record stops the compaction of its partition and leaves everything as it is.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { LogLimits } from '../../config.ts';
import type { TopicPartition } from '../../pipeline/log.ts';
import { rowId } from './database.ts';
import type { BatchReader, Row } from './read-batches.ts';
import {
  isTombstone,
  recordBytesAt,
  recordDelta,
  recordIntact,
  recordKeyText,
  sealRecord,
} from './record-codec.ts';
import { inTransaction } from './write-batches.ts';

type Partition = TopicPartition & {
  readonly id: number;
  readonly next_offset: number;
  readonly compacted_to: number;
  readonly compacted_records: number;
};

export type CompactionSlice = {
  readonly recordsCompacted: number;
  readonly damaged: (TopicPartition & { readonly offset: number }) | null;
};

type Context = {
  readonly database: DatabaseSync;
  readonly reader: BatchReader;
  readonly limits: LogLimits;
  readonly nowMs: number;
};

const NOTHING: CompactionSlice = { recordsCompacted: 0, damaged: null };

export function* compactTopics(context: Context): Generator<CompactionSlice> {
  const partitions = context.database
    .prepare(
      `SELECT id, topic, partition, next_offset, compacted_to, compacted_records
       FROM partitions JOIN topics ON topics.name = partitions.topic WHERE compacted = 1 ORDER BY id`,
    )
    .all() as unknown as Partition[];
  for (const partition of partitions) {
    const fresh = partition.next_offset - partition.compacted_to;
    if (fresh >= Math.max(context.limits.compactionRecordsMin, partition.compacted_records / 2)) {
      yield* compactPartition(context, partition);
    }
  }
}

function* compactPartition(context: Context, partition: Partition): Generator<CompactionSlice> {
  const latest = new Map<string, number>();
  const scanned = yield* rememberLatest(context, partition, latest);
  if (scanned === null) return;
  let kept = 0;
  for (let offset = 0; offset < scanned;) {
    const rows = rowsBefore(context, partition, { offset, end: scanned });
    const last = rows.at(-1);
    if (last === undefined) break;
    const damagedAt = firstDamaged(partition, rows);
    if (damagedAt !== null) {
      yield damage(partition, damagedAt);
      return;
    }
    const rewritten = rewrite(context, partition, { rows, latest });
    kept += rewritten.kept;
    yield { recordsCompacted: rewritten.dropped, damaged: null };
    offset = last.last_offset + 1;
  }
  context.database
    .prepare('UPDATE partitions SET compacted_to = ?, compacted_records = ? WHERE id = ?')
    .run(scanned, kept, partition.id);
}

/** Fills `latest` from the new part of the partition; returns the offset it got to, or null for a damaged record. */
function* rememberLatest(
  context: Context,
  partition: Partition,
  latest: Map<string, number>,
): Generator<CompactionSlice, number | null> {
  let offset = partition.compacted_to;
  while (offset < partition.next_offset && latest.size < context.limits.compactionKeysMax) {
    const rows = rowsBefore(context, partition, { offset, end: partition.next_offset });
    const last = rows.at(-1);
    if (last === undefined) return partition.next_offset;
    const damagedAt = firstDamaged(partition, rows);
    if (damagedAt !== null) {
      yield damage(partition, damagedAt);
      return null;
    }
    for (const record of recordsOf(partition, rows)) {
      const key = recordKeyText(record.bytes, record.at);
      if (key !== null) latest.set(key, record.offset);
    }
    offset = last.last_offset + 1;
    yield NOTHING;
  }
  return offset;
}

/** Rows appended meanwhile are left for the next time. */
function rowsBefore(context: Context, partition: Partition, span: { offset: number; end: number }): Row[] {
  const rows = context.reader.rows(partition.id, span.offset, context.limits.maintenanceSliceBytesMax);
  return rows.filter((row) => row.last_offset < span.end);
}

type Output = { readonly base: number; last: number; appendedAtMs: number; bytes: number; parts: Buffer[] };

function rewrite(
  context: Context,
  partition: Partition,
  { rows, latest }: { rows: readonly Row[]; latest: ReadonlyMap<string, number> },
): { kept: number; dropped: number } {
  const settledBeforeMs = context.nowMs - context.limits.tombstoneGraceMs;
  const outputs: Output[] = [];
  let kept = 0;
  let dropped = 0;
  for (const row of rows) {
    const settled = row.appended_at_ms < settledBeforeMs;
    let joins = settled && (outputs.at(-1)?.appendedAtMs ?? Infinity) < settledBeforeMs;
    for (const record of recordsOf(partition, [row])) {
      if (!isKept(record, latest, settled)) {
        dropped++;
        continue;
      }
      kept++;
      let output = outputs.at(-1);
      if (output === undefined || !joins || output.bytes >= context.limits.rowBytesMax) {
        output = {
          base: record.offset,
          last: record.offset,
          appendedAtMs: row.appended_at_ms,
          bytes: 0,
          parts: [],
        };
        outputs.push(output);
        joins = true;
      }
      put(output, record, row.appended_at_ms);
    }
  }
  if (dropped > 0 || outputs.length < rows.length)
    replaceRows(context.database, partition, { rows, outputs });
  return { kept, dropped };
}

/** Only settled rows are joined: in them no tombstone waits whose time the younger row would prolong. */
function put(output: Output, record: StoredRecord, appendedAtMs: number): void {
  const bytes = Buffer.from(
    record.bytes.subarray(record.at, record.at + recordBytesAt(record.bytes, record.at)),
  );
  sealRecord(bytes, 0, record.offset - output.base);
  output.parts.push(bytes);
  output.bytes += bytes.length;
  output.last = record.offset;
  output.appendedAtMs = Math.max(output.appendedAtMs, appendedAtMs);
}

function isKept(record: StoredRecord, latest: ReadonlyMap<string, number>, settled: boolean): boolean {
  const key = recordKeyText(record.bytes, record.at);
  if (key === null) return true;
  if ((latest.get(key) ?? record.offset) > record.offset) return false;
  return !(settled && isTombstone(record.bytes, record.at));
}

function replaceRows(
  database: DatabaseSync,
  partition: Partition,
  { rows, outputs }: { rows: readonly Row[]; outputs: readonly Output[] },
): void {
  const remove = database.prepare('DELETE FROM batches WHERE id = ?');
  const insert = database.prepare(
    'INSERT INTO batches (id, last_offset, appended_at_ms, records) VALUES (?, ?, ?, ?)',
  );
  inTransaction(database, () => {
    for (const row of rows) remove.run(row.id);
    for (const output of outputs) {
      insert.run(
        rowId(partition.id, output.base),
        output.last,
        output.appendedAtMs,
        Buffer.concat(output.parts),
      );
    }
  });
}

type StoredRecord = { readonly bytes: Buffer; readonly at: number; readonly offset: number };

function* recordsOf(partition: Partition, rows: readonly Row[]): Generator<StoredRecord> {
  for (const row of rows) {
    const bytes = Buffer.from(row.records.buffer, row.records.byteOffset, row.records.length);
    const base = row.id - rowId(partition.id, 0);
    for (let at = 0; at < bytes.length; at += recordBytesAt(bytes, at)) {
      yield { bytes, at, offset: base + recordDelta(bytes, at) };
    }
  }
}

function firstDamaged(partition: Partition, rows: readonly Row[]): number | null {
  for (const row of rows) {
    const bytes = Buffer.from(row.records.buffer, row.records.byteOffset, row.records.length);
    let offset = row.id - rowId(partition.id, 0);
    for (let at = 0; at < bytes.length; at += recordBytesAt(bytes, at)) {
      if (!recordIntact(bytes, at)) return offset;
      offset = row.id - rowId(partition.id, 0) + recordDelta(bytes, at) + 1;
    }
    if (offset <= row.last_offset) return offset;
  }
  return null;
}

function damage(partition: Partition, offset: number): CompactionSlice {
  const { topic, partition: number } = partition;
  return { recordsCompacted: 0, damaged: { topic, partition: number, offset } };
}
