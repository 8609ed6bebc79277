/** Reads all partitions of a topic without a group. */
import type { ConsumerHandler, OffsetRange, TailOptions } from '../../../pipeline/log.ts';
import { Brokers } from '../client/brokers.ts';
import { findTopics } from './find-topics.ts';
import { kafkaError } from '../client/kafka-errors.ts';
import { offsetRanges } from './offset-ranges.ts';
import type { Place } from './partition-reader.ts';
import { Reading } from './reading.ts';
import type { ReadingDeps } from './reading-deps.ts';
import { untilDone } from '../client/retrying.ts';
import type { Retrying } from '../client/retrying.ts';

export type Tail = { stop(): Promise<void> };

/**
 * Resolves when it is known where each partition is read from, before the handler is first called. Rejects with
 * INPUT_NOT_FOUND for a topic that does not exist, and with what `kafkaError` makes of the rest.
 */
export async function openTail(
  deps: ReadingDeps & { readonly onEnded: (tail: Tail) => void },
  options: TailOptions,
  handler: Pick<ConsumerHandler, 'eachBatch' | 'onCrash' | 'onUnreadable'>,
): Promise<Tail> {
  const { names, limits, onEvent, address } = deps;
  const { topic } = options;
  const wireTopic = names.wire(topic);
  const brokers = new Brokers(deps.settings, [wireTopic]);
  const partitions = (await findTopics(deps, brokers, [topic])).get(topic) ?? 0;
  const retrying: Retrying = { limits, onEvent, where: { address, topic } };
  const places = Array.from({ length: partitions }, (_, partition): Place => ({
    topic,
    wireTopic,
    partition,
  }));
  const points = await startOf({ brokers, retrying, limits, places, from: options.from });

  let crash: { readonly error: unknown } | null = null;
  const reading = new Reading({
    deps,
    brokers,
    retrying,
    group: null,
    handler,
    batchRecordsMax: options.batchRecordsMax,
    points,
    onCrash(error) {
      if (crash !== null) return;
      crash = { error };
      end();
      handler.onCrash(error);
    },
  });
  function end(): void {
    reading.close();
    brokers.close();
    deps.onEnded(tail);
  }
  const starting = setImmediate(() => reading.start());
  const tail: Tail = {
    async stop() {
      clearImmediate(starting);
      if (crash !== null) return;
      await reading.quiesce();
      if (crash === null) end();
    },
  };
  return tail;
}

/** Asked for no longer than one answer may take: whoever opens a tail waits for it. */
async function startOf(parts: {
  readonly brokers: Brokers;
  readonly retrying: Retrying;
  readonly limits: ReadingDeps['limits'];
  readonly places: readonly Place[];
  readonly from: TailOptions['from'];
}): Promise<{ place: Place; offset: number }[]> {
  const { brokers, retrying, limits, places, from } = parts;
  const signal = AbortSignal.timeout(limits.requestMsMax);
  try {
    const task = () => offsetRanges(brokers, places);
    const ranges = await untilDone(retrying, 'finding where to begin', { signal, task });
    return places.map((place) => ({ place, offset: firstOffset(place, ranges.get(place), from) }));
  } catch (error) {
    brokers.close();
    throw kafkaError(error, retrying.where);
  }
}

function firstOffset(
  { partition }: Place,
  range: OffsetRange | undefined,
  from: TailOptions['from'],
): number {
  const { start, end } = range ?? { start: 0, end: 0 };
  if (from === 'earliest') return start;
  return from === 'latest' ? end : (from.get(partition) ?? start);
}
