/** Where a member goes on with the partitions that it has been given. */
import type { CommittedOffset, ConsumerOptions } from '../../../pipeline/log.ts';
import type { Brokers } from '../client/brokers.ts';
import type { Coordinator } from './coordinator.ts';
import { offsetRanges } from '../reading/offset-ranges.ts';
import type { Place } from '../reading/partition-reader.ts';
import { protocolError } from '../client/kafkajs-inner.ts';
import type { FetchedOffset } from '../client/protocol.ts';

export type StartingPoint = {
  readonly place: Place;
  readonly offset: number;
  readonly committed: CommittedOffset | null;
};

/** At what the group has committed, or where it has not, at the beginning or the end. */
export async function startingPoints(parts: {
  readonly brokers: Brokers;
  readonly coordinator: Coordinator;
  readonly groupId: string;
  readonly places: readonly Place[];
  readonly startFrom: ConsumerOptions['startFrom'];
}): Promise<readonly StartingPoint[]> {
  const { brokers, coordinator, groupId, places, startFrom } = parts;
  if (places.length === 0) return [];
  const wanted = places.map(({ wireTopic, partition }) => ({ topic: wireTopic, partition }));
  const answers = await coordinator.ask((broker) => broker.offsetFetch(groupId, wanted));
  const committed = new Map(places.map((place) => [place, committedOf(answers, place)]));
  const fresh = places.filter((place) => committed.get(place) === null);
  const ranges = await offsetRanges(brokers, fresh);
  return places.map((place) => {
    const found = committed.get(place) ?? null;
    const range = ranges.get(place) ?? { start: 0, end: 0 };
    const otherwise = startFrom === 'earliest' ? range.start : range.end;
    return { place, committed: found, offset: found?.offset ?? otherwise };
  });
}

function committedOf(
  answers: readonly FetchedOffset[],
  { wireTopic, partition }: Place,
): CommittedOffset | null {
  const answer = answers.find((each) => each.topic === wireTopic && each.partition === partition);
  if (answer === undefined) throw protocolError('UNKNOWN_TOPIC_OR_PARTITION');
  if (answer.error !== null) throw protocolError(answer.error);
  return answer.offset < 0 ? null : { offset: answer.offset, metadata: answer.metadata };
}
