import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteLog } from '../../../src/adapters/sqlite-log/sqlite-log.ts';
import type { SqliteLog, SqliteLogOptions } from '../../../src/adapters/sqlite-log/sqlite-log.ts';

export type TemporaryLog = {
  readonly dir: string;
  log: SqliteLog;
  reopen(changes?: Partial<SqliteLogOptions>): Promise<SqliteLog>;
  dispose(): Promise<void>;
};

/** A log in a directory of its own that goes when it is disposed of. */
export async function openTemporaryLog(options: Omit<SqliteLogOptions, 'dir'> = {}): Promise<TemporaryLog> {
  const dir = await mkdtemp(join(tmpdir(), 'foretill-log-'));
  const opened: TemporaryLog = {
    dir,
    log: await openSqliteLog({ dir, ...options }),
    async reopen(changes = {}) {
      await opened.log.close();
      opened.log = await openSqliteLog({ dir, ...options, ...changes });
      return opened.log;
    },
    async dispose() {
      await opened.log.close();
      await rm(dir, { recursive: true });
    },
  };
  return opened;
}
