/**
 * Who gets which partitions, in the form that Kafka's own clients use (the consumer protocol, assignor "range"), so that
 * Kafka's tools show the group and any member may be the leader. Each topic's partitions are shared out by themselves:
 * its members in the order of their ids get contiguous runs, the first ones one more where it does not divide.
 */
import kafkajs from 'kafkajs';
import type { TopicPartition } from '../../../pipeline/log.ts';
import type { GroupProtocol, Joined, MemberShare } from '../client/protocol.ts';

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol;

/** Version 0: what one wants, without what one has, which only cooperative assignors need. */
const VERSION = 0;
const NONE = Buffer.alloc(0);

export function subscription(topics: readonly string[]): GroupProtocol {
  const metadata = MemberMetadata.encode({ version: VERSION, topics: [...topics].sort(), userData: NONE });
  return { name: 'range', metadata };
}

/** All topics that a member wants; what a member says that nobody can read counts as nothing. */
export function subscribedTopics(members: Joined['members']): string[] {
  return [...new Set(members.flatMap((member) => topicsOf(member.memberMetadata)))].sort();
}

/** Shares the partitions out. `partitionCount` 0: the topic does not exist. */
export function shareOut(
  members: Joined['members'],
  partitionCount: (topic: string) => number,
): MemberShare[] {
  const shares = new Map<string, Record<string, number[]>>(members.map(({ memberId }) => [memberId, {}]));
  for (const topic of subscribedTopics(members)) {
    const takers = members.filter(({ memberMetadata }) => topicsOf(memberMetadata).includes(topic));
    const ids = takers.map(({ memberId }) => memberId).sort();
    for (const [index, id] of ids.entries()) {
      const run = runOf(index, ids.length, partitionCount(topic));
      const share = shares.get(id);
      if (share !== undefined && run.length > 0) share[topic] = run;
    }
  }
  return [...shares].map(([memberId, assignment]) => ({
    memberId,
    memberAssignment: MemberAssignment.encode({ version: VERSION, assignment, userData: NONE }),
  }));
}

/** What a member is assigned, in order. Empty bytes are what a member gets that the leader forgot. */
export function readAssignment(bytes: Buffer): TopicPartition[] {
  if (bytes.length === 0) return [];
  const { assignment } = MemberAssignment.decode(bytes) ?? { assignment: {} };
  return Object.entries(assignment as Record<string, number[]>)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([topic, partitions]) =>
      [...partitions].sort((a, b) => a - b).map((partition) => ({ topic, partition })),
    );
}

function runOf(index: number, members: number, partitions: number): number[] {
  const each = Math.floor(partitions / members);
  const more = partitions % members;
  const from = index * each + Math.min(index, more);
  return Array.from({ length: each + (index < more ? 1 : 0) }, (_, i) => from + i);
}

function topicsOf(metadata: Buffer): readonly string[] {
  try {
    return MemberMetadata.decode(metadata)?.topics ?? [];
  } catch {
    return [];
  }
}
