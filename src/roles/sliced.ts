/** Runs a generator to its end, letting timers and sockets have their turn whenever it has held the thread this long. */
import { setImmediate as turn } from 'node:timers/promises';

const SLICE_MS = 10;

export async function runSliced<T>(work: Generator<T, void>, onStep?: (step: T) => void): Promise<void> {
  let sinceMs = performance.now();
  for (const step of work) {
    onStep?.(step);
    if (performance.now() - sinceMs < SLICE_MS) continue;
    await turn();
    sinceMs = performance.now();
  }
}
