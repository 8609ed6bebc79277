/** Reads all partitions of a topic without a group. */
import type { LogLimits } from '../../config.ts';
import type { ConsumerHandler, TailOptions } from '../../pipeline/log.ts';
import { Delivery } from '../delivery.ts';
import { PartitionReader } from './partition-reader.ts';
import type { Place } from './topic-registry.ts';
import type { WorkerClient } from './worker-client.ts';

/** Delivers from a later turn of the event loop on, so that the caller has the tail in hand before. */
export function startTail(parts: {
  readonly places: readonly Place[];
  readonly options: TailOptions;
  readonly handler: Pick<ConsumerHandler, 'eachBatch' | 'onCrash' | 'onUnreadable'>;
  readonly client: WorkerClient;
  readonly limits: LogLimits;
  /** After a stop or a crash. */
  readonly onEnded: () => void;
}): { stop(): Promise<void> } {
  const { options, handler } = parts;
  const delivery = new Delivery({
    handler,
    recordsMax: options.batchRecordsMax,
    onCrash(error) {
      close();
      handler.onCrash(error);
    },
  });
  const readers = parts.places.map(
    (place) =>
      new PartitionReader({
        ...parts,
        place,
        offset: firstOffset(place, options.from),
        recordsMax: options.batchRecordsMax,
        onReady: () => delivery.wake(),
      }),
  );
  function close(): void {
    for (const reader of readers) reader.close();
    parts.onEnded();
  }
  const starting = setImmediate(() => delivery.start(readers));
  return {
    async stop() {
      clearImmediate(starting);
      await delivery.quiesce();
      close();
    },
  };
}

function firstOffset(place: Place, from: TailOptions['from']): number {
  if (from === 'earliest') return 0;
  return from === 'latest' ? place.end : (from.get(place.partition) ?? 0);
}
