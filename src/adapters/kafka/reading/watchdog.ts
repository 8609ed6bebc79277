/**
 * Tells when something is stuck that should not be: records wait, or the handler has a batch in work, and nothing is
 * handed over or finished for too long. Time is counted in ticks of its timer, so that a process that was stopped, or
 * an event loop that was busy, does not count as stuck.
 */
export type Standing = {
  /** Rises with every step forward. */
  readonly steps: number;
  /** It is the handler's turn, or ours, to do something. */
  readonly expected: boolean;
};

const TICKS = 20;

export function startWatchdog(options: {
  readonly stalledMsMax: number;
  readonly look: () => Standing;
  /** Once. */
  readonly onStalled: () => void;
}): { stop(): void } {
  let seen = -1;
  let idleTicks = 0;
  const timer = setInterval(() => {
    const { steps, expected } = options.look();
    idleTicks = expected && steps === seen ? idleTicks + 1 : 0;
    seen = steps;
    if (idleTicks < TICKS) return;
    clearInterval(timer);
    options.onStalled();
  }, options.stalledMsMax / TICKS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
