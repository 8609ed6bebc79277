/** A broker for one test file alone, to break it or to let sessions end sooner than others would like. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBroker } from '../../deploy/stack/broker.ts';
import type { Broker } from '../../deploy/stack/broker.ts';
import type { KafkaAddress } from '../../src/adapters/kafka/client/address.ts';
import type { KafkaEvent } from '../../src/adapters/kafka/client/events.ts';
import { openKafkaLog } from '../../src/adapters/kafka/kafka-log.ts';
import { systemClock } from '../../src/clock.ts';
import { DEFAULT_CONFIG } from '../../src/config.ts';
import type { KafkaLimits } from '../../src/config.ts';
import type { Log } from '../../src/pipeline/log.ts';
import { doAll } from './clean-ups.ts';

/** Everything happens sooner than by default. */
export const QUICK_LIMITS: KafkaLimits = {
  ...DEFAULT_CONFIG.kafka,
  sessionTimeoutMs: 3_000,
  heartbeatMs: 200,
  rebalanceTimeoutMs: 20_000,
  retryDelayMsMax: 200,
};

export type OpenedLog = { readonly log: Log; readonly events: KafkaEvent[] };

export type OwnBroker = {
  readonly broker: Broker;
  readonly dir: string;
  readonly address: KafkaAddress;
  /** Another client, by itself; closed with the broker. */
  open(limits?: Partial<KafkaLimits>): Promise<OpenedLog>;
  dispose(): Promise<void>;
};

export async function startOwnBroker(): Promise<OwnBroker> {
  const dir = await mkdtemp(join(tmpdir(), 'foretill-kafka-'));
  const broker = await startBroker({ dir, heapMegabytes: 384 });
  const address: KafkaAddress = {
    brokers: [broker.address],
    clientId: 'foretill-test',
    namespace: `test-${randomUUID().slice(0, 8)}`,
  };
  const opened: Log[] = [];
  return {
    broker,
    dir,
    address,
    async open(limits = {}) {
      const events: KafkaEvent[] = [];
      const log = await openKafkaLog({
        address,
        limits: { ...QUICK_LIMITS, ...limits },
        clock: systemClock,
        onEvent: (event) => events.push(event),
      });
      opened.push(log);
      return { log, events };
    },
    async dispose() {
      await doAll([
        ...opened.map((log) => () => log.close()),
        () => broker.stop(),
        () => rm(dir, { recursive: true, force: true }),
      ]);
    },
  };
}
