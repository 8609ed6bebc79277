/**
 * An idempotent producer of kafkajs, and how it is mended. A broker knows a producer's batches by their sequence numbers
 * and takes none twice, so the same batch may be sent again after an unclear failure, as long as nothing else is sent to
 * its partition in between.
 *
 * A batch that is given up leaves kafkajs counting on from where it stood before, while the broker may have taken it. The
 * next batch would then carry the same numbers, be taken for the same one, and be acknowledged but not kept. So with every
 * batch that is given up the producer is given up too (`renew`). What was in doubt is then sent again by a producer that
 * the broker does not know, and may be there twice.
 */
import type { Kafka, Message, Producer } from 'kafkajs';
import { COMPRESSION } from '../client/codecs.ts';
import type { KafkaLimits } from '../../../config.ts';

export type Produced = { readonly partition: number; readonly baseOffset: number };

export type KafkaProducer = {
  /**
   * Connects first when need be. Rejects with kafkajs's errors. Resolves with the offset of the first record of each
   * partition.
   */
  send(wireTopic: string, messages: readonly Message[]): Promise<readonly Produced[]>;
  /** Other connections, the same sequence numbers. */
  reconnect(): Promise<void>;
  /** Another producer from the next `send` on. */
  renew(): void;
  close(): Promise<void>;
};

export function createKafkaProducer(kafka: Kafka, limits: KafkaLimits): KafkaProducer {
  let producer: Producer | null = null;
  let connecting: Promise<void> | null = null;

  async function connected(): Promise<Producer> {
    const current = (producer ??= kafka.producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      createPartitioner: () => takeNamedPartition,
    }));
    connecting ??= current.connect();
    try {
      await connecting;
    } catch (error) {
      connecting = null;
      throw error;
    }
    return current;
  }

  return {
    async send(topic, messages) {
      const current = await connected();
      const sent = await current.send({
        topic,
        messages: messages as Message[],
        acks: ALL_REPLICAS,
        timeout: limits.requestMsMax * BROKERS_SHARE_OF_TIME,
        compression: COMPRESSION[limits.compression],
      });
      return sent.map(({ partition, baseOffset }) => ({ partition, baseOffset: Number(baseOffset) }));
    },
    async reconnect() {
      connecting = null;
      if (producer !== null) await quit(producer);
    },
    renew() {
      connecting = null;
      if (producer !== null) void quit(producer);
      producer = null;
    },
    async close() {
      if (producer !== null) await quit(producer);
    },
  };
}

const ALL_REPLICAS = -1;
/** So that a broker that waits for its followers says so before we stop waiting for it. */
const BROKERS_SHARE_OF_TIME = 0.8;

/** The partition has been chosen before: see src/pipeline/partitioner.ts. */
function takeNamedPartition({ message }: { message: Message }): number {
  return message.partition as number;
}

async function quit(producer: Producer): Promise<void> {
  await producer.disconnect().catch(() => undefined);
}
