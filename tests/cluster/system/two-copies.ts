/** A topic that is written to only when two brokers have it. */
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';

const COPIED_MS_MAX = 60_000;
/** kafkajs has no name for it: set for this very topic. */
const OF_THE_TOPIC = 1;

/** Brokers 1 (which goes on leading it) and 2 keep its only partition. `wireTopic` with the namespace. */
export async function keepTwoCopies(broker: string, wireTopic: string): Promise<void> {
  const admin = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const partitionAssignment = [{ partition: 0, replicas: [1, 2] }];
    await admin.alterPartitionReassignments({ topics: [{ topic: wireTopic, partitionAssignment }] });
    for (const deadlineMs = Date.now() + COPIED_MS_MAX; ;) {
      const { topics } = await admin.fetchTopicMetadata({ topics: [wireTopic] });
      if (topics[0]?.partitions[0]?.isr.length === 2) break;
      if (Date.now() > deadlineMs) throw new Error(`no second copy of ${wireTopic}`);
      await delay(100);
    }
    const topic = { type: ConfigResourceTypes.TOPIC, name: wireTopic };
    const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [topic] });
    // What is not named goes back to its default.
    const kept = (resources[0]?.configEntries ?? [])
      .filter(({ configSource }) => (configSource as number) === OF_THE_TOPIC)
      .map(({ configName, configValue }) => ({ name: configName, value: configValue }));
    const configEntries = [...kept, { name: 'min.insync.replicas', value: '2' }];
    await admin.alterConfigs({ validateOnly: false, resources: [{ ...topic, configEntries }] });
  } finally {
    await admin.disconnect();
  }
}
