/** Topics, offsets and what groups have committed, as the brokers tell of them. */
import type { Admin } from 'kafkajs';
import type { ForetillError } from '../../../errors.ts';
import type { CommittedOffset, Log } from '../../../pipeline/log.ts';
import type { Brokers } from '../client/brokers.ts';
import { createTopics } from './create-topics.ts';
import type { TopicCreationParts } from './create-topics.ts';
import { offsetRangesLed } from '../reading/offset-ranges.ts';
import { readTopics } from './read-topics.ts';

export type LogAdmin = Pick<Log, 'ensureTopics' | 'topics' | 'offsets' | 'committed'>;

export function createAdmin(parts: TopicCreationParts & { readonly brokers: Brokers }): LogAdmin {
  const { admin, brokers, names } = parts;
  return {
    ensureTopics: (specs) => createTopics(parts, specs),
    topics: () => admin.answer({ what: 'Reading the topics', ask: (client) => readTopics(client, names) }),
    offsets: (topic) =>
      admin.answer({
        what: `Reading the offsets of topic ${topic}`,
        topic,
        // kafkajs tells of all partitions or of none.
        ask: () => offsetRangesLed(brokers, names.wire(topic)),
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
