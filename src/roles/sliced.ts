/** Runs a generator to its end, letting timers and sockets have their turn whenever it has held the thread for long. */
import { setImmediate as turn } from 'node:timers/promises';

const SLICE_MS = 10;

/** Goes on when what `onStep` returns, if anything, has resolved. */
export async function runSliced<T>(
  work: Generator<T, void>,
  onStep?: (step: T) => Promise<void> | undefined,
): Promise<void> {
  let sinceMs = performance.now();
  for (const step of work) {
    const waiting = onStep?.(step);
    if (waiting !== undefined) await waiting;
    else if (performance.now() - sinceMs < SLICE_MS) continue;
    else await turn();
    sinceMs = performance.now();
  }
}
