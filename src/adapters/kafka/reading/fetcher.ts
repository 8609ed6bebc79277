/**
 * Keeps the readers of some partitions supplied: one fetch at a time from each broker that leads any of them, each for
 * all partitions that have room. What a broker cannot do now is tried again, at whichever broker leads by then; where
 * the brokers do not answer it goes on trying for as long as it runs.
 */
import type { KafkaLimits } from '../../../config.ts';
import type { Brokers } from '../client/brokers.ts';
import type { FetchedPartition } from '../client/fetch-answer.ts';
import { offsetRanges } from './offset-ranges.ts';
import type { PartitionReader, Place } from './partition-reader.ts';
import { protocolError } from '../client/kafkajs-inner.ts';
import { Attempts, pause } from '../client/retrying.ts';
import type { Retrying } from '../client/retrying.ts';

type Asked = { readonly reader: PartitionReader; readonly epoch: number };

/** A reader that is full is asked for again within this time, also while others wait for something new. */
const FULL_READER_WAIT_MS = 10;

/** Instead of a leader where there is none, or it is not known yet. */
const NOBODY = -1;

export class Fetcher {
  readonly #brokers: Brokers;
  readonly #limits: KafkaLimits;
  readonly #retrying: Retrying;
  readonly #onFailed: (error: unknown) => void;
  readonly #end = new AbortController();
  #readers: readonly PartitionReader[] = [];
  readonly #leaders = new Map<PartitionReader, number>();
  /** Brokers that are asked, or waited for. */
  readonly #busy = new Set<number>();
  /** Of brokers that did not do as they should. */
  readonly #troubles = new Map<number, Attempts>();

  constructor(parts: {
    readonly brokers: Brokers;
    readonly retrying: Retrying;
    readonly limits: KafkaLimits;
    /** What no waiting can heal; nothing more is fetched. */
    readonly onFailed: (error: unknown) => void;
  }) {
    this.#brokers = parts.brokers;
    this.#limits = parts.limits;
    this.#retrying = parts.retrying;
    this.#onFailed = parts.onFailed;
  }

  start(readers: readonly PartitionReader[]): void {
    this.#readers = readers;
    void this.#attempt(NOBODY, () => this.#findLeaders());
  }

  /** At once; what is under way is thrown away. */
  stop(): void {
    this.#end.abort();
    for (const attempts of this.#troubles.values()) attempts.succeeded();
  }

  /** What the reader wants cannot be had at the moment; it is being tried. */
  isInTrouble(reader: PartitionReader): boolean {
    return this.#troubles.has(this.#leaders.get(reader) ?? NOBODY);
  }

  /** Some reader may want more. */
  pump(): void {
    if (this.#end.signal.aborted) return;
    const wanting = this.#readers.filter((reader) => reader.wantsMore);
    for (const [leader, readers] of Map.groupBy(wanting, (reader) => this.#leaders.get(reader) ?? NOBODY)) {
      if (!this.#busy.has(leader)) void this.#attempt(leader, () => this.#fetch(leader, readers));
    }
  }

  /** One thing at a time with one leader. */
  async #attempt(leader: number, task: () => Promise<void>): Promise<void> {
    this.#busy.add(leader);
    try {
      await task();
      this.#troubles.get(leader)?.succeeded();
      this.#troubles.delete(leader);
    } catch (error) {
      await this.#recover(leader, error);
    }
    this.#busy.delete(leader);
    this.pump();
  }

  async #fetch(leader: number, readers: readonly PartitionReader[]): Promise<void> {
    if (leader === NOBODY) throw protocolError('LEADER_NOT_AVAILABLE');
    const asked = new Map<string, Asked>(
      readers.map((reader) => [nameOf(reader.place), { reader, epoch: reader.epoch }]),
    );
    const positions = readers.map(({ place, fetchOffset: offset }) => ({
      topic: place.wireTopic,
      partition: place.partition,
      offset,
      bytesMax: this.#limits.fetchBytesPerPartitionMax,
    }));
    const othersAreFull = this.#readers.some((reader) => reader.isFull);
    const fetched = await this.#brokers.on(leader, (broker) =>
      broker.fetch({
        positions,
        waitMs: othersAreFull
          ? Math.min(FULL_READER_WAIT_MS, this.#limits.fetchWaitMs)
          : this.#limits.fetchWaitMs,
        bytesMax: this.#limits.fetchBytesMax,
      }),
    );
    if (this.#end.signal.aborted) return;
    let failure: Error | null = null;
    const outOfRange: Asked[] = [];
    for (const each of fetched) {
      const one = asked.get(`${each.topic}/${each.partition}`);
      if (one === undefined) continue;
      if (each.error === 'OFFSET_OUT_OF_RANGE') outOfRange.push(one);
      else failure = takeIn(each, one) ?? failure;
    }
    if (outOfRange.length > 0) await this.#bringIntoRange(outOfRange);
    if (failure !== null) throw failure;
  }

  async #bringIntoRange(asked: readonly Asked[]): Promise<void> {
    const ranges = await offsetRanges(
      this.#brokers,
      asked.map(({ reader }) => reader.place),
    );
    for (const { reader, epoch } of asked) {
      const range = ranges.get(reader.place);
      if (range !== undefined) reader.outOfRange(range, epoch);
    }
  }

  /** After a failure waits a while, then looks who leads now; until somebody can be asked. */
  async #recover(leader: number, error: unknown): Promise<void> {
    const { signal } = this.#end;
    const attempts = this.#troubles.get(leader) ?? new Attempts(this.#retrying, 'fetching records');
    this.#troubles.set(leader, attempts);
    try {
      for (let failure = error; !signal.aborted;) {
        await pause(attempts.failed(failure).delayMs, signal);
        const next = await this.#findLeaders().then(
          () => null,
          (again: unknown) => ({ again }),
        );
        if (next === null) return;
        failure = next.again;
      }
    } catch (fatal) {
      if (signal.aborted) return;
      this.stop();
      this.#onFailed(fatal);
    }
  }

  async #findLeaders(): Promise<void> {
    const topics = await this.#brokers.metadata();
    for (const reader of this.#readers) {
      const found = topics.get(reader.place.wireTopic);
      if (found === undefined) throw protocolError('UNKNOWN_TOPIC_OR_PARTITION');
      if (found.error !== null) throw protocolError(found.error);
      this.#leaders.set(reader, found.leaders[reader.place.partition] ?? NOBODY);
    }
  }
}

function nameOf({ wireTopic, partition }: Place): string {
  return `${wireTopic}/${partition}`;
}

/** Returns what is to be recovered from. */
function takeIn(fetched: FetchedPartition, { reader, epoch }: Asked): Error | null {
  if (fetched.error === null) reader.received(fetched, epoch);
  else if (fetched.error === 'CORRUPT_MESSAGE') reader.unreadable('the broker finds them damaged', epoch);
  else return protocolError(fetched.error);
  return null;
}
