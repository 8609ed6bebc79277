/** The topics of a namespace as they are, not as somebody once asked for them. */
import kafkajs from 'kafkajs';
import type { Admin } from 'kafkajs';
import type { TopicSpec } from '../../../pipeline/log.ts';
import type { Names } from '../client/names.ts';

const { ConfigResourceTypes } = kafkajs;

/** Asked about at a time. */
const TOPICS_PER_QUESTION_MAX = 200;
/** Kafka's own topics, such as __consumer_offsets. */
const INTERNAL = /^__/;

export async function readTopics(admin: Admin, names: Names): Promise<TopicSpec[]> {
  const ours = (await admin.listTopics()).filter(
    (wireName) => !INTERNAL.test(wireName) && names.local(wireName) !== null,
  );
  const specs: TopicSpec[] = [];
  for (let from = 0; from < ours.length; from += TOPICS_PER_QUESTION_MAX) {
    specs.push(...(await readSome(admin, names, ours.slice(from, from + TOPICS_PER_QUESTION_MAX))));
  }
  return specs.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function readSome(admin: Admin, names: Names, wireNames: readonly string[]): Promise<TopicSpec[]> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [...wireNames] });
  const settings = await readSettings(admin, wireNames);
  return topics.map(({ name, partitions }) => {
    const found = settings.get(name) ?? new Map<string, string>();
    const policies = (found.get('cleanup.policy') ?? '').split(',');
    const retentionMs = Number(found.get('retention.ms'));
    return {
      name: names.local(name) as string,
      partitions: partitions.length,
      ...(policies.includes('delete') && retentionMs >= 0 ? { retentionMs } : {}),
      ...(policies.includes('compact') ? { compacted: true } : {}),
      replication: partitions[0]?.replicas.length ?? 0,
    };
  });
}

async function readSettings(
  admin: Admin,
  wireNames: readonly string[],
): Promise<Map<string, ReadonlyMap<string, string>>> {
  const { resources } = await admin.describeConfigs({
    resources: wireNames.map((name) => ({
      type: ConfigResourceTypes.TOPIC,
      name,
      configNames: ['cleanup.policy', 'retention.ms'],
    })),
    includeSynonyms: false,
  });
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  );
}
