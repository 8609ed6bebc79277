/** Ends processes that another command started, and none that only has the pid of one. */
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive } from './state-file.ts';
import type { StartedPart } from './state-file.ts';

const POLL_MS = 50;
/** From SIGTERM to SIGKILL. */
const STOP_MS_MAX = 30_000;

export async function endParts(parts: readonly StartedPart[]): Promise<void> {
  await Promise.all(parts.map(endPart));
}

async function endPart(part: StartedPart): Promise<void> {
  // Each leads a group of its own. A paused one would not hear the next signal.
  send(part, -part.pid, 'SIGCONT');
  send(part, part.pid, 'SIGTERM');
  if (await isGone(part)) return;
  send(part, -part.pid, 'SIGKILL');
  await isGone(part);
}

async function isGone(part: StartedPart): Promise<boolean> {
  const deadline = performance.now() + STOP_MS_MAX;
  while (isAlive(part) && performance.now() < deadline) await delay(POLL_MS);
  return !isAlive(part);
}

function send(part: StartedPart, target: number, signal: NodeJS.Signals): void {
  if (!isAlive(part)) return;
  try {
    process.kill(target, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
