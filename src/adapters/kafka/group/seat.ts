/** Takes a seat in a group: joins, shares out where it is the leader, and is told its own share. */
import type { KafkaLimits } from '../../../config.ts';
import type { TopicPartition } from '../../../pipeline/log.ts';
import { readAssignment, shareOut, subscribedTopics, subscription } from './assignment.ts';
import type { Brokers } from '../client/brokers.ts';
import type { Coordinator } from './coordinator.ts';
import { protocolErrorOf } from '../client/kafka-errors.ts';
import { protocolError, requiredMemberId } from '../client/kafkajs-inner.ts';
import type { Joined, Membership, MemberShare } from '../client/protocol.ts';

export type Seat = {
  readonly membership: Membership;
  /** When the request was sent by which the share was given (`performance.now()`). */
  readonly sentMs: number;
  /** By their names on the wire. */
  readonly partitions: readonly TopicPartition[];
  /** Of the whole group; only the leader knows. */
  readonly members?: number;
};

/** Groups that change while one joins are joined again at once, but not more often than this in a row. */
const RESTARTS_MAX = 50;

/** One member's way into its group. Its id stays the same from one seat to the next, until the group forgets it. */
export class SeatTaker {
  readonly #brokers: Brokers;
  readonly #coordinator: Coordinator;
  readonly #groupId: string;
  readonly #topics: readonly string[];
  readonly #limits: KafkaLimits;
  #memberId = '';

  /** Group and topics as on the wire. */
  constructor(parts: {
    readonly brokers: Brokers;
    readonly coordinator: Coordinator;
    readonly groupId: string;
    readonly topics: readonly string[];
    readonly limits: KafkaLimits;
  }) {
    this.#brokers = parts.brokers;
    this.#coordinator = parts.coordinator;
    this.#groupId = parts.groupId;
    this.#topics = parts.topics;
    this.#limits = parts.limits;
  }

  /** Empty before the first seat. */
  get memberId(): string {
    return this.#memberId;
  }

  /** Waits until all members of the group have joined. Rejects with what a later call may not meet. */
  async take(): Promise<Seat> {
    for (let restarts = 0; ; restarts++) {
      try {
        return await this.#tryOnce();
      } catch (error) {
        if (restarts === RESTARTS_MAX || !this.#mayRestart(error)) throw error;
      }
    }
  }

  #mayRestart(error: unknown): boolean {
    const memberId = requiredMemberId(error);
    const type = protocolErrorOf(error) ?? '';
    if (memberId !== null) this.#memberId = memberId;
    else if (type === 'UNKNOWN_MEMBER_ID') this.#memberId = '';
    return memberId !== null || RESTARTING.has(type);
  }

  async #tryOnce(): Promise<Seat> {
    await this.#demandTopics();
    const groupId = this.#groupId;
    const joined = await this.#coordinator.ask((broker) =>
      broker.joinGroup({
        groupId,
        memberId: this.#memberId,
        sessionTimeout: this.#limits.sessionTimeoutMs,
        rebalanceTimeout: this.#limits.rebalanceTimeoutMs,
        groupProtocols: [subscription(this.#topics)],
      }),
    );
    const { memberId, generationId, leaderId, members } = joined;
    this.#memberId = memberId;
    const membership = { groupId, memberId, generationId };
    const leads = memberId === leaderId;
    const shares = leads ? await this.#share(members) : [];
    const sentMs = performance.now();
    const share = await this.#coordinator.ask((broker) => broker.syncGroup(membership, shares));
    const partitions = readAssignment(share).filter(({ topic }) => this.#topics.includes(topic));
    return { membership, sentMs, partitions, ...(leads ? { members: members.length } : {}) };
  }

  async #demandTopics(): Promise<void> {
    const found = await this.#brokers.metadata();
    for (const topic of this.#topics) {
      const error = found.get(topic)?.error;
      if (error !== null) throw protocolError(error ?? 'UNKNOWN_TOPIC_OR_PARTITION');
    }
  }

  async #share(members: Joined['members']): Promise<MemberShare[]> {
    const topics = await this.#brokers.metadata(subscribedTopics(members));
    return shareOut(members, (topic) => {
      const found = topics.get(topic);
      return found?.error === null ? found.leaders.length : 0;
    });
  }
}

const RESTARTING: ReadonlySet<string> = new Set([
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'REBALANCE_IN_PROGRESS',
]);
