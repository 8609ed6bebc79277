/**
 * One process per data directory. The lock is an open SQLite write transaction on `lock.db`: the operating system
 * lets go of it when the process ends, however it ends, so kill -9 leaves nothing stale behind. Who holds it stands
 * beside it in `lock.json`, for the message only.
 *
 * `lock.db` must never be opened by anything but SQLite: closing any other descriptor of the file would drop the
 * process's POSIX locks on it.
 */
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { ForetillError } from '../errors.ts';

export type DataDirLock = { release(): Promise<void> };

type Holder = { readonly pid: number; readonly command: string; readonly since: string };

const POLL_MS = 100;

/**
 * Makes `dir` if it is missing and locks it; waits up to `waitMs` (0) for another holder to go. Errors:
 * DATA_DIR_LOCKED with the holder's name, DATA_DIR_UNUSABLE when it cannot be written.
 */
export async function lockDataDir(
  dir: string,
  options: { command?: string; waitMs?: number } = {},
): Promise<DataDirLock> {
  const path = resolve(dir);
  await prepare(path);
  const holderPath = join(path, 'lock.json');
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const database = tryLock(path);
    if (database !== null) {
      await writeHolder(path, holderPath, options.command ?? commandLine(), database);
      return {
        async release() {
          if (!database.isOpen) return;
          await rm(holderPath, { force: true });
          database.close();
        },
      };
    }
    if (waitedMs >= (options.waitMs ?? 0)) throw lockedError(path, await readHolder(holderPath));
    await delay(POLL_MS);
  }
}

async function prepare(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
    if (!(await stat(path)).isDirectory())
      throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' });
    const probe = join(path, `.write-${process.pid}`);
    await writeFile(probe, 'x');
    await rm(probe);
  } catch (error) {
    throw unusableError(path, error);
  }
}

/** The open database that holds the lock, or null while another process holds it. */
function tryLock(path: string): DatabaseSync | null {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(join(path, 'lock.db'));
    database.exec('PRAGMA locking_mode = NORMAL; BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database?.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return null;
    throw unusableError(path, error);
  }
}

const SQLITE_BUSY = 5;

async function writeHolder(
  path: string,
  holderPath: string,
  command: string,
  lock: DatabaseSync,
): Promise<void> {
  const holder: Holder = { pid: process.pid, command, since: new Date().toISOString() };
  try {
    await writeFile(`${holderPath}.new`, JSON.stringify(holder));
    await rename(`${holderPath}.new`, holderPath);
  } catch (error) {
    lock.close();
    throw unusableError(path, error);
  }
}

async function readHolder(holderPath: string): Promise<Holder | null> {
  try {
    return JSON.parse(await readFile(holderPath, 'utf8')) as Holder;
  } catch {
    return null;
  }
}

function lockedError(path: string, holder: Holder | null): ForetillError {
  const who =
    holder === null
      ? 'another process'
      : `process ${holder.pid} (${holder.command}), since ${holder.since.slice(0, 19).replace('T', ' ')} UTC`;
  return new ForetillError('DATA_DIR_LOCKED', `The data directory ${path} is in use by ${who}.`, {
    remedy: 'Stop it or choose another --dir.',
  });
}

const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: 'Give this user the right to write to it or choose another --dir.',
  EPERM: 'Give this user the right to write to it or choose another --dir.',
  EROFS: 'The file system is read-only: choose another --dir.',
  ENOSPC: 'The disk is full: free some space or choose another --dir.',
  EDQUOT: 'The disk quota is used up: free some space or choose another --dir.',
  ENOTDIR: 'A file stands in its place: move the file away or choose another --dir.',
  EEXIST: 'A file stands in its place: move the file away or choose another --dir.',
};

function unusableError(path: string, cause: unknown): ForetillError {
  const { code, message } = cause as { code?: string; message: string };
  return new ForetillError('DATA_DIR_UNUSABLE', `The data directory ${path} cannot be used: ${message}.`, {
    remedy: REMEDIES[code ?? ''] ?? 'Check the directory or choose another --dir.',
    cause,
  });
}

function commandLine(): string {
  return ['foretill', ...process.argv.slice(2)].join(' ');
}
