/** What the page may do to a demonstration, on top of its clock, its tickets and its simulated chain. */
import type { DemoControls, InjectedEvent } from '../../adapters/http/demo-controls.ts';
import type { Injection } from '../../simulator/injections.ts';
import type { DemoClock } from './demo-clock.ts';
import { INJECTABLE, injectionOf } from './events.ts';
import type { Values } from './events.ts';
import type { Feed } from './feed.ts';

export const SPEEDS: readonly number[] = [1, 10, 60, 300, 600, 1_200, 3_600];
/** Events under way or just over, kept because tickets about them may still be on their way. */
const INJECTIONS_MAX = 100;
const KEPT_AFTER_MS = 24 * 3_600_000;

export type SimulatedChain = { readonly stores: readonly string[]; readonly categories: readonly string[] };

export type Controls = DemoControls & {
  /** Everything brought about, also what is over. */
  injections(): readonly Injection[];
};

export function createControls(options: {
  readonly label: string;
  readonly clock: DemoClock;
  readonly feed: () => Feed | null;
  /** Null: a replay, in which nothing can be brought about. */
  readonly chain: SimulatedChain | null;
  readonly injections: readonly Injection[];
}): Controls {
  const { clock, chain } = options;
  let injections = [...options.injections];
  const labels = new Map<string, string>();
  let number = injections.length;
  const isActive = ({ fromMs, untilMs }: Injection, nowMs: number) => fromMs <= nowMs && nowMs < untilMs;

  return {
    label: options.label,
    simulated: chain !== null,
    nowMs: () => clock.nowMs(),
    speed: () => clock.speed(),
    speeds: [...new Set([...SPEEDS, clock.speed()])].sort((one, other) => one - other),
    setSpeed: (speed) => clock.setSpeed(speed),
    progress: () => options.feed()?.progress() ?? null,
    injectable: chain === null ? [] : INJECTABLE,
    inject(kind, parameters: Values) {
      const nowMs = clock.nowMs();
      number += 1;
      const id = `event-${nowMs.toString(36)}-${number}`;
      const { injection, label } = injectionOf(kind, parameters, {
        id,
        nowMs,
        ...(chain ?? { stores: [], categories: [] }),
      });
      const kept = injections.filter(({ untilMs }) => untilMs > nowMs - KEPT_AFTER_MS);
      injections = [...kept, injection].slice(-INJECTIONS_MAX);
      labels.set(id, label);
      return viewOf(injection, label);
    },
    active: () => {
      const nowMs = clock.nowMs();
      return injections
        .filter((injection) => isActive(injection, nowMs))
        .map((injection) => viewOf(injection, labels.get(injection.id) ?? injection.kind));
    },
    stop(id) {
      const nowMs = clock.nowMs();
      const active = injections.find((injection) => injection.id === id && isActive(injection, nowMs));
      if (active === undefined) return false;
      injections = injections.map((injection) =>
        injection === active ? { ...injection, untilMs: nowMs } : injection,
      );
      return true;
    },
    injections: () => injections,
  };
}

function viewOf({ id, kind, fromMs, untilMs }: Injection, label: string): InjectedEvent {
  return { id, kind, label, startedMs: fromMs, endsMs: Number.isFinite(untilMs) ? untilMs : null };
}
