/** Looks once, before reading begins, whether the topics are there. */
import type { Brokers } from '../client/brokers.ts';
import { kafkaError } from '../client/kafka-errors.ts';
import { protocolError } from '../client/kafkajs-inner.ts';
import type { ReadingDeps } from './reading-deps.ts';

/** The partitions of each topic. Closes the brokers and rejects with an error for people when one cannot be read. */
export async function findTopics(
  deps: ReadingDeps,
  brokers: Brokers,
  topics: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  let topic = topics[0] ?? '';
  try {
    const found = await brokers.metadata();
    const counts = new Map<string, number>();
    for (topic of topics) {
      const metadata = found.get(deps.names.wire(topic)) ?? { error: 'UNKNOWN_TOPIC_OR_PARTITION' };
      if (metadata.error !== null) throw protocolError(metadata.error);
      counts.set(topic, metadata.leaders.length);
    }
    return counts;
  } catch (error) {
    brokers.close();
    throw kafkaError(error, { address: deps.address, topic });
  }
}
