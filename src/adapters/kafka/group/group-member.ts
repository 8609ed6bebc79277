/**
 * A member of a consumer group, over and over: takes a seat, has its handler told what it holds, delivers; and when the
 * group changes finishes the batch in work, has the handler let go, and only then takes a seat again. So no partition
 * is ever held by two, as long as each lets go within the rebalance time-out; after that the lease has run out.
 *
 *   take a seat ─ find where to go on ─ onAssigned ─ deliver ─ (change) ─ batch in work ends ─ onRevoked ─┐
 *        ▲                      heartbeats, from the seat on until all is let go                          │
 *        └────────────────────────────────────────────────────────────────────────────────────────────────┘
 */
import type {
  Assignment,
  CommittedOffset,
  Consumer,
  ConsumerHandler,
  ConsumerOptions,
  TopicPartition,
} from '../../../pipeline/log.ts';
import { demandCommittable, notHeld } from '../../commit-checks.ts';
import { Brokers } from '../client/brokers.ts';
import { commitOffsets } from './commit-offsets.ts';
import { Coordinator } from './coordinator.ts';
import { startHeartbeats } from './heartbeats.ts';
import { Lease } from './lease.ts';
import { leaveGroup } from './leave-group.ts';
import type { Place } from '../reading/partition-reader.ts';
import { Reading } from '../reading/reading.ts';
import type { ReadingDeps } from '../reading/reading-deps.ts';
import { untilDone } from '../client/retrying.ts';
import type { Attempts, Retrying } from '../client/retrying.ts';
import { SeatTaker } from './seat.ts';
import type { Seat } from './seat.ts';
import { startingPoints } from './starting-points.ts';
import type { StartingPoint } from './starting-points.ts';

/** The partitions of one seat, from `onAssigned` to `onRevoked`. */
type Hold = { readonly seat: Seat; readonly lease: Lease; readonly reading: Reading };

export class GroupMember implements Consumer {
  readonly #deps: ReadingDeps;
  readonly #options: ConsumerOptions;
  readonly #handler: ConsumerHandler;
  readonly #onLeft: (member: GroupMember) => void;
  readonly #brokers: Brokers;
  readonly #coordinator: Coordinator;
  readonly #seats: SeatTaker;
  readonly #retrying: Retrying;
  readonly #ongoing = new Map<Attempts, string>();
  /** Aborted by a stop or a crash. */
  readonly #end = new AbortController();
  #seating = false;
  #heartbeats: { stop(): void } | null = null;
  #hold: Hold | null = null;
  #crash: { readonly error: unknown } | null = null;
  #leaving: Promise<void> | null = null;
  #left = Promise.withResolvers<void>();
  /** When the group was first seen to change. */
  #changedMs = performance.now();

  constructor(parts: {
    readonly deps: ReadingDeps;
    readonly brokers: Brokers;
    readonly options: ConsumerOptions;
    readonly handler: ConsumerHandler;
    readonly onLeft: (member: GroupMember) => void;
  }) {
    const { deps, brokers, options } = parts;
    const { address, names, limits, onEvent } = deps;
    const groupId = names.wire(options.group);
    const topics = options.topics.map((topic) => names.wire(topic));
    this.#deps = deps;
    this.#options = options;
    this.#handler = parts.handler;
    this.#onLeft = parts.onLeft;
    this.#brokers = brokers;
    this.#coordinator = new Coordinator(brokers, groupId);
    this.#seats = new SeatTaker({ brokers, coordinator: this.#coordinator, groupId, topics, limits });
    const where = {
      address,
      group: options.group,
      ...(options.topics[0] === undefined ? {} : { topic: options.topics[0] }),
    };
    this.#retrying = { limits, onEvent, where, ongoing: this.#ongoing };
  }

