/**
 * Appends: checked, given their partitions, and admitted as long as not too much is in flight; those beyond wait, in the
 * order they came. Acknowledged when all in-sync replicas have them.
 *
 * At least once: when it cannot be known whether brokers took a batch (a connection broke, and they stayed away for longer
 * than an append is tried), it is refused though it may be there; who sends it again has it twice.
 */
import type { Kafka } from 'kafkajs';
import type { Clock } from '../../../clock.ts';
import type { KafkaLimits } from '../../../config.ts';
import { ForetillError } from '../../../errors.ts';
import type { Log, OutgoingRecord } from '../../../pipeline/log.ts';
import { partitionForKey } from '../../../pipeline/partitioner.ts';
import { orAborted } from '../../or-aborted.ts';
import type { KafkaAddress } from '../client/address.ts';
import { closedError } from '../client/admin-client.ts';
import { createAdmission } from './admission.ts';
import { recordBytes } from './append-batches.ts';
import type { Place } from './append-batches.ts';
import { createLane } from './append-lane.ts';
import type { Lane } from './append-lane.ts';
import type { KafkaEvent } from '../client/events.ts';
import type { Names } from '../client/names.ts';
import type { TopicShapes } from '../topics/topic-shapes.ts';

export type Appender = Pick<Log, 'append'> & {
  /** Refuses more, waits for what is under way, or until `ending`. */
  close(): Promise<void>;
};

export type AppenderParts = {
  readonly kafka: Kafka;
  readonly address: KafkaAddress;
  readonly names: Names;
  readonly shapes: TopicShapes;
  readonly clock: Clock;
  readonly limits: KafkaLimits;
  readonly onEvent: (event: KafkaEvent) => void;
  /** From then on nothing is tried any more, and what is under way is rejected with the signal's reason. */
  readonly ending: AbortSignal;
};

/** Each has connections of its own; beyond it those without work are closed, the longest unused first. */
const LANES_MAX = 16;

export function createAppender(parts: AppenderParts): Appender {
  const { names, shapes, clock, limits, ending } = parts;
  const lanes = new Map<string, Lane>();
  const turns = new Map<string, number>();
  const underWay = new Set<Promise<unknown>>();
  const admission = createAdmission(limits.appendBytesInFlightMax);
  let closed = false;

  function laneOf(topic: string): Lane {
    const lane =
      lanes.get(topic) ??
      createLane({
        ...parts,
        topic,
        wireTopic: names.wire(topic),
        onDoubt: () => shapes.forget(topic),
      });
    lanes.delete(topic);
    lanes.set(topic, lane);
    for (const [name, each] of lanes) {
      if (lanes.size <= LANES_MAX) break;
      if (each === lane || !each.isIdle()) continue;
      lanes.delete(name);
      void each.close();
    }
    return lane;
  }

  function choosePlace(topic: string, partitions: number, { key, partition }: OutgoingRecord): Place {
    if (partition !== undefined) {
      demandPartition(topic, partitions, partition);
      return { partition, offset: 0 };
    }
    if (key !== null) return { partition: partitionForKey(key, partitions), offset: 0 };
    const turn = turns.get(topic) ?? 0;
    turns.set(topic, turn + 1);
    return { partition: turn % partitions, offset: 0 };
  }

  async function append(topic: string, records: readonly OutgoingRecord[]): Promise<readonly Place[]> {
    const shape = await shapes.get(topic);
    if (records.length === 0) return [];
    const sizes = records.map((record) => measure(topic, record, shape.recordBytesMax));
    const places = records.map((record) => choosePlace(topic, shape.leaders.length, record));
    const bytesInAll = sizes.reduce((sum, bytes) => sum + bytes, 0);
    await admission.enter(bytesInAll);
    try {
      return await new Promise((resolve, reject) => {
        const entry = { records, bytes: sizes, bytesInAll, places, nowMs: clock.nowMs(), resolve, reject };
        laneOf(topic).add(entry, shape);
      });
    } finally {
      admission.leave(bytesInAll);
    }
  }

  return {
    async append(topic, records) {
      if (closed) throw closedError();
      const appending = orAborted(append(topic, records), ending);
      underWay.add(appending);
      try {
        return await appending;
      } finally {
        underWay.delete(appending);
      }
    },
    async close() {
      closed = true;
      await Promise.allSettled(underWay);
      await Promise.all([...lanes.values()].map((lane) => lane.close()));
    },
  };
}

function demandPartition(topic: string, partitions: number, partition: number): void {
  if (partition >= 0 && partition < partitions && Number.isInteger(partition)) return;
  throw new ForetillError(
    'INPUT_INVALID',
    `Topic ${topic} has partitions 0 to ${partitions - 1}, a record names ${partition}.`,
    { remedy: 'Leave the partition out (the key chooses it), or name one that exists.' },
  );
}

function measure(topic: string, record: OutgoingRecord, bytesMax: number): number {
  const bytes = recordBytes(record);
  if (bytes <= bytesMax) return bytes;
  throw new ForetillError(
    'INPUT_INVALID',
    `A record of ${bytes} bytes for topic ${topic} is larger than ${bytesMax}.`,
    { remedy: 'Send smaller records, or raise kafka.recordBytesMax and the topic’s max.message.bytes.' },
  );
}
