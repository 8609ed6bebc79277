/** A Kafka log for a test: in a namespace of its own, with what happens in it written down, closed after the file. */
import { randomUUID } from 'node:crypto';
import { afterAll } from 'vitest';
import type { KafkaAddress } from '../../src/adapters/kafka/client/address.ts';
import type { KafkaEvent } from '../../src/adapters/kafka/client/events.ts';
import { openKafkaLog } from '../../src/adapters/kafka/kafka-log.ts';
import { systemClock } from '../../src/clock.ts';
import { DEFAULT_CONFIG } from '../../src/config.ts';
import type { KafkaLimits } from '../../src/config.ts';
import type { Log } from '../../src/pipeline/log.ts';

export type OpenedLog = {
  readonly log: Log;
  readonly address: KafkaAddress;
  readonly events: readonly KafkaEvent[];
};

export type OpenLogOptions = Partial<KafkaAddress> &
  Pick<KafkaAddress, 'brokers'> & { readonly limits?: Partial<KafkaLimits> };

/** Call it once in a file, at its top. */
export function logOpener(): (options: OpenLogOptions) => Promise<OpenedLog> {
  const opened: OpenedLog[] = [];
  afterAll(async () => {
    for (const { log } of opened) await log.close();
  });
  return async ({ limits, ...address }) => {
    const events: KafkaEvent[] = [];
    const whole: KafkaAddress = { clientId: 'foretill-test', namespace: `test-${randomUUID()}`, ...address };
    const log = await openKafkaLog({
      address: whole,
      limits: { ...DEFAULT_CONFIG.kafka, ...limits },
      clock: systemClock,
      onEvent: (event) => events.push(event),
    });
    const result = { log, address: whole, events };
    opened.push(result);
    return result;
  };
}
