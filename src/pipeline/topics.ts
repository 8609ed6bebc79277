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

/** Where refused records of a topic go: their original bytes, with the facts in `foretill-…` headers. */
export function deadLetterTopic(topic: Topic): string {
  return `${topic}.dlq`;
}

/** Every topic as `foretill topics` and the embedded log create it, dead letters of what is read included. */
export function topicSpecs(config: Config): TopicSpec[] {
  const { transactionPartitions, shards, retention } = config;
  return [
    { name: TOPICS.transactions, partitions: transactionPartitions, retentionMs: retention.transactionsMs },
    { name: TOPICS.buckets, partitions: shards, retentionMs: retention.bucketsMs },
    { name: TOPICS.forecasts, partitions: shards, compacted: true },
    { name: TOPICS.experts, partitions: shards, compacted: true },
    { name: TOPICS.alerts, partitions: 1, retentionMs: retention.alertsMs },
    ...[TOPICS.transactions, TOPICS.buckets, TOPICS.experts].map((topic) => ({
      name: deadLetterTopic(topic),
      partitions: 1,
      retentionMs: retention.deadLettersMs,
    })),
  ];
}
