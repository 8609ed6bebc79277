/**
 * kafkajs plans a look at its waiting requests after every answer, also when none waits. The time is then "throttled
 * until" less now, where "throttled until" is −1 unless a broker asked for a pause: a negative time, of which Node 24
 * warns (their issue 1751), and a timer per answer for nothing. With requests waiting the time is always positive, and
 * every request that has to wait plans its own look. So: no look when nothing waits.
 */
import { createRequire } from 'node:module';

type RequestQueue = { readonly pending: readonly unknown[]; scheduleCheckPendingRequests(): void };

const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {
  readonly prototype: RequestQueue;
};
const plan = prototype.scheduleCheckPendingRequests;

/** For every client of this process. Doing it again changes nothing. */
export function keepRequestTimersPositive(): void {
  prototype.scheduleCheckPendingRequests = function planWhenWaiting(this: RequestQueue) {
    if (this.pending.length > 0) plan.call(this);
  };
}
