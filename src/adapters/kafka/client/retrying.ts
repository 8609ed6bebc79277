/** Doing again what a broker could not do now: with pauses that grow, until it is done, refused for good, or not wanted. */
import { setTimeout as delay } from 'node:timers/promises';
import type { KafkaLimits } from '../../../config.ts';
import { orAborted } from '../../or-aborted.ts';
import { pauseMs } from '../../pause.ts';
import type { KafkaEvent } from './events.ts';
import { kafkaError, protocolErrorOf } from './kafka-errors.ts';
import type { KafkaWhere } from './kafka-errors.ts';

export type Retrying = {
  readonly limits: KafkaLimits;
  readonly onEvent: (event: KafkaEvent) => void;
  readonly where: KafkaWhere;
  /** What does not succeed at the moment, each with its last failure in a sentence. */
  readonly ongoing?: Map<Attempts, string>;
};

/**
 * A topic may be unknown to a broker that has just started, or has not heard of it yet; after so many refusals in a row
 * (about 15 s with the default pauses) it does not exist.
 */
const UNKNOWN_TOPIC_ATTEMPTS_MAX = 12;

/**
 * Failures in a row of one thing that is done over and over. `failed` tells what to do about one: it throws, as an
 * error for people, what no waiting can heal; else it says how long to wait.
 */
export class Attempts {
  readonly #retrying: Retrying;
  readonly #what: string;
  #failures = 0;

  /** `what` is being done, e.g. "fetching". */
  constructor(retrying: Retrying, what: string) {
    this.#retrying = retrying;
    this.#what = what;
  }

  /** Or it is not wanted any more. */
  succeeded(): void {
    this.#failures = 0;
    this.#retrying.ongoing?.delete(this);
  }

  failed(error: unknown): { readonly delayMs: number } {
    const { limits, onEvent, where, ongoing } = this.#retrying;
    const told = kafkaError(error, where);
    this.#failures += 1;
    if (!this.#mayPass(error) && !told.retryable) throw told;
    const delayMs = pauseMs(this.#failures, limits);
    ongoing?.set(this, told.message);
    onEvent({ kind: 'retried', what: this.#what, attempt: this.#failures, delayMs, error: told });
    return { delayMs };
  }

  #mayPass(error: unknown): boolean {
    const unknown = protocolErrorOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION';
    return unknown && this.#failures < UNKNOWN_TOPIC_ATTEMPTS_MAX;
  }
}

/** Until it succeeds; rejects with an error for people, or with the signal's reason once that is aborted. */
export async function untilDone<T>(
  retrying: Retrying,
  what: string,
  options: { readonly signal: AbortSignal; readonly task: () => Promise<T> },
): Promise<T> {
  const { signal, task } = options;
  const attempts = new Attempts(retrying, what);
  try {
    for (;;) {
      signal.throwIfAborted();
      try {
        return await orAborted(task(), signal);
      } catch (error) {
        signal.throwIfAborted();
        await pause(attempts.failed(error).delayMs, signal);
      }
    }
  } finally {
    attempts.succeeded();
  }
}

/** Rejects with the signal's reason. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch {
    signal.throwIfAborted();
  }
}
