/** Topics, offsets and what groups have committed, as the brokers tell of them. */
import type { Admin } from 'kafkajs';
import type { ForetillError } from '../../errors.ts';
import type { CommittedOffset, Log, OffsetRange } from '../../pipeline/log.ts';
import { createTopics } from './create-topics.ts';
import type { TopicCreationParts } from './create-topics.ts';
import { readTopics } from './read-topics.ts';

export type LogAdmin = Pick<Log, 'ensureTopics' | 'topics' | 'offsets' | 'committed'>;

export function createAdmin(parts: TopicCreationParts): LogAdmin {
  const { admin, names } = parts;
  return {
    ensureTopics: (specs) => createTopics(parts, specs),
    topics: () => admin.answer({ what: 'Reading the topics', ask: (client) => readTopics(client, names) }),
    offsets: (topic) =>
      admin.answer({
        what: `Reading the offsets of topic ${topic}`,
        topic,
        ask: (client) => readOffsets(client, names.wire(topic)),
      }),
    async committed(group, topic) {
      try {
        return await admin.answer({
          what: `Reading what group ${group} has committed`,
          topic,
          group,
          ask: (client) => readCommitted(client, names.wire(group), names.wire(topic)),
        });
      } catch (error) {
        if ((error as ForetillError).code === 'INPUT_NOT_FOUND') return new Map();
        throw error;
      }
    },
  };
}

async function readOffsets(client: Admin, wireTopic: string): Promise<Map<number, OffsetRange>> {
  const offsets = await client.fetchTopicOffsets(wireTopic);
  return new Map(
    offsets
      .map(({ partition, low, high }) => [partition, { start: Number(low), end: Number(high) }] as const)
      .sort(([a], [b]) => a - b),
  );
}

async function readCommitted(
  client: Admin,
  wireGroup: string,
  wireTopic: string,
): Promise<Map<number, CommittedOffset>> {
  const [topic] = await client.fetchOffsets({ groupId: wireGroup, topics: [wireTopic] });
  const committed = new Map<number, CommittedOffset>();
  for (const { partition, offset, metadata } of topic?.partitions ?? []) {
    if (offset !== NOTHING_COMMITTED)
      committed.set(partition, { offset: Number(offset), metadata: metadata ?? '' });
  }
  return committed;
}

const NOTHING_COMMITTED = '-1';
