/** Where partitions begin and end now, asked of their leaders. */
import type { OffsetRange } from '../../../pipeline/log.ts';
import type { Brokers } from '../client/brokers.ts';
import type { Place } from './partition-reader.ts';
import { protocolError } from '../client/kafkajs-inner.ts';

/**
 * `end` is the offset up to which can be read: without the records of transactions that are still open. Rejects with
 * the first error of any partition.
 */
export async function offsetRanges(
  brokers: Brokers,
  places: readonly Place[],
): Promise<ReadonlyMap<Place, OffsetRange>> {
  if (places.length === 0) return new Map();
  const topics = await brokers.metadata();
  const byLeader = Map.groupBy(places, ({ wireTopic, partition }) => {
    const topic = topics.get(wireTopic) ?? { error: 'UNKNOWN_TOPIC_OR_PARTITION' };
    if (topic.error !== null) throw protocolError(topic.error);
    return topic.leaders[partition] ?? -1;
  });
  const found = await Promise.all([...byLeader].map(([leader, led]) => rangesFrom(brokers, leader, led)));
  return new Map(found.flat());
}

/** Of all partitions of a topic that are led by a broker. Rejects when there is none, and with the first error of any. */
export async function offsetRangesLed(
  brokers: Brokers,
  wireTopic: string,
): Promise<ReadonlyMap<number, OffsetRange>> {
  const topic = (await brokers.metadata([wireTopic])).get(wireTopic) ?? {
    error: 'UNKNOWN_TOPIC_OR_PARTITION',
  };
  if (topic.error !== null) throw protocolError(topic.error);
  const byLeader = Map.groupBy(topic.leaders.keys(), (partition) => topic.leaders[partition] as number);
  byLeader.delete(NO_LEADER);
  if (byLeader.size === 0) throw protocolError('LEADER_NOT_AVAILABLE');
  const found = await Promise.all(
    [...byLeader].map(([leader, partitions]) =>
      rangesFrom(
        brokers,
        leader,
        partitions.map((partition) => ({ wireTopic, partition })),
      ),
    ),
  );
  const ranges = found.flat().map(([{ partition }, range]) => [partition, range] as const);
  return new Map(ranges.sort(([a], [b]) => a - b));
}

const NO_LEADER = -1;

async function rangesFrom<P extends Pick<Place, 'wireTopic' | 'partition'>>(
  brokers: Brokers,
  leader: number,
  places: readonly P[],
): Promise<[P, OffsetRange][]> {
  if (leader < 0) throw protocolError('LEADER_NOT_AVAILABLE');
  const partitions = places.map(({ wireTopic, partition }) => ({ topic: wireTopic, partition }));
  return brokers.on(leader, async (broker) => {
    const starts = await broker.listOffsets(partitions, 'earliest');
    const ends = await broker.listOffsets(partitions, 'latest');
    const offsetOf = (answers: typeof starts, { wireTopic, partition }: P): number => {
      const answer = answers.find((each) => each.topic === wireTopic && each.partition === partition);
      if (answer === undefined) throw protocolError('UNKNOWN_TOPIC_OR_PARTITION');
      if (answer.error !== null) throw protocolError(answer.error);
      return answer.offset;
    };
    return places.map((place) => [place, { start: offsetOf(starts, place), end: offsetOf(ends, place) }]);
  });
}
