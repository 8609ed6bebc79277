/**
 * Shares the partitions of the topics among the members of one group. Eager, as in Kafka: whenever a member joins or
 * leaves, all finish the batch in work and give up everything, then everything is assigned anew from what is committed.
 * So no partition is ever held by two.
 */
import type { CommittedOffset } from '../../pipeline/log.ts';
import { assignRanges } from './assign-ranges.ts';
import type { AssignedPlace, GroupMember } from './group-member.ts';
import type { TopicRegistry } from './topic-registry.ts';
import type { WorkerClient } from './worker-client.ts';

export class ConsumerGroup {
  readonly #name: string;
  readonly #client: WorkerClient;
  readonly #registry: TopicRegistry;
  #members: readonly GroupMember[] = [];
  #changed = false;
  #rebalancing = false;

  constructor(parts: {
    readonly name: string;
    readonly client: WorkerClient;
    readonly registry: TopicRegistry;
  }) {
    this.#name = parts.name;
    this.#client = parts.client;
    this.#registry = parts.registry;
  }

  join(member: GroupMember): void {
    this.#members = [...this.#members, member];
    this.#memberships();
  }

  leave(member: GroupMember): void {
    this.#members = this.#members.filter((each) => each !== member);
    this.#memberships();
  }

  /** In a later turn of the event loop: whoever joined has its consumer in hand before its handler is called. */
  #memberships(): void {
    this.#changed = true;
    if (this.#rebalancing) return;
    this.#rebalancing = true;
    setImmediate(() => void this.#rebalance());
  }

  async #rebalance(): Promise<void> {
    while (this.#changed) {
      this.#changed = false;
      await Promise.all(this.#members.map((member) => member.revoke()));
      try {
        const plan = await this.#plan();
        // Whoever joined while it was planned is counted in first.
        if (!this.#changed) await Promise.all([...plan].map(([member, assigned]) => member.assign(assigned)));
      } catch (error) {
        for (const member of this.#members) member.crash(error);
      }
    }
    this.#rebalancing = false;
  }

  async #plan(): Promise<Map<GroupMember, AssignedPlace[]>> {
    const ranges = assignRanges(this.#members, (topic) => this.#registry.get(topic).places);
    const committed = new Map<string, ReadonlyMap<number, CommittedOffset>>();
    for (const topic of new Set(this.#members.flatMap((member) => member.topics))) {
      committed.set(topic, new Map(await this.#client.call('committed', { group: this.#name, topic })));
    }
    return new Map(
      [...ranges].map(([member, places]) => [
        member,
        places.map((place) => ({
          place,
          committed: committed.get(place.topic)?.get(place.partition) ?? null,
        })),
      ]),
    );
  }
}
