/** The topics by name, and how each is to be created. */
import type { Config } from '../config.ts';
import type { TopicSpec } from './log.ts';
import type { Topic } from './messages.ts';

export const TOPICS = {
  /** key: store */
  transactions: 'retail.pos.transaction.v1',
  /** partition = shard, chosen by the writer */
  buckets: 'retail.sales.bucket.v1',
  /** key: series; compacted */
  forecasts: 'retail.sales.forecast.v1',
  /** key: series, tab, expert; compacted */
  experts: 'retail.sales.expert.v1',
  /** key: alert */
  alerts: 'retail.sales.alert.v1',
} as const satisfies Record<string, Topic>;

const DEAD_LETTER_SUFFIX = '.dlq';

/** Where refused records of a topic go: their original bytes, with the facts in `foretill-…` headers. */
export function deadLetterTopic(topic: Topic): string {
  return `${topic}${DEAD_LETTER_SUFFIX}`;
}

export function isDeadLetterTopic(name: string): boolean {
  return name.endsWith(DEAD_LETTER_SUFFIX);
}

/** Those of what is read by a role that may refuse it. */
export const DEAD_LETTER_TOPICS: readonly string[] = [
  TOPICS.transactions,
  TOPICS.buckets,
  TOPICS.experts,
].map(deadLetterTopic);

/** Which dead letters have been put back, by their places; it outlives the letters. Of use to `foretill dlq` alone. */
export const REPLAYED_TOPIC = 'retail.dead-letter.replayed.v1';

/** Every topic as `foretill topics` and the embedded log create it, dead letters of what is read included. */
export function topicSpecs(config: Config): TopicSpec[] {
  const { transactionPartitions, shards, retention } = config;
  return [
    { name: TOPICS.transactions, partitions: transactionPartitions, retentionMs: retention.transactionsMs },
    { name: TOPICS.buckets, partitions: shards, retentionMs: retention.bucketsMs },
    { name: TOPICS.forecasts, partitions: shards, compacted: true },
    { name: TOPICS.experts, partitions: shards, compacted: true },
    { name: TOPICS.alerts, partitions: 1, retentionMs: retention.alertsMs },
    ...DEAD_LETTER_TOPICS.map((name) => ({
      name,
      partitions: 1,
      retentionMs: retention.deadLettersMs,
      recordBytesMax: config.deadLetterBytesMax,
    })),
    { name: REPLAYED_TOPIC, partitions: 1, retentionMs: 2 * retention.deadLettersMs },
  ];
}

export type TopicDifference = {
  readonly topic: string;
  readonly what: 'missing' | 'partitions' | 'retention' | 'compaction' | 'replication';
  readonly wanted: string;
  readonly found: string;
};

/** Where topics are not as they should be. Replication is compared only where it is asked for. */
export function topicDifferences(
  wanted: readonly TopicSpec[],
  present: readonly TopicSpec[],
): TopicDifference[] {
  const byName = new Map(present.map((topic) => [topic.name, topic]));
  return wanted.flatMap((spec): TopicDifference[] => {
    const found = byName.get(spec.name);
    if (found === undefined)
      return [{ topic: spec.name, what: 'missing', wanted: 'there', found: 'not there' }];
    const compared = [
      ['partitions', String(spec.partitions), String(found.partitions)],
      ['retention', retentionOf(spec), retentionOf(found)],
      ['compaction', compactionOf(spec), compactionOf(found)],
      ['replication', String(spec.replication ?? found.replication), String(found.replication)],
    ] as const;
    return compared.flatMap(([what, asWanted, asFound]) =>
      asWanted === asFound ? [] : [{ topic: spec.name, what, wanted: asWanted, found: asFound }],
    );
  });
}

function retentionOf({ retentionMs }: TopicSpec): string {
  return retentionMs === undefined ? 'for ever' : `${retentionMs} ms`;
}

function compactionOf({ compacted }: TopicSpec): string {
  return compacted === true ? 'compacted' : 'not compacted';
}
