/** Creates the topics that are missing, as `foretill topics` and every start do, and waits until they can be written to. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Admin, ITopicConfig } from 'kafkajs';
import type { KafkaLimits } from '../../../config.ts';
import { ForetillError } from '../../../errors.ts';
import type { TopicSpec } from '../../../pipeline/log.ts';
import type { KafkaAddress } from '../client/address.ts';
import type { AdminClient } from '../client/admin-client.ts';
import { protocolErrorOf } from '../client/kafka-errors.ts';
import type { Names } from '../client/names.ts';
import { LARGE_RECORD_SLACK_BYTES } from './topic-shapes.ts';

export type TopicCreationParts = {
  readonly admin: AdminClient;
  readonly address: KafkaAddress;
  readonly names: Names;
  readonly limits: KafkaLimits;
};

/**
 * What exists keeps its settings, whatever the specs say of retention, compaction or replication. CONFIG_INVALID for a
 * topic that exists with other partitions, before anything is created; LOG_UNAVAILABLE when no broker takes the lead of
 * a new one in time.
 */
export async function createTopics(parts: TopicCreationParts, specs: readonly TopicSpec[]): Promise<void> {
  for (const spec of specs) demandPartitions(spec);
  const existing = await findTopics(parts, specs);
  for (const spec of specs) demandSame(spec, existing.get(spec.name));
  const missing = specs.filter(({ name }) => !existing.has(name));
  for (const spec of missing) await createTopic(parts, spec);
  if (missing.length > 0) await awaitLeaders(parts, missing);
}

type Found = { readonly partitions: number; readonly led: boolean };

async function findTopics(
  { admin, names }: TopicCreationParts,
  specs: readonly TopicSpec[],
): Promise<Map<string, Found>> {
  const found = new Map<string, Found>();
  for (const { name } of specs) {
    const topic = await admin.answer({
      what: `Looking for topic ${name}`,
      topic: name,
      ask: (client) => findTopic(client, names.wire(name)),
    });
    if (topic !== null) found.set(name, topic);
  }
  return found;
}

async function findTopic(client: Admin, wireName: string): Promise<Found | null> {
  try {
    const { topics } = await client.fetchTopicMetadata({ topics: [wireName] });
    const partitions = topics[0]?.partitions ?? [];
    return { partitions: partitions.length, led: partitions.every(({ leader }) => leader >= 0) };
  } catch (error) {
    const type = protocolErrorOf(error);
    if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return null;
    // It is being created at this moment.
    if (type === 'LEADER_NOT_AVAILABLE') return { partitions: 0, led: false };
    throw error;
  }
}

async function createTopic(
  { admin, address, names, limits }: TopicCreationParts,
  spec: TopicSpec,
): Promise<void> {
  const topic = topicConfig(spec, names.wire(spec.name), address);
  await admin.answer({
    what: `Creating topic ${spec.name}`,
    topic: spec.name,
    ask: (client) => create(client, topic, limits.requestMsMax),
  });
}

/** Also done when another process was faster. */
async function create(client: Admin, topic: ITopicConfig, timeout: number): Promise<void> {
  try {
    await client.createTopics({ topics: [topic], waitForLeaders: false, timeout });
  } catch (error) {
    if (protocolErrorOf(error) !== 'TOPIC_ALREADY_EXISTS') throw error;
  }
}

function topicConfig(spec: TopicSpec, wireName: string, address: KafkaAddress): ITopicConfig {
  const { partitions, retentionMs, compacted = false, replication, recordBytesMax } = spec;
  const policies = [
    ...(compacted ? ['compact'] : []),
    ...(compacted && retentionMs === undefined ? [] : ['delete']),
  ];
  return {
    topic: wireName,
    numPartitions: partitions,
    replicationFactor: replication ?? address.replicationFactor ?? BROKERS_DEFAULT,
    configEntries: [
      { name: 'cleanup.policy', value: policies.join(',') },
      { name: 'retention.ms', value: String(retentionMs ?? FOR_EVER) },
      { name: 'message.timestamp.after.max.ms', value: NO_LIMIT },
      ...(recordBytesMax === undefined
        ? []
        : [{ name: 'max.message.bytes', value: String(recordBytesMax + LARGE_RECORD_SLACK_BYTES) }]),
    ],
  };
}

const BROKERS_DEFAULT = -1;
const FOR_EVER = -1;
/** Whose clock is right is for ingest to say, in a dead letter: a broker that refuses a record leaves no trace of it. */
const NO_LIMIT = '9223372036854775807';

const LEADERS_ASKED_EVERY_MS = 50;

async function awaitLeaders(parts: TopicCreationParts, specs: readonly TopicSpec[]): Promise<void> {
  const deadline = performance.now() + parts.limits.topicReadyMsMax;
  for (;;) {
    const found = await findTopics(parts, specs);
    for (const spec of specs) demandSame(spec, found.get(spec.name));
    const waiting = specs.find(({ name }) => found.get(name)?.led !== true);
    if (waiting === undefined) return;
    if (performance.now() > deadline) {
      throw new ForetillError(
        'LOG_UNAVAILABLE',
        `No broker takes the lead of the new topic ${waiting.name}.`,
        {
          remedy: 'See whether all brokers are up and have room on their disks, then try again.',
        },
      );
    }
    await delay(LEADERS_ASKED_EVERY_MS);
  }
}

function demandPartitions({ name, partitions }: TopicSpec): void {
  if (Number.isInteger(partitions) && partitions >= 1) return;
  throw new ForetillError('CONFIG_INVALID', `Topic ${name} cannot have ${partitions} partitions.`, {
    remedy: 'Use a whole number, 1 or more.',
  });
}

function demandSame(spec: TopicSpec, found: Found | undefined): void {
  if (found === undefined || found.partitions === 0 || found.partitions === spec.partitions) return;
  throw new ForetillError(
    'CONFIG_INVALID',
    `Topic ${spec.name} has ${found.partitions} partitions, not ${spec.partitions}: keys would change their place.`,
    { remedy: `Set the number to ${found.partitions}, or use a new namespace and import the history again.` },
  );
}
