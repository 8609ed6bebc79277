/** The simulator's tickets, each when its till sends it. */
import { HOUR_MS } from '../../sales/durations.ts';
import type { Injection } from '../../simulator/injections.ts';
import type { Traffic } from '../../simulator/traffic.ts';
import type { Feed } from './feed.ts';

/** `fromMs`: everything up to it was sent. */
export function openSimulatedFeed(
  traffic: Traffic,
  options: { readonly fromMs: number; readonly injections: () => readonly Injection[] },
): Feed {
  let sentMs = options.fromMs;
  return {
    async due(nowMs) {
      if (nowMs <= sentMs) return [];
      const untilMs = Math.min(nowMs, sentMs + HOUR_MS);
      const messages = traffic.between(sentMs, untilMs, options.injections()).map(({ message }) => message);
      sentMs = untilMs;
      // An hour without a sale must not look like having caught up.
      return messages.length === 0 && untilMs < nowMs ? this.due(nowMs) : messages;
    },
    endedAtMs: () => null,
    progress: () => null,
    place: () => ({ nextTicket: 0, sentMs }),
    close: async () => {},
  };
}
