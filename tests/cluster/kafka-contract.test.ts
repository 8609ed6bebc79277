/** Kafka is held to the same contract as the embedded log, on a real broker. */
import { randomUUID } from 'node:crypto';
import { openKafkaLog } from '../../src/adapters/kafka/kafka-log.ts';
import { systemClock } from '../../src/clock.ts';
import { DEFAULT_CONFIG } from '../../src/config.ts';
import type { Log } from '../../src/pipeline/log.ts';
import { describeLogContract } from '../adapters/log-contract.ts';
import { stackAddresses } from './stack.ts';

/** The group hears sooner of members that come and go; a test has no time for the default. */
const LIMITS = { ...DEFAULT_CONFIG.kafka, heartbeatMs: 100 };

describeLogContract(
  'the Kafka log',
  async () => {
    const { brokers } = stackAddresses();
    const address = { brokers, clientId: 'foretill-test', namespace: `test-${randomUUID()}` };
    const open = (): Promise<Log> =>
      openKafkaLog({ address, limits: LIMITS, clock: systemClock, onEvent: () => undefined });
    let log = await open();
    return {
      log,
      async reopen() {
        await log.close();
        return (log = await open());
      },
      dispose: () => log.close(),
    };
  },
  { deadlineMs: 30_000, largeRecordBytes: LIMITS.recordBytesMax, concurrentAppends: 100 },
);
