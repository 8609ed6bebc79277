/**
 * Where a demonstration stands: `demo.json` in its data directory, replaced as a whole whenever tickets have become
 * durable in the log. After a crash it may be a moment behind: tickets are then sent twice, which changes nothing.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { lockDataDir } from '../../adapters/data-dir-lock.ts';
import { ForetillError } from '../../errors.ts';
import type { Injection } from '../../simulator/injections.ts';

export type DemoState = {
  /** What is played: a file and how it is read, or a seed and the size of the chain. Another one is another demo. */
  readonly plays: string;
  /** When it was history until, and live from. */
  readonly liveFromMs: number;
  /** What a start need not import again. */
  readonly imported: 'nothing' | 'history' | 'history and companions';
  /** The demonstration's clock. */
  readonly nowMs: number;
  /** Of a replay: tickets of the file that were read as history… */
  readonly historyTickets: number;
  /** …and those that are dealt with. */
  readonly nextTicket: number;
  /** Of a simulation: everything up to then was sent. */
  readonly sentMs: number;
  /** Of a replay: the stores taken part; null: all. */
  readonly stores: readonly string[] | null;
  /** Of a simulation. An end of null: until it is stopped. */
  readonly injections: readonly Injection[];
};

const FILE = 'demo.json';

/** Null: there is none yet. Throws DATA_DIR_UNUSABLE when it cannot be read. */
export function loadDemoState(dir: string): DemoState | null {
  const file = join(dir, FILE);
  try {
    return JSON.parse(readFileSync(file, 'utf8'), revive) as DemoState;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new ForetillError('DATA_DIR_UNUSABLE', `${file} cannot be read: ${(error as Error).message}.`, {
      remedy: 'Start over with --fresh, or choose another --dir.',
      cause: error,
    });
  }
}

export function saveDemoState(dir: string, state: DemoState): void {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, FILE);
  writeFileSync(`${file}.new`, JSON.stringify(state));
  renameSync(`${file}.new`, file);
}

/** Deletes the directory of a demonstration. Refuses (USAGE, DATA_DIR_LOCKED) anything else, and one that is in use. */
export async function deleteDemo(dir: string): Promise<void> {
  const names = await readdir(dir).catch((): string[] => []);
  if (names.length === 0) return;
  if (!names.includes(FILE)) {
    throw new ForetillError(
      'USAGE',
      `${dir} is not the directory of a demonstration: --fresh deletes nothing there.`,
      {
        remedy: 'Choose another --dir, or empty it yourself.',
      },
    );
  }
  const lock = await lockDataDir(dir);
  await lock.release();
  rmSync(dir, { recursive: true, force: true });
}

/** JSON has no infinity: an injection without an end has null there. */
function revive(key: string, value: unknown): unknown {
  return key === 'untilMs' && value === null ? Number.POSITIVE_INFINITY : value;
}
