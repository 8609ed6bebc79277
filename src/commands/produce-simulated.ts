/** The simulated chain's traffic as if it were selling right now: its tickets in their order, with the present time. */
import type { Clock } from '../clock.ts';
import { DAY_MS, HOUR_MS } from '../sales/durations.ts';
import type { Config } from '../config.ts';
import type { TransactionMessage } from '../sales/transaction-message.ts';
import { createChain } from '../simulator/chain.ts';
import { createTraffic } from '../simulator/traffic.ts';

/** A Monday, so that every run of a seed sends the same tickets. */
const FIRST_MS = Date.UTC(2024, 0, 1);
const TICKETS_PER_STORE_DAY = 500;
const LATE_MS_MAX = 30_000;

/** Endless. Voids, corrections and duplicates keep pointing at the tickets they are about. */
export async function* simulatedNow(options: {
  readonly seed: string;
  readonly stores: number;
  readonly config: Config;
  readonly clock: Clock;
}): AsyncGenerator<readonly TransactionMessage[]> {
  const { timeZone, currency } = options.config;
  const chain = createChain({ ...options, timeZone, currency, ticketsPerStoreDay: TICKETS_PER_STORE_DAY });
  const traffic = createTraffic(chain);
  const times = rememberTimes();
  for (let hourMs = FIRST_MS + HOUR_MS; ; hourMs += HOUR_MS) {
    for (const { message, sendMs } of traffic.between(hourMs - HOUR_MS, hourMs)) {
      // As late, in proportion, as in the simulation; never in the future.
      const lateMs = Math.min(LATE_MS_MAX, Math.max(0, (sendMs - message.end_time) / 60));
      const endMs = times.of(message, Math.floor(options.clock.nowMs() - lateMs));
      yield [{ ...message, begin_time: endMs, end_time: endMs, business_date: null }];
    }
  }
}

/** A ticket's first time is also that of its duplicates and corrections. */
function rememberTimes(): { of(message: TransactionMessage, nowMs: number): number } {
  const times = new Map<string, number>();
  return {
    of({ store_id, transaction_id }, nowMs) {
      const key = `${store_id} ${transaction_id}`;
      const known = times.get(key);
      if (known !== undefined) return known;
      times.set(key, nowMs);
      if (times.size > 100_000)
        for (const [old, ms] of times) if (ms < nowMs - DAY_MS || times.size > 100_000) times.delete(old);
      return nowMs;
    },
  };
}
