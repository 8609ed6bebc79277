/**
 * The way into one topic. One request is under way at a time; what is appended meanwhile goes together into the next, so
 * that many small appends cost as little as a large one, and one alone waits for nobody.
 *
 * A request goes to each leader of its partitions separately, so that what one broker refuses or is not there for is not
 * sent again to the others. It is repeated until it succeeds or has been tried for `appendMsMax`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Kafka } from 'kafkajs';
import type { KafkaLimits } from '../../../config.ts';
import type { ForetillError } from '../../../errors.ts';
import { pauseMs } from '../../pause.ts';
import type { KafkaAddress } from '../client/address.ts';
import { layOut, requestsOf } from './append-batches.ts';
import type { Batch, Entry } from './append-batches.ts';
import type { KafkaEvent } from '../client/events.ts';
import { isPassing, isSequenceLost, kafkaError } from '../client/kafka-errors.ts';
import { createKafkaProducer } from './kafka-producer.ts';
import type { TopicShape } from '../topics/topic-shapes.ts';

export type LaneParts = {
  readonly topic: string;
  readonly wireTopic: string;
  readonly kafka: Kafka;
  readonly address: KafkaAddress;
  readonly limits: KafkaLimits;
  readonly onEvent: (event: KafkaEvent) => void;
  /** What is known of the topic may be wrong. */
  readonly onDoubt: () => void;
  /** From then on nothing is tried again. */
  readonly ending: AbortSignal;
};

export type Lane = {
  /** The entry is resolved or rejected some time. */
  add(entry: Entry, shape: TopicShape): void;
  isIdle(): boolean;
  /** Call it only when idle. */
  close(): Promise<void>;
};

/** After so many failures of a kind that says nothing of what happened, even the sequence numbers are given up. */
const UNCLEAR_MAX = 3;
/** A broker that has just started may not yet know the topics. */
const UNKNOWN_TOPIC_ATTEMPTS_MAX = 4;

export function createLane(parts: LaneParts): Lane {
  const { topic, wireTopic, kafka, address, limits, onEvent, onDoubt, ending } = parts;
  const producer = createKafkaProducer(kafka, limits);
  let queue: Entry[] = [];
  let shape: TopicShape;
  let working = false;

  async function work(): Promise<void> {
    working = true;
    while (queue.length > 0) await write(take());
    working = false;
  }

  function take(): Entry[] {
    let bytes = 0;
    const beyond = queue.findIndex((entry, index) => {
      bytes += entry.bytesInAll;
      return index > 0 && bytes > limits.produceBytesMax;
    });
    const taken = beyond === -1 ? queue : queue.slice(0, beyond);
    queue = beyond === -1 ? [] : queue.slice(beyond);
    return taken;
  }

  async function write(entries: readonly Entry[]): Promise<void> {
    const failed = new Map<Entry, ForetillError>();
    const batchLimits = { bytesMax: shape.batchBytesMax, recordsMax: limits.batchRecordsMax };
    for (const request of requestsOf(layOut(entries, batchLimits), limits.produceBytesMax)) {
      const still = request
        .map((batch) => without(batch, failed))
        .filter((batch) => batch.origins.length > 0);
      await send(still, failed);
    }
    for (const entry of entries) {
      const error = failed.get(entry);
      if (error === undefined) entry.resolve(entry.places);
      else if (error.code === 'INPUT_INVALID' && entries.length > 1) await write([entry]);
      else entry.reject(error);
    }
  }

  /** Enters the offsets of what was acknowledged, and in `failed` whose records were given up. */
  async function send(batches: readonly Batch[], failed: Map<Entry, ForetillError>): Promise<void> {
    const deadlineMs = performance.now() + limits.appendMsMax;
    let unclear = 0;
    let pending = byLeader(batches, shape.leaders);
    for (let attempt = 1; pending.length > 0; attempt++) {
      const failures = await attemptAll(pending);
      if (failures.length === 0) return;
      onDoubt();
      const delayMs = pauseMs(attempt, limits);
      const lasting = failures.filter(
        ({ error }) => ending.aborted || !mayPass(error, attempt) || performance.now() + delayMs > deadlineMs,
      );
      for (const { part, error } of lasting) {
        for (const { entry } of part.flatMap((batch) => batch.origins)) failed.set(entry, error);
      }
      unclear += failures.some(({ raw }) => !isPassing(raw)) ? 1 : 0;
      if (lasting.length > 0 || failures.some(({ raw }) => isSequenceLost(raw)) || unclear >= UNCLEAR_MAX) {
        producer.renew();
        unclear = 0;
      } else if (unclear > 0) await producer.reconnect();
      const again = failures.filter((failure) => !lasting.includes(failure));
      pending = again.map(({ part }) => part);
      if (again[0] !== undefined) {
        const what = `Appending to topic ${topic}`;
        onEvent({ kind: 'retried', what, attempt, delayMs, error: again[0].error });
        await delay(delayMs, undefined, { signal: ending }).catch(() => undefined);
      }
    }
  }

  async function attemptAll(pending: readonly Part[]): Promise<Failure[]> {
    const failures: Failure[] = [];
    await Promise.all(
      pending.map(async (part) => {
        try {
          const produced = await producer.send(
            wireTopic,
            part.flatMap((batch) => batch.messages),
          );
          for (const { partition, baseOffset } of produced) enter(part, partition, baseOffset);
        } catch (raw) {
          failures.push({ part, raw, error: kafkaError(raw, { address, topic }) });
        }
      }),
    );
    return failures;
  }

  return {
    add(entry, latest) {
      shape = latest;
      queue.push(entry);
      if (!working) void work();
    },
    isIdle: () => !working,
    close: () => producer.close(),
  };
}

/** What goes to one leader. */
type Part = readonly Batch[];

type Failure = { readonly part: Part; readonly raw: unknown; readonly error: ForetillError };

function byLeader(batches: readonly Batch[], leaders: readonly number[]): Part[] {
  const parts = new Map<number | undefined, Batch[]>();
  for (const batch of batches) {
    const leader = leaders[batch.partition];
    const part = parts.get(leader);
    if (part === undefined) parts.set(leader, [batch]);
    else part.push(batch);
  }
  return [...parts.values()];
}

function mayPass(error: ForetillError, attempt: number): boolean {
  return error.retryable || (error.code === 'INPUT_NOT_FOUND' && attempt < UNKNOWN_TOPIC_ATTEMPTS_MAX);
}

function without(batch: Batch, failed: ReadonlyMap<Entry, unknown>): Batch {
  if (!batch.origins.some(({ entry }) => failed.has(entry))) return batch;
  const kept = batch.origins.map(({ entry }) => !failed.has(entry));
  return {
    ...batch,
    messages: batch.messages.filter((_, at) => kept[at]),
    origins: batch.origins.filter((_, at) => kept[at]),
  };
}

function enter(part: Part, partition: number, baseOffset: number): void {
  const batch = part.find((each) => each.partition === partition) as Batch;
  batch.origins.forEach(({ entry, index }, at) => {
    (entry.places[index] as { offset: number }).offset = baseOffset + at;
  });
}
