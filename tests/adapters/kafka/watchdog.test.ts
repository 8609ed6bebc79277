import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startWatchdog } from '../../../src/adapters/kafka/reading/watchdog.ts';
import type { Standing } from '../../../src/adapters/kafka/reading/watchdog.ts';

const STALLED_MS = 1_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Looks at what `standing` says over so much time; how often it barked, and stopped at the end. */
function watch(ms: number, standing: (atMs: number) => Standing): number {
  let barks = 0;
  const startedMs = Date.now();
  const watchdog = startWatchdog({
    stalledMsMax: STALLED_MS,
    look: () => standing(Date.now() - startedMs),
    onStalled: () => void (barks += 1),
  });
  vi.advanceTimersByTime(ms);
  watchdog.stop();
  vi.advanceTimersByTime(10 * STALLED_MS);
  return barks;
}

describe('the watchdog', () => {
  it.each([
    ['barks once when nothing moves', 10_000, () => ({ steps: 3, expected: true }), 1],
    ['is quiet before the time is over', 990, () => ({ steps: 3, expected: true }), 0],
    ['is quiet while nothing is expected', 10_000, () => ({ steps: 3, expected: false }), 0],
    [
      'is quiet while there are steps',
      10_000,
      (ms: number) => ({ steps: Math.floor(ms / 900), expected: true }),
      0,
    ],
    ['counts anew after a rest', 1_800, (ms: number) => ({ steps: 3, expected: ms < 800 || ms > 900 }), 0],
  ])('%s', (_, ms, standing, barks) => {
    expect(watch(ms, standing)).toBe(barks);
  });

  it('does not count the time in which the process was stopped', () => {
    let barks = 0;
    const watchdog = startWatchdog({
      stalledMsMax: STALLED_MS,
      look: () => ({ steps: 1, expected: true }),
      onStalled: () => void (barks += 1),
    });
    vi.advanceTimersByTime(200);
    // Time has passed, but not a tick: as after SIGCONT.
    vi.setSystemTime(Date.now() + 60_000);
    vi.advanceTimersByTime(200);
    expect(barks).toBe(0);
    watchdog.stop();
  });
});
