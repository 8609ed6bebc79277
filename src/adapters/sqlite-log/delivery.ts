/**
 * Hands one batch after the other to a handler, from the partitions in turn; sleeps while none has anything. The
 * handler's rejection, a failed read, or a damaged record that the handler does not want to hear of ends it.
 */
import { ForetillError } from '../../errors.ts';
import type { ConsumerHandler } from '../../pipeline/log.ts';
import type { PartitionReader } from './partition-reader.ts';

export type DeliveryHandler = Pick<ConsumerHandler, 'eachBatch' | 'onUnreadable'>;

export class Delivery {
  readonly #handler: DeliveryHandler;
  readonly #recordsMax: number;
  readonly #onCrash: (error: unknown) => void;
  #running = false;
  #loop: Promise<void> = Promise.resolve();
  #awaken: (() => void) | null = null;

  constructor(parts: { handler: DeliveryHandler; recordsMax: number; onCrash: (error: unknown) => void }) {
    this.#handler = parts.handler;
    this.#recordsMax = parts.recordsMax;
    this.#onCrash = parts.onCrash;
  }

  start(readers: readonly PartitionReader[]): void {
    this.#running = true;
    for (const reader of readers) reader.open();
    this.#loop = this.#run([...readers]).catch((error: unknown) => {
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

  async #run(readers: PartitionReader[]): Promise<void> {
    while (this.#running) {
      const reader = this.#next(readers);
      if (reader === null) await this.#sleep();
      else await this.#handler.eachBatch(reader.take(this.#recordsMax));
    }
  }

  /** The first that has something; it goes to the end of the line. Throws the failure of a reader. */
  #next(readers: PartitionReader[]): PartitionReader | null {
    for (const reader of readers) {
      const failure = reader.takeFailure();
      if (failure !== null) this.#failed(reader, failure.error);
    }
    const index = readers.findIndex((reader) => reader.ready);
    const [reader] = index < 0 ? [] : readers.splice(index, 1);
    if (reader === undefined) return null;
    readers.push(reader);
    return reader;
  }

  #failed({ place }: PartitionReader, error: unknown): void {
    const damaged = error instanceof ForetillError && error.code === 'LOG_CORRUPT';
    if (!damaged || this.#handler.onUnreadable === undefined) throw error;
    this.#handler.onUnreadable({ topic: place.topic, partition: place.partition }, error);
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
