/** A member of a consumer group: the partitions it holds, and the order of revoking, assigning and delivering. */
import type { LogLimits } from '../../config.ts';
import type {
  Assignment,
  CommittedOffset,
  Consumer,
  ConsumerHandler,
  ConsumerOptions,
  TopicPartition,
} from '../../pipeline/log.ts';
import { demandCommittable, notHeld } from '../commit-checks.ts';
import { Delivery } from '../delivery.ts';
import { PartitionReader } from './partition-reader.ts';
import type { Place } from './topic-registry.ts';
import type { WorkerClient } from './worker-client.ts';

export type AssignedPlace = { readonly place: Place; readonly committed: CommittedOffset | null };

export class GroupMember implements Consumer {
  readonly topics: readonly string[];
  readonly #options: ConsumerOptions;
  readonly #handler: ConsumerHandler;
  readonly #client: WorkerClient;
  readonly #limits: LogLimits;
  readonly #onLeft: (member: GroupMember) => void;
  readonly #delivery: Delivery;
  readonly #held = new Map<string, PartitionReader>();
  #state: 'member' | 'leaving' | 'left' = 'member';
  /** Revoking and assigning happen one after the other. */
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: {
    readonly options: ConsumerOptions;
    readonly handler: ConsumerHandler;
    readonly client: WorkerClient;
    readonly limits: LogLimits;
    readonly onLeft: (member: GroupMember) => void;
  }) {
    this.topics = parts.options.topics;
    this.#options = parts.options;
    this.#handler = parts.handler;
    this.#client = parts.client;
    this.#limits = parts.limits;
    this.#onLeft = parts.onLeft;
    this.#delivery = new Delivery({
      handler: parts.handler,
      recordsMax: parts.options.batchRecordsMax,
      onCrash: (error) => this.crash(error),
    });
  }

  holds(partition: TopicPartition): boolean {
    return this.#held.has(nameOf(partition));
  }

  position(partition: TopicPartition): number | null {
    return this.#held.get(nameOf(partition))?.position ?? null;
  }

  async commit(offsets: readonly (TopicPartition & CommittedOffset)[]): Promise<void> {
    const { commitMetadataBytesMax } = this.#limits;
    for (const each of offsets) {
      if (!this.holds(each)) throw notHeld(this.#options.group, each);
      demandCommittable(each, commitMetadataBytesMax);
    }
    await this.#client.call('commit', { group: this.#options.group, offsets });
  }

  /** A file is there or it is not. */
  trouble(): null {
    return null;
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const each of partitions) this.#held.get(nameOf(each))?.pause();
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const each of partitions) this.#held.get(nameOf(each))?.resume();
  }

  seek(position: TopicPartition & { readonly offset: number }): void {
    this.#held.get(nameOf(position))?.seek(position.offset);
  }

  async stop(): Promise<void> {
    if (this.#state === 'member') this.#state = 'leaving';
    await this.revoke();
    this.#leave();
  }

  /** Waits for the batch in work, then gives up all partitions. */
  revoke(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#delivery.quiesce();
      if (this.#held.size === 0) return;
      await this.#orCrash(async () => this.#handler.onRevoked?.([...this.#held.values()].map(partitionOf)));
      this.#release();
    });
  }

  assign(assigned: readonly AssignedPlace[]): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#state !== 'member' || assigned.length === 0) return;
      for (const each of assigned) this.#held.set(nameOf(each.place), this.#readerOf(each));
      await this.#orCrash(async () => this.#handler.onAssigned?.(assigned.map(assignmentOf)));
      if (this.#isMember()) this.#delivery.start([...this.#held.values()]);
    });
  }

  /** Leaves at once, without `onRevoked`. */
  crash(error: unknown): void {
    if (this.#state === 'left') return;
    void this.#delivery.quiesce();
    this.#release();
    this.#leave();
    this.#handler.onCrash(error);
  }

  #leave(): void {
    if (this.#state === 'left') return;
    this.#state = 'left';
    this.#onLeft(this);
  }

  #isMember(): boolean {
    return this.#state === 'member';
  }

  #release(): void {
    for (const reader of this.#held.values()) reader.close();
    this.#held.clear();
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(work);
    return this.#turn;
  }

  async #orCrash(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.crash(error);
    }
  }

  #readerOf({ place, committed }: AssignedPlace): PartitionReader {
    const fromStart = this.#options.startFrom === 'earliest' ? 0 : place.end;
    return new PartitionReader({
      place,
      offset: committed?.offset ?? fromStart,
      client: this.#client,
      limits: this.#limits,
      recordsMax: this.#options.batchRecordsMax,
      onReady: () => this.#delivery.wake(),
    });
  }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

function partitionOf({ place }: { readonly place: Place }): TopicPartition {
  return { topic: place.topic, partition: place.partition };
}

function assignmentOf(assigned: AssignedPlace): Assignment {
  return { ...partitionOf(assigned), committed: assigned.committed };
}
