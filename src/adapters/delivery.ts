/**
 * Hands one batch after the other to a handler, from the partitions in turn; sleeps while none has anything. The
 * handler's rejection, a failed read, or a damaged record that the handler does not want to hear of ends it.
 */
import { ForetillError } from '../errors.ts';
import type { Batch, ConsumerHandler, TopicPartition } from '../pipeline/log.ts';

export type DeliveryHandler = Pick<ConsumerHandler, 'eachBatch' | 'onUnreadable'>;

/** One partition, read ahead. */
export type DeliverySource = {
  readonly place: TopicPartition;
  /** There is something to take. */
  readonly ready: boolean;
  /** Reads nothing before, so that it can be placed first. */
  open(): void;
  /** The next records, at most so many; null when there were none after all. */
  take(recordsMax: number): Batch | null;
  /** The error that ended the reading, once: LOG_CORRUPT for a damaged record (a seek goes on), else of the log. */
  takeFailure(): { readonly error: unknown } | null;
};

export class Delivery {
  readonly #handler: DeliveryHandler;
  readonly #recordsMax: number;
  readonly #onCrash: (error: unknown) => void;
  #running = false;
  #loop: Promise<void> = Promise.resolve();
  #awaken: (() => void) | null = null;
  #inWork: TopicPartition | null = null;
  #steps = 0;

  constructor(parts: { handler: DeliveryHandler; recordsMax: number; onCrash: (error: unknown) => void }) {
    this.#handler = parts.handler;
    this.#recordsMax = parts.recordsMax;
    this.#onCrash = parts.onCrash;
  }

  /** Of the batch that the handler works on. */
  get inWork(): TopicPartition | null {
    return this.#inWork;
  }

  /** Rises when the handler gets a batch, and when it has done with it. */
  get steps(): number {
    return this.#steps;
  }

  start(sources: readonly DeliverySource[]): void {
    this.#running = true;
    for (const source of sources) source.open();
    this.#loop = this.#run([...sources]).catch((error: unknown) => {
      this.#running = false;
      this.#onCrash(error);
    });
  }

  /** No further batch begins; resolves when the one in work is done. */
  quiesce(): Promise<void> {
    this.#running = false;
    this.wake();
    return this.#loop;
  }

  wake(): void {
    this.#awaken?.();
  }

  async #run(sources: DeliverySource[]): Promise<void> {
    while (this.#running) {
      const source = this.#next(sources);
      const batch = source?.take(this.#recordsMax) ?? null;
      if (batch !== null) await this.#handOver(batch);
      else if (source === null) await this.#sleep();
    }
  }

  async #handOver(batch: Batch): Promise<void> {
    this.#inWork = batch;
    this.#steps += 1;
    try {
      await this.#handler.eachBatch(batch);
    } finally {
      this.#inWork = null;
      this.#steps += 1;
    }
  }

  /** The first that has something; it goes to the end of the line. Throws the failure of a source. */
  #next(sources: DeliverySource[]): DeliverySource | null {
    for (const source of sources) {
      const failure = source.takeFailure();
      if (failure !== null) this.#failed(source, failure.error);
    }
    const index = sources.findIndex((source) => source.ready);
    const [source] = index < 0 ? [] : sources.splice(index, 1);
    if (source === undefined) return null;
    sources.push(source);
    return source;
  }

  #failed({ place: { topic, partition } }: DeliverySource, error: unknown): void {
    const damaged = error instanceof ForetillError && error.code === 'LOG_CORRUPT';
    if (!damaged || this.#handler.onUnreadable === undefined) throw error;
    this.#handler.onUnreadable({ topic, partition }, error);
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      this.#awaken = () => {
        this.#awaken = null;
        resolve();
      };
    });
  }
}
