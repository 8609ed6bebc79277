/**
 * Lets at most `max` tasks run at once; up to `waitingMax` more wait in turn, and beyond that `onFull`'s error is thrown.
 * Who waits when its signal is aborted leaves the line with the signal's reason.
 */
export function limitInFlight(options: {
  max: number;
  waitingMax: number;
  onFull: () => Error;
}): <T>(task: () => Promise<T>, signal?: AbortSignal) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];

  async function enter(signal?: AbortSignal): Promise<void> {
    if (running < options.max) {
      running++;
      return;
    }
    if (waiting.length >= options.waitingMax) throw options.onFull();
    // The place is handed over by the one that leaves: `running` stays as it is.
    await new Promise<void>((resolve, reject) => {
      const begin = (): void => {
        signal?.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        waiting.splice(waiting.indexOf(begin), 1);
        reject(signal?.reason as Error);
      };
      waiting.push(begin);
      signal?.addEventListener('abort', giveUp, { once: true });
    });
  }

  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }

  return async (task, signal) => {
    signal?.throwIfAborted();
    await enter(signal);
    try {
      return await task();
    } finally {
      leave();
    }
  };
}
