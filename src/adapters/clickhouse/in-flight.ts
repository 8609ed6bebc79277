/** Lets at most `max` tasks run at once; up to `waitingMax` more wait in turn, and beyond that `onFull`'s error is thrown. */
export function limitInFlight(options: {
  max: number;
  waitingMax: number;
  onFull: () => Error;
}): <T>(task: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];

  async function enter(): Promise<void> {
    if (running < options.max) {
      running++;
      return;
    }
    if (waiting.length >= options.waitingMax) throw options.onFull();
    // The place is handed over by the one that leaves: `running` stays as it is.
    await new Promise<void>((resolve) => waiting.push(resolve));
  }

  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }

  return async (task) => {
    await enter();
    try {
      return await task();
    } finally {
      leave();
    }
  };
}
