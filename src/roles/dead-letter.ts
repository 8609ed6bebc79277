/** A refused record as it goes to its topic's dead letters. */
import type { LogRecord, OutgoingRecord, TopicPartition } from '../pipeline/log.ts';

export type Refusal = {
  readonly stage: 'decode' | 'parse';
  readonly reason: string;
  readonly message: string;
};

/**
 * The original bytes, and in the headers where they came from and why they are here. Card numbers are the one thing
 * that is not kept: such a letter has no value, and can be fetched again only from its sender.
 */
export function deadLetter(
  { topic, partition }: TopicPartition,
  record: LogRecord,
  { stage, reason, message }: Refusal,
): OutgoingRecord {
  const text = (value: string | number): Buffer => Buffer.from(String(value));
  return {
    key: record.key,
    value: reason === 'card_data' ? null : record.value,
    headers: {
      ...record.headers,
      'foretill-topic': text(topic),
      'foretill-partition': text(partition),
      'foretill-offset': text(record.offset),
      'foretill-timestamp': text(record.timestampMs),
      'foretill-stage': text(stage),
      'foretill-reason': text(reason),
      'foretill-error': text(message),
    },
  };
}
