/** Retention, compaction and giving back of free pages, in slices between which appends and reads are served. */
import type { DatabaseSync } from 'node:sqlite';
import type { LogLimits } from '../../config.ts';
import { compactTopics } from './compaction.ts';
import { numberOf } from './database.ts';
import type { MaintenanceSlice } from './protocol.ts';
import type { BatchReader } from './read-batches.ts';
import { expireRows } from './retention.ts';

const PAGES_PER_SLICE = 256;

export type Maintenance = {
  /** Does one slice; `done` when nothing is left to do. The next call begins a new round. */
  slice(nowMs: number): MaintenanceSlice;
};

const NOTHING = { done: false, rowsExpired: 0, recordsCompacted: 0, pagesReturned: 0, damaged: [] } as const;

export function createMaintenance(parts: {
  readonly database: DatabaseSync;
  readonly reader: BatchReader;
  readonly limits: LogLimits;
}): Maintenance {
  let round: Generator<MaintenanceSlice> | null = null;

  function* begin(nowMs: number): Generator<MaintenanceSlice> {
    for (const rowsExpired of expireRows(parts.database, nowMs)) yield { ...NOTHING, rowsExpired };
    for (const { recordsCompacted, damaged } of compactTopics({ ...parts, nowMs })) {
      yield { ...NOTHING, recordsCompacted, damaged: damaged === null ? [] : [damaged] };
    }
    for (const pagesReturned of returnPages(parts.database)) yield { ...NOTHING, pagesReturned };
  }

  return {
    slice(nowMs) {
      round ??= begin(nowMs);
      try {
        const { done, value } = round.next();
        if (done !== true) return value;
        round = null;
        return { ...NOTHING, done: true };
      } catch (error) {
        round = null;
        throw error;
      }
    },
  };
}

/** Shrinks the file while more than half of it is free: less is room that the next appends take anyway. */
function* returnPages(database: DatabaseSync): Generator<number> {
  for (;;) {
    const free = numberOf(database, 'PRAGMA freelist_count', 'freelist_count');
    const pages = numberOf(database, 'PRAGMA page_count', 'page_count');
    if (free < PAGES_PER_SLICE || free * 2 < pages) return;
    database.exec(`PRAGMA incremental_vacuum(${PAGES_PER_SLICE})`);
    yield PAGES_PER_SLICE;
  }
}
