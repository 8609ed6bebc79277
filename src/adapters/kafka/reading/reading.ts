/** Some partitions, read from given points on and handed to a handler: readers, the fetching, the delivery, the watchdog. */
import { ForetillError } from '../../../errors.ts';
import type { TopicPartition } from '../../../pipeline/log.ts';
import { Delivery } from '../../delivery.ts';
import type { DeliveryHandler } from '../../delivery.ts';
import type { Brokers } from '../client/brokers.ts';
import { Fetcher } from './fetcher.ts';
import { PartitionReader } from './partition-reader.ts';
import type { Gap, Place } from './partition-reader.ts';
import type { ReadingDeps } from './reading-deps.ts';
import type { Retrying } from '../client/retrying.ts';
import { startWatchdog } from './watchdog.ts';

export class Reading {
  readonly #deps: ReadingDeps;
  readonly #group: string | null;
  readonly #readers = new Map<string, PartitionReader>();
  readonly #delivery: Delivery;
  readonly #fetcher: Fetcher;
  readonly #onCrash: (error: unknown) => void;
  #watchdog: { stop(): void } | null = null;

  constructor(parts: {
    readonly deps: ReadingDeps;
    readonly brokers: Brokers;
    readonly retrying: Retrying;
    readonly group: string | null;
    readonly handler: DeliveryHandler;
    readonly batchRecordsMax: number;
    readonly points: readonly { readonly place: Place; readonly offset: number }[];
    readonly onCrash: (error: unknown) => void;
  }) {
    const { deps, brokers, retrying, handler, batchRecordsMax: recordsMax, onCrash } = parts;
    this.#deps = deps;
    this.#group = parts.group;
    this.#onCrash = onCrash;
    this.#delivery = new Delivery({ handler, recordsMax, onCrash });
    this.#fetcher = new Fetcher({ brokers, retrying, limits: deps.limits, onFailed: onCrash });
    for (const { place, offset } of parts.points) {
      const reader = new PartitionReader({
        place,
        offset,
        bytesAheadMax: deps.limits.fetchBytesPerPartitionMax,
        onReady: () => this.#delivery.wake(),
        onRoom: () => this.#fetcher.pump(),
        onGap: (where, gap) => void this.#tellGap(where, gap),
      });
      this.#readers.set(nameOf(place), reader);
    }
  }

  readerOf(partition: TopicPartition): PartitionReader | undefined {
    return this.#readers.get(nameOf(partition));
  }

  start(): void {
    const readers = [...this.#readers.values()];
    this.#delivery.start(readers);
    this.#fetcher.start(readers);
    this.#watchdog = startWatchdog({
      stalledMsMax: this.#deps.limits.stalledMsMax,
      look: () => ({ steps: this.#delivery.steps, expected: this.#inWork() || this.#isWaiting() }),
      onStalled: () => this.#stalled(),
    });
  }

  /** No further batch begins; resolves when the one in work is done. */
  async quiesce(): Promise<void> {
    this.#fetcher.stop();
    await this.#delivery.quiesce();
    this.#watchdog?.stop();
  }

  /** Without waiting for anything. */
  close(): void {
    void this.quiesce();
    this.#watchdog?.stop();
    for (const reader of this.#readers.values()) reader.close();
  }

  /** The handler has a batch of a partition that it did not pause. */
  #inWork(): boolean {
    const { inWork } = this.#delivery;
    return inWork !== null && this.readerOf(inWork)?.isPaused === false;
  }

  /** Records are there to be handed over, and the brokers are not known to be in trouble. */
  #isWaiting(): boolean {
    if (this.#delivery.inWork !== null) return false;
    return [...this.#readers.values()].some(
      (reader) => reader.isBehind && !this.#fetcher.isInTrouble(reader),
    );
  }

  #stalled(): void {
    const inHandler = this.#delivery.inWork !== null;
    const topics = [...new Set([...this.#readers.values()].map(({ place }) => place.topic))];
    const seconds = this.#deps.limits.stalledMsMax / 1000;
    this.#deps.onEvent({ kind: 'stalled', group: this.#group, topics, seconds, inHandler });
    this.#onCrash(stuck({ group: this.#group, topics, seconds, inHandler }));
  }

  async #tellGap({ topic, partition }: Place, gap: Gap): Promise<void> {
    // That nobody can say it at the moment does not make it less of a gap.
    const expected =
      gap.toOffset > gap.fromOffset && (await this.#deps.isCompacted(topic).catch(() => false));
    if (!expected) this.#deps.onEvent({ kind: 'offset_gap', topic, partition, ...gap });
  }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

function stuck(stall: {
  readonly group: string | null;
  readonly topics: readonly string[];
  readonly seconds: number;
  readonly inHandler: boolean;
}): ForetillError {
  const { group, topics, seconds, inHandler } = stall;
  const who = group === null ? 'A reader' : `This member of ${group}`;
  const what = inHandler ? 'has been at work on one batch' : 'has had records waiting, and got none,';
  return new ForetillError(
    'LOG_UNAVAILABLE',
    `${who} of ${topics.join(', ')} ${what} for ${Math.round(seconds)} s.`,
    {
      remedy:
        'Start the process again; what was not committed is read again. If it comes back, see the brokers’ logs.',
    },
  );
}
