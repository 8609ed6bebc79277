/** What was started, so that another command can find it again: `stack.json` in the stack's directory. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ForetillError } from '../../src/errors.ts';
import type { PartName } from './part.ts';
import { processIdentity } from './process-identity.ts';

export type StartedPart = {
  readonly name: PartName;
  readonly pid: number;
  /** Of the process with this pid, at its start. */
  readonly identity: string;
  readonly port: number;
};

/** Empty when nothing was started. Errors: DATA_DIR_UNUSABLE when the file is not one of ours. */
export function readState(dir: string): readonly StartedPart[] {
  let text: string;
  try {
    text = readFileSync(stateFile(dir), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const parts = partsOf(text);
  if (parts !== null) return parts;
  throw new ForetillError('DATA_DIR_UNUSABLE', `${stateFile(dir)} cannot be read: it is damaged.`, {
    remedy: `End what runs of the stack by hand, then delete the file.`,
  });
}

/** Synchronous, so that a process that is being ended has written it before it goes. */
export function writeState(dir: string, parts: readonly StartedPart[]): void {
  const file = stateFile(dir);
  if (parts.length === 0) return rmSync(file, { force: true });
  writeFileSync(`${file}.new`, `${JSON.stringify({ parts }, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}

/** Still the process that was started, and not another that was given its pid. */
export function isAlive({ pid, identity }: StartedPart): boolean {
  return processIdentity(pid) === identity;
}

function stateFile(dir: string): string {
  return join(dir, 'stack.json');
}

function partsOf(text: string): readonly StartedPart[] | null {
  try {
    const { parts } = JSON.parse(text) as { parts: readonly StartedPart[] };
    return parts.every(({ pid, identity }) => Number.isInteger(pid) && typeof identity === 'string')
      ? parts
      : null;
  } catch {
    return null;
  }
}
