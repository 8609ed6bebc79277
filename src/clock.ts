/**
 * Time as a value that is passed in: nothing below the roles reads the machine's clock.
 *
 * `nowMs` is a UTC instant in milliseconds since the epoch. The live system passes the machine's clock, a
 * replay passes one that runs faster, and tests pass one that stands still until it is moved.
 */
export type Clock = { nowMs(): number };

export const systemClock: Clock = { nowMs: () => Date.now() };

/** A clock for tests: it moves only when told to. */
export function manualClock(startMs: number): Clock & { advance(ms: number): void } {
  let now = startMs;
  return {
    nowMs: () => now,
    advance(ms) {
      now += ms;
    },
  };
}
