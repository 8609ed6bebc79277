/**
 * How long a member may still believe that its partitions are its own, without asking. The coordinator gives them to
 * others when it has not heard of the member for the session time-out, or when the group changes and the member has not
 * let go within the rebalance time-out. Both are counted from when a request that the coordinator answered was *sent*,
 * so that what an answer took on its way, or a stop of this process, shortens our time and never lengthens it.
 *
 * Times are milliseconds of a clock that never goes back and runs on while the process is stopped (CLOCK_MONOTONIC,
 * `performance.now()`); a machine that sleeps stops it, and there the coordinator's refusal of old members is all.
 */
export type LeaseLimits = { readonly sessionTimeoutMs: number; readonly rebalanceTimeoutMs: number };

/** Given up this much earlier: clocks differ, and what is told takes a moment to arrive. */
const MARGIN = 0.05;

export class Lease {
  readonly #sessionMs: number;
  readonly #rebalanceMs: number;
  #heardMs: number;
  #settledMs: number;
  #rebalancing = false;
  #lost = false;

  /** `sentMs`: when the request was sent by which the partitions were given. */
  constructor(limits: LeaseLimits, sentMs: number) {
    this.#sessionMs = limits.sessionTimeoutMs * (1 - MARGIN);
    this.#rebalanceMs = limits.rebalanceTimeoutMs * (1 - MARGIN);
    this.#heardMs = sentMs;
    this.#settledMs = sentMs;
  }

  /** A heartbeat sent then was answered; `rebalancing`: with the news that the group changes. Revives nothing lost. */
  heard(sentMs: number, rebalancing: boolean): void {
    this.#heardMs = Math.max(this.#heardMs, sentMs);
    if (rebalancing) this.#rebalancing = true;
    else if (!this.#rebalancing) this.#settledMs = Math.max(this.#settledMs, sentMs);
  }

  /** The coordinator says that it is over. */
  lose(): void {
    this.#lost = true;
  }

  /** Once false, false for good. */
  lasts(nowMs: number): boolean {
    if (nowMs >= this.#endMs()) this.#lost = true;
    return !this.#lost;
  }

  #endMs(): number {
    const session = this.#heardMs + this.#sessionMs;
    return this.#rebalancing ? Math.min(session, this.#settledMs + this.#rebalanceMs) : session;
  }
}
