/** The one place where an error becomes words on the screen and an exit code. */
import { appendFileSync, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ForetillError } from '../errors.ts';

const UNEXPECTED_EXIT_CODE = 1;

/** Where details of unexpected errors are written: the data directory, once a command knows it. */
let detailsDir = tmpdir();

export function writeErrorDetailsTo(dir: string): void {
  detailsDir = resolve(dir);
}

/** Says what happened and what to do, on standard error, and returns the exit code. Stack traces go to a file. */
export function reportError(error: unknown, environment: NodeJS.ProcessEnv = process.env): number {
  if (environment['FORETILL_DEBUG'] === '1') process.stderr.write(`${detailsOf(error)}\n`);
  if (error instanceof ForetillError) {
    process.stderr.write(`error: ${error.message}\nwhat to do: ${error.remedy}\n`);
    return error.exitCode;
  }
  const known = asMachineError(error);
  if (known !== null) return reportError(known, {});
  const file = writeDetails(error);
  process.stderr.write(
    `error: something went wrong that Foretill did not expect: ${messageOf(error)}\n` +
      `what to do: start again; nothing acknowledged is lost. If it comes back, please report it` +
      `${file === null ? '' : ` with the details in ${file}`}.\n`,
  );
  return UNEXPECTED_EXIT_CODE;
}

/** What the operating system refuses in any place: a full disk, missing rights, too many open files. */
function asMachineError(error: unknown): ForetillError | null {
  const { code, path } = (error ?? {}) as { code?: unknown; path?: unknown };
  const where = typeof path === 'string' ? ` (${path})` : '';
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new ForetillError('DISK_FULL', `The disk is full${where}.`, {
      remedy: 'Free some space, then start again: it goes on from where it was.',
      cause: error,
    });
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new ForetillError('DATA_DIR_UNUSABLE', `This user may not read or write there${where}.`, {
      remedy: 'Change the rights of the file or directory, or name another one.',
      cause: error,
    });
  }
  if (code === 'EMFILE' || code === 'ENFILE') {
    return new ForetillError('DATA_DIR_UNUSABLE', 'Too many files are open on this machine.', {
      remedy: 'Raise the limit (ulimit -n 4096), then start again.',
      cause: error,
    });
  }
  return null;
}

/** The file begins anew then; the one before is kept. */
const DETAILS_BYTES_MAX = 1_048_576;

function writeDetails(error: unknown): string | null {
  const file = join(detailsDir, 'foretill-errors.log');
  try {
    mkdirSync(detailsDir, { recursive: true });
    if (existsSync(file) && statSync(file).size > DETAILS_BYTES_MAX) renameSync(file, `${file}.1`);
    appendFileSync(
      file,
      `${new Date().toISOString()} ${withoutSecrets(process.argv.slice(2).join(' '))}\n${detailsOf(error)}\n\n`,
    );
    return file;
  } catch {
    return null;
  }
}

/** Users and passwords inside of addresses. */
function withoutSecrets(text: string): string {
  return text.replaceAll(/\/\/[^/\s@]+@/g, '//…@');
}

function detailsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by: ${detailsOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
