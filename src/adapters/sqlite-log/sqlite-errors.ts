/** What an error of SQLite means to an operator. */
import type { Failure } from './protocol.ts';

/** Primary result codes, https://sqlite.org/rescode.html */
const MEANINGS = new Map<number, Pick<Failure, 'code' | 'remedy'> & { readonly what: string }>([
  [3, unusable('may not be accessed')],
  [5, locked()],
  [6, locked()],
  [8, unusable('cannot be written')],
  [
    10,
    {
      code: 'LOG_UNAVAILABLE',
      what: 'could not be read or written',
      remedy: 'Check the disk (see the system log), then start again: nothing acknowledged is lost.',
    },
  ],
  [11, damaged()],
  [
    13,
    {
      code: 'DISK_FULL',
      what: 'has no room left',
      remedy: 'Free disk space or raise log.fileBytesMax; the log goes on as soon as there is room.',
    },
  ],
  [14, unusable('cannot be opened')],
  [23, unusable('may not be accessed')],
  [26, damaged()],
]);

/** Null: not an error of SQLite, a bug of ours. */
export function sqliteFailure(error: unknown, file: string): Failure | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null;
  const meaning = MEANINGS.get(error.errcode & 0xff);
  if (meaning === undefined) return null;
  return {
    code: meaning.code,
    message: `The log ${file} ${meaning.what} (${error.message}).`,
    remedy: meaning.remedy,
  };
}

function unusable(what: string) {
  return {
    code: 'DATA_DIR_UNUSABLE',
    what,
    remedy: 'Check that the directory exists and that this user may write to it.',
  } as const;
}

function locked() {
  return {
    code: 'DATA_DIR_LOCKED',
    what: 'is in use by another process',
    remedy: 'Stop the other process, or choose another data directory.',
  } as const;
}

function damaged() {
  return {
    code: 'LOG_CORRUPT',
    what: 'is damaged or not a log',
    remedy: 'Restore the file from a copy, or move it away to start with an empty log.',
  } as const;
}
