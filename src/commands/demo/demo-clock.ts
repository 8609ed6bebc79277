/** The demonstration's own clock: it stands until it is started, and its speed can be changed while it runs. */
import { systemClock } from '../../clock.ts';
import type { Clock } from '../../clock.ts';

export type DemoClock = Clock & {
  start(): void;
  speed(): number;
  setSpeed(speed: number): void;
  /** From then on it stands: the end of the data. */
  stopAt(ms: number): void;
  /** What it shows, for a clock in another process to go on from. */
  reading(): ClockReading;
  /** Takes over another clock's reading, but never goes back. */
  follow(reading: ClockReading): void;
};

export type ClockReading = {
  readonly nowMs: number;
  readonly speed: number;
  readonly running: boolean;
  /** Null: it does not end. */
  readonly endMs: number | null;
};

/** After a pause of the machine (a closed lid) it goes on from where it was, instead of jumping ahead by days. */
const REAL_STEP_MS_MAX = 2_000;

export function createDemoClock(options: { startMs: number; speed: number; base?: Clock }): DemoClock {
  const base = options.base ?? systemClock;
  let { startMs: nowMs, speed } = options;
  let lastMs = base.nowMs();
  let running = false;
  let endMs = Number.POSITIVE_INFINITY;

  function read(): number {
    const realMs = base.nowMs();
    const stepMs = Math.min(REAL_STEP_MS_MAX, Math.max(0, realMs - lastMs));
    lastMs = realMs;
    if (running) nowMs = Math.min(Math.max(nowMs, endMs), nowMs + stepMs * speed);
    return Math.floor(nowMs);
  }

  return {
    nowMs: read,
    start() {
      read();
      running = true;
    },
    speed: () => speed,
    setSpeed(next) {
      read();
      speed = next;
    },
    stopAt(ms) {
      read();
      endMs = ms;
    },
    reading: () => ({ nowMs: read(), speed, running, endMs: Number.isFinite(endMs) ? endMs : null }),
    follow(reading) {
      nowMs = Math.max(read(), reading.nowMs);
      ({ speed, running } = reading);
      endMs = reading.endMs ?? Number.POSITIVE_INFINITY;
    },
  };
}
