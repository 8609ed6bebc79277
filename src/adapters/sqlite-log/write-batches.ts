/** Appends and commits of many callers in one transaction: one wait for the disk for all of them. */
import assert from 'node:assert/strict';
import type { DatabaseSync } from 'node:sqlite';
import type { LogLimits } from '../../config.ts';
import { rowId } from './database.ts';
import type { AppendRequest, CommitRequest, Region, RequestOf, StoredTopic } from './protocol.ts';
import { recordBytesAt, sealRecord } from './record-codec.ts';

export type Write = RequestOf<'append'> | RequestOf<'commit'>;

export type BatchWriter = {
  /** Records the partitions of newly created topics. */
  learn(topics: readonly StoredTopic[]): void;
  endOf(partitionId: number): number;
  /** All or nothing. Durable when it returns, with the response to each write; throws SQLite's error. */
  write(writes: readonly Write[]): (readonly number[] | null)[];
};

export function createBatchWriter(database: DatabaseSync, limits: LogLimits): BatchWriter {
  const ends = new Map<number, number>();
  const insert = database.prepare(
    'INSERT INTO batches (id, last_offset, appended_at_ms, records) VALUES (?, ?, ?, ?)',
  );
  const moveEnd = database.prepare('UPDATE partitions SET next_offset = ? WHERE id = ?');
  const commit = database.prepare(
    `INSERT INTO committed (consumer_group, topic, partition, next_offset, metadata) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset, metadata = excluded.metadata`,
  );

  function endOf(partitionId: number): number {
    const end = ends.get(partitionId);
    assert(end !== undefined, `partition ${partitionId} is not known`);
    return end;
  }

  function append(request: AppendRequest, moved: Map<number, number>): number[] {
    const { buffer, byteOffset, length } = request.bytes;
    const bytes = Buffer.from(buffer, byteOffset, length);
    return request.regions.map((region) => {
      const base = moved.get(region.partitionId) ?? endOf(region.partitionId);
      moved.set(region.partitionId, appendRegion(bytes, region, base, request.appendedAtMs));
      return base;
    });
  }

  /** Returns the partition's new end. */
  function appendRegion(bytes: Buffer, region: Region, firstOffset: number, appendedAtMs: number): number {
    let offset = firstOffset;
    let at = region.from;
    while (at < region.to) {
      const row = sealRow(bytes, { from: at, to: region.to, bytesMax: limits.rowBytesMax });
      const lastOffset = offset + row.count - 1;
      insert.run(rowId(region.partitionId, offset), lastOffset, appendedAtMs, bytes.subarray(at, row.to));
      offset = lastOffset + 1;
      at = row.to;
    }
    return offset;
  }

  function commitOffsets({ group, offsets }: CommitRequest): null {
    for (const { topic, partition, offset, metadata } of offsets)
      commit.run(group, topic, partition, offset, metadata);
    return null;
  }

  return {
    learn(topics) {
      for (const topic of topics) {
        topic.ids.forEach((id, partition) => ends.set(id, topic.ends[partition] as number));
      }
    },
    endOf,
    write(writes) {
      const moved = new Map<number, number>();
      const responses = inTransaction(database, () => {
        const done = writes.map((write) =>
          write.name === 'append' ? append(write.request, moved) : commitOffsets(write.request),
        );
        for (const [partitionId, end] of moved) moveEnd.run(end, partitionId);
        return done;
      });
      for (const [partitionId, end] of moved) ends.set(partitionId, end);
      return responses;
    },
  };
}

/** Fills in CRC and offset of as many records as make a row; returns where the row ends. */
function sealRow(
  bytes: Buffer,
  region: { from: number; to: number; bytesMax: number },
): { to: number; count: number } {
  let at = region.from;
  let count = 0;
  while (at < region.to && at - region.from < region.bytesMax) {
    sealRecord(bytes, at, count);
    at += recordBytesAt(bytes, at);
    count++;
  }
  return { to: at, count };
}

/** SQLite itself rolls back on some errors (a full disk among them), so the rollback is asked for only when needed. */
export function inTransaction<Result>(database: DatabaseSync, work: () => Result): Result {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