  /** Not before the caller has the consumer in hand. */
  start(): void {
    setImmediate(() => void this.#run());
  }

  holds(partition: TopicPartition): boolean {
    return this.#holdOn(partition) !== null;
  }

  position(partition: TopicPartition): number | null {
    return this.#holdOn(partition)?.reading.readerOf(partition)?.position ?? null;
  }

  async commit(offsets: readonly (TopicPartition & CommittedOffset)[]): Promise<void> {
    const hold = this.#hold;
    for (const each of offsets) {
      if (!this.holds(each)) throw notHeld(this.#options.group, each);
      demandCommittable(each, this.#deps.limits.commitMetadataBytesMax);
    }
    const [first] = offsets;
    if (hold === null || first === undefined) return;
    await commitOffsets({
      coordinator: this.#coordinator,
      retrying: this.#retrying,
      membership: hold.seat.membership,
      lease: hold.lease,
      offsets: offsets.map((each) => ({ ...each, topic: this.#deps.names.wire(each.topic) })),
      refusal: () => notHeld(this.#options.group, first),
    });
  }

  trouble(): string | null {
    return this.#ongoing.values().next().value ?? null;
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const each of partitions) this.#hold?.reading.readerOf(each)?.pause();
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const each of partitions) this.#hold?.reading.readerOf(each)?.resume();
  }

  seek(position: TopicPartition & { readonly offset: number }): void {
    this.#hold?.reading.readerOf(position)?.seek(position.offset);
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#left.promise;
  }

  #holdOn(partition: TopicPartition): Hold | null {
    const hold = this.#hold;
    if (hold === null || hold.reading.readerOf(partition) === undefined) return null;
    return hold.lease.lasts(performance.now()) ? hold : null;
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    try {
      while (!signal.aborted) {
        const seat = await this.#takeSeat();
        await this.#keepSeat(seat);
      }
    } catch (error) {
      if (!signal.aborted) this.#crashWith(error);
    }
    await this.#leave();
  }

  async #takeSeat(): Promise<Seat> {
    this.#seating = true;
    const { signal } = this.#end;
    const seat = await untilDone(this.#retrying, `joining group ${this.#options.group}`, {
      signal,
      task: () => this.#seats.take(),
    });
    this.#seating = false;
    return seat;
  }

  async #keepSeat(seat: Seat): Promise<void> {
    const lease = new Lease(this.#deps.limits, seat.sentMs);
    const change = new AbortController();
    let told = false;
    this.#heartbeats = startHeartbeats({
      coordinator: this.#coordinator,
      membership: seat.membership,
      lease,
      limits: this.#deps.limits,
      retrying: this.#retrying,
      onChange: () => {
        if (!change.signal.aborted) this.#changedMs = performance.now();
        change.abort();
        if (told || this.#end.signal.aborted || lease.lasts(performance.now())) return;
        told = true;
        this.#deps.onEvent({ kind: 'lost', group: this.#options.group });
      },
      onFailed: (error) => this.#crashWith(error),
    });
    const over = AbortSignal.any([change.signal, this.#end.signal]);
    try {
      const points = await this.#findPoints(seat, over);
      if (points !== null) await this.#work({ seat, lease, points, over });
      else await aborted(over);
    } finally {
      this.#heartbeats.stop();
    }
  }

  /** Null: the group changed before we knew. */
  async #findPoints(seat: Seat, over: AbortSignal): Promise<readonly StartingPoint[] | null> {
    try {
      return await untilDone(this.#retrying, 'finding where to go on', {
        signal: over,
        task: () =>
          startingPoints({
            brokers: this.#brokers,
            coordinator: this.#coordinator,
            groupId: seat.membership.groupId,
            places: seat.partitions.map((each) => this.#placeOf(each)),
            startFrom: this.#options.startFrom,
          }),
      });
    } catch (error) {
      if (over.aborted) return null;
      throw error;
    }
  }

  async #work(held: {
    readonly seat: Seat;
    readonly lease: Lease;
    readonly points: readonly StartingPoint[];
    readonly over: AbortSignal;
  }): Promise<void> {
    const { seat, lease, points, over } = held;
    const reading = new Reading({
      deps: this.#deps,
      brokers: this.#brokers,
      retrying: this.#retrying,
      group: this.#options.group,
      handler: this.#handler,
      batchRecordsMax: this.#options.batchRecordsMax,
      points,
      onCrash: (error) => this.#crashWith(error),
    });
    this.#hold = { seat, lease, reading };
    this.#tellRebalanced(seat);
    const partitions = points.map(({ place }) => partitionOf(place));
    if (points.length > 0)
      await this.#orCrash(async () => this.#handler.onAssigned?.(points.map(assignmentOf)));
    if (!over.aborted) reading.start();
    await aborted(over);
    await reading.quiesce();
    if (this.#hold !== null && points.length > 0)
      await this.#orCrash(async () => this.#handler.onRevoked?.(partitions));
    this.#release();
  }

  #tellRebalanced({ partitions, members }: Seat): void {
    this.#deps.onEvent({
      kind: 'rebalanced',
      group: this.#options.group,
      partitions: partitions.length,
      ...(members === undefined ? {} : { members }),
      seconds: (performance.now() - this.#changedMs) / 1000,
    });
  }

  #release(): void {
    this.#hold?.lease.lose();
    this.#hold?.reading.close();
    this.#hold = null;
  }

  async #orCrash(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#crashWith(error);
    }
  }

  /** Leaves at once, without `onRevoked`; a handler that never comes back is not waited for. */
  #crashWith(error: unknown): void {
    if (this.#crash !== null || this.#leaving !== null) return;
    this.#crash = { error };
    this.#release();
    this.#end.abort();
    void this.#leave();
  }

  #leave(): Promise<void> {
    return (this.#leaving ??= this.#sayGoodbye());
  }

  async #sayGoodbye(): Promise<void> {
    this.#heartbeats?.stop();
    const member = { groupId: this.#deps.names.wire(this.#options.group), memberId: this.#seats.memberId };
    // The coordinator answers one connection's requests in turn, and a join waits for others.
    const spare = this.#seating ? new Brokers(this.#deps.settings, []) : null;
    await leaveGroup(spare ?? this.#brokers, member);
    spare?.close();
    this.#brokers.close();
    this.#onLeft(this);
    if (this.#crash !== null) this.#handler.onCrash(this.#crash.error);
    this.#left.resolve();
  }

  #placeOf({ topic: wireTopic, partition }: TopicPartition): Place {
    return { topic: this.#deps.names.local(wireTopic) ?? wireTopic, wireTopic, partition };
  }
}

function partitionOf({ topic, partition }: Place): TopicPartition {
  return { topic, partition };
}

function assignmentOf({ place, committed }: StartingPoint): Assignment {
  return { ...partitionOf(place), committed };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
