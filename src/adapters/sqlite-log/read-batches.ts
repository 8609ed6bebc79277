/** Reads whole rows from an offset on and checks every record before it leaves the thread. */
import type { DatabaseSync } from 'node:sqlite';
import type { LogLimits } from '../../config.ts';
import type { OffsetRange } from '../../pipeline/log.ts';
import { OFFSETS_MAX, rowId } from './database.ts';
import type { Fetched, FetchRequest } from './protocol.ts';
import { moveDelta, recordBytesAt, recordDelta, recordIntact, recordWithin } from './record-codec.ts';

export type Row = {
  readonly id: number;
  readonly last_offset: number;
  readonly appended_at_ms: number;
  readonly records: Uint8Array<ArrayBuffer>;
};

export type BatchReader = {
  fetch(request: FetchRequest): Fetched;
  /** Rows from the one holding `offset` on, up to about `bytesMax`, at least one if there is any. */
  rows(partitionId: number, offset: number, bytesMax: number): Row[];
  range(partitionId: number): OffsetRange;
};

type Checked = { readonly bytes: Buffer; readonly count: number; readonly damagedAt: number | null };

export function createBatchReader(
  database: DatabaseSync,
  limits: LogLimits,
  endOf: (partitionId: number) => number,
): BatchReader {
  const holding = database.prepare('SELECT max(id) AS id FROM batches WHERE id BETWEEN ? AND ?');
  const select = database.prepare(
    'SELECT id, last_offset, appended_at_ms, records FROM batches WHERE id BETWEEN ? AND ? ORDER BY id',
  );
  const oldest = database.prepare('SELECT min(id) AS id FROM batches WHERE id BETWEEN ? AND ?');

  function* iterate(partitionId: number, offset: number): Generator<Row> {
    const at = rowId(partitionId, offset);
    const from = (holding.get(rowId(partitionId, 0), at) as { id: number | null }).id ?? at;
    for (const row of select.iterate(from, rowId(partitionId, OFFSETS_MAX - 1))) {
      if ((row['last_offset'] as number) >= offset) yield row as unknown as Row;
    }
  }

  return {
    fetch({ partitionId, offset, recordsMax }) {
      const parts: Buffer[] = [];
      let bytes = 0;
      let records = 0;
      let nextOffset = Math.max(offset, endOf(partitionId));
      for (const row of iterate(partitionId, offset)) {
        const checked = checkRow(row, row.id - rowId(partitionId, 0), offset);
        parts.push(checked.bytes);
        bytes += checked.bytes.length;
        records += checked.count;
        nextOffset = checked.damagedAt ?? row.last_offset + 1;
        if (checked.damagedAt !== null)
          return { bytes: joined(parts), nextOffset, damagedAt: checked.damagedAt };
        if (records >= recordsMax || bytes >= limits.fetchBytesMax) break;
      }
      return { bytes: joined(parts), nextOffset, damagedAt: null };
    },
    rows(partitionId, offset, bytesMax) {
      const rows: Row[] = [];
      let bytes = 0;
      for (const row of iterate(partitionId, offset)) {
        rows.push(row);
        bytes += row.records.length;
        if (bytes >= bytesMax) break;
      }
      return rows;
    },
    range(partitionId) {
      const end = endOf(partitionId);
      const first = oldest.get(rowId(partitionId, 0), rowId(partitionId, OFFSETS_MAX - 1)) as {
        id: number | null;
      };
      return { start: first.id === null ? end : first.id - rowId(partitionId, 0), end };
    },
  };
}

/**
 * The row's intact records from `offset` on, their offsets counted from `offset`. A damaged record that the reader has
 * already passed (it seeked beyond it) is stepped over if its length still tells where the next one begins; its true
 * offset is not known then, and taken to be the one after the record before it.
 */
function checkRow(row: Row, base: number, offset: number): Checked {
  const bytes = Buffer.from(row.records.buffer, row.records.byteOffset, row.records.length);
  let from = 0;
  let at = 0;
  let count = 0;
  let last = base - 1;
  while (at < bytes.length) {
    const intact = recordIntact(bytes, at);
    const current = intact ? base + recordDelta(bytes, at) : last + 1;
    if (!intact && (current >= offset || !recordWithin(bytes, at))) {
      return { bytes: bytes.subarray(from, at), count, damagedAt: Math.max(offset, current) };
    }
    const next = at + recordBytesAt(bytes, at);
    if (current < offset) from = next;
    else {
      moveDelta(bytes, at, current - offset);
      count++;
    }
    last = current;
    at = next;
  }
  const truncated = last < row.last_offset;
  return { bytes: bytes.subarray(from), count, damagedAt: truncated ? Math.max(offset, last + 1) : null };
}

/** One buffer of its own, so that it can be handed to the other thread without a copy. */
function joined(parts: readonly Buffer[]): Uint8Array<ArrayBuffer> {
  const [first] = parts;
  if (first !== undefined && parts.length === 1 && first.length * 2 > first.buffer.byteLength) {
    return new Uint8Array(first.buffer as ArrayBuffer, first.byteOffset, first.length);
  }
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
