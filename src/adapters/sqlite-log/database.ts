/** The log file: opening, its tables, and how a row's id tells partition and offset. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { LogLimits } from '../../config.ts';
import { ForetillError } from '../../errors.ts';

const LOG_FILE = 'log.sqlite';
const SCHEMA_VERSION = 1;

/** Large pages: a batch's bytes take fewer of them (measured: 1.7 times the throughput of SQLite's 4,096). */
const PAGE_BYTES = 16_384;
/** The write-ahead log is moved into the file when it has grown to 16 MiB, and cut to 64 MiB after a burst. */
const CHECKPOINT_PAGES = 1024;
const WAL_KEPT_BYTES = 64 * 1_048_576;

/**
 * A row's id is `partition id · 2⁴⁰ + base offset`: one tree holds all partitions in the order they are read in, and
 * every id is exact as a JavaScript number (8,191 partitions of 10¹² records).
 */
export const OFFSETS_MAX = 2 ** 40;
export const PARTITIONS_MAX = 2 ** 13 - 1;

export function rowId(partitionId: number, offset: number): number {
  return partitionId * OFFSETS_MAX + offset;
}

const TABLES = `
  CREATE TABLE topics (
    name TEXT PRIMARY KEY,
    retention_ms INTEGER,
    compacted INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE partitions (
    id INTEGER PRIMARY KEY,
    topic TEXT NOT NULL REFERENCES topics (name),
    partition INTEGER NOT NULL,
    next_offset INTEGER NOT NULL DEFAULT 0,
    compacted_to INTEGER NOT NULL DEFAULT 0,
    compacted_records INTEGER NOT NULL DEFAULT 0,
    UNIQUE (topic, partition)
  ) STRICT;
  CREATE TABLE batches (
    id INTEGER PRIMARY KEY,
    last_offset INTEGER NOT NULL,
    appended_at_ms INTEGER NOT NULL,
    records BLOB NOT NULL
  ) STRICT;
  CREATE TABLE committed (
    consumer_group TEXT NOT NULL,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next_offset INTEGER NOT NULL,
    metadata TEXT NOT NULL,
    PRIMARY KEY (consumer_group, topic, partition)
  ) STRICT, WITHOUT ROWID;
`;

export function logFile(dir: string): string {
  return join(dir, LOG_FILE);
}

/**
 * Opens or creates the log file for this process alone (exclusive locking: a second one gets SQLITE_BUSY at once; set
 * before all else, SQLite needs no file of shared memory, so that a log also opens on a full disk).
 * `synchronous = FULL`: a commit returns when the disk has it. What a killed process left in the write-ahead log is
 * recovered here by SQLite. Throws SQLite's own errors, and DATA_DIR_UNUSABLE for a file of a newer version.
 */
export function openDatabase(dir: string, limits: LogLimits): DatabaseSync {
  const database = new DatabaseSync(logFile(dir), { timeout: 0 });
  try {
    database.exec(`
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA page_size = ${PAGE_BYTES};
      PRAGMA auto_vacuum = INCREMENTAL;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
      PRAGMA journal_size_limit = ${WAL_KEPT_BYTES};
    `);
    if (limits.fileBytesMax > 0) {
      database.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(limits.fileBytesMax / PAGE_BYTES))}`);
    }
    createTables(database, dir);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function createTables(database: DatabaseSync, dir: string): void {
  const version = numberOf(database, 'PRAGMA user_version', 'user_version');
  if (version > SCHEMA_VERSION) {
    throw new ForetillError('DATA_DIR_UNUSABLE', `The log ${logFile(dir)} was written by a newer Foretill.`, {
      remedy: 'Run the newer version, or choose another data directory.',
    });
  }
  if (version === 0) database.exec(`BEGIN; ${TABLES} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
}

export function numberOf(database: DatabaseSync, sql: string, column: string): number {
  return Number(database.prepare(sql).get()?.[column] ?? 0);
}
