/** What everything that reads from Kafka stands on. */
import type { KafkaConfig } from 'kafkajs';
import type { KafkaLimits } from '../../../config.ts';
import type { KafkaAddress } from '../client/address.ts';
import type { KafkaEvent } from '../client/events.ts';
import type { Names } from '../client/names.ts';

export type ReadingDeps = {
  readonly address: KafkaAddress;
  /** Made of the address, by `clientSettings`. */
  readonly settings: KafkaConfig;
  readonly names: Names;
  readonly limits: KafkaLimits;
  readonly onEvent: (event: KafkaEvent) => void;
  /** Whether gaps between a topic's records are what compaction leaves. */
  readonly isCompacted: (topic: string) => Promise<boolean>;
};
