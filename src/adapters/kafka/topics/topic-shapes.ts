/**
 * What appending and reading must know of a topic: its partitions, who leads them, the largest batch it takes, whether
 * gaps in it are compaction's. Asked for once, and again from time to time; until the answer is there, what was known
 * goes on being used.
 */
import kafkajs from 'kafkajs';
import type { Admin } from 'kafkajs';
import type { KafkaLimits } from '../../../config.ts';
import type { ForetillError } from '../../../errors.ts';
import type { AdminClient } from '../client/admin-client.ts';
import type { Names } from '../client/names.ts';

const { ConfigResourceTypes } = kafkajs;

export type TopicShape = {
  /** The broker that leads each partition; −1: none at the moment. */
  readonly leaders: readonly number[];
  /** Of records as they are, not yet compressed. */
  readonly batchBytesMax: number;
  /** A larger one goes alone, and is refused beyond this. */
  readonly recordBytesMax: number;
  readonly isCompacted: boolean;
};

export type TopicShapes = {
  /** INPUT_NOT_FOUND for a topic that does not exist. */
  get(topic: string): Promise<TopicShape>;
  /** Asks again at the next use. */
  forget(topic: string): void;
};

type Known = { readonly shape: Promise<TopicShape>; readonly sinceMs: number; refreshing: boolean };

/** Far beyond what is ever written to; forgetting one costs a question. */
const TOPICS_KNOWN_MAX = 1_000;

export function createTopicShapes(parts: {
  readonly admin: AdminClient;
  readonly names: Names;
  readonly limits: KafkaLimits;
}): TopicShapes {
  const { admin, names, limits } = parts;
  const known = new Map<string, Known>();

  const ask = (topic: string): Promise<TopicShape> =>
    admin.answer({
      what: `Looking up topic ${topic}`,
      topic,
      ask: (client) => shapeOf(client, names.wire(topic), limits),
    });

  function remember(topic: string, shape: Promise<TopicShape>): void {
    if (known.size >= TOPICS_KNOWN_MAX) known.clear();
    known.set(topic, { shape, sinceMs: performance.now(), refreshing: false });
  }

  function refresh(topic: string, entry: Known): void {
    entry.refreshing = true;
    void ask(topic).then(
      (shape) => remember(topic, Promise.resolve(shape)),
      (error: ForetillError) => {
        if (error.code === 'INPUT_NOT_FOUND') known.delete(topic);
        else remember(topic, entry.shape);
      },
    );
  }

  return {
    get(topic) {
      const entry = known.get(topic);
      if (entry !== undefined) {
        const aged = performance.now() - entry.sinceMs > limits.topicAgeMsMax;
        if (aged && !entry.refreshing) refresh(topic, entry);
        return entry.shape;
      }
      const shape = ask(topic);
      remember(topic, shape);
      void shape.catch(() => known.delete(topic));
      return shape;
    },
    forget: (topic) => void known.delete(topic),
  };
}

async function shapeOf(admin: Admin, wireName: string, limits: KafkaLimits): Promise<TopicShape> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [wireName] });
  const leaders: number[] = [];
  for (const { partitionId, leader } of topics.flatMap((topic) => topic.partitions))
    leaders[partitionId] = leader;
  const settings = await readSettings(admin, wireName);
  const messageBytesMax = Number(settings.get('max.message.bytes') ?? BROKERS_MESSAGE_BYTES_MAX);
  const batchBytesMax = Math.min(limits.batchBytesMax, messageBytesMax);
  return {
    leaders,
    batchBytesMax,
    recordBytesMax:
      messageBytesMax > BROKERS_MESSAGE_BYTES_MAX
        ? Math.max(limits.recordBytesMax, messageBytesMax - LARGE_RECORD_SLACK_BYTES)
        : Math.min(limits.recordBytesMax, batchBytesMax - BATCH_HEADER_BYTES),
    isCompacted: (settings.get('cleanup.policy') ?? '').split(',').includes('compact'),
  };
}

/** What brokers take where nobody said otherwise. A topic that takes more was made for larger records. */
const BROKERS_MESSAGE_BYTES_MAX = 1_048_588;
/** Of a record batch of version 2. */
const BATCH_HEADER_BYTES = 61;
/** What a batch of one large record is larger than it, also where compressing it makes it larger. */
export const LARGE_RECORD_SLACK_BYTES = 65_536;

/** Who may write to a topic may not always read its settings; then they are taken to be the usual ones. */
async function readSettings(admin: Admin, wireName: string): Promise<ReadonlyMap<string, string>> {
  const resource = {
    type: ConfigResourceTypes.TOPIC,
    name: wireName,
    configNames: ['max.message.bytes', 'cleanup.policy'],
  };
  const found = await admin
    .describeConfigs({ resources: [resource], includeSynonyms: false })
    .catch(() => null);
  const entries = found?.resources[0]?.configEntries ?? [];
  return new Map(entries.map(({ configName, configValue }) => [configName, configValue]));
}
