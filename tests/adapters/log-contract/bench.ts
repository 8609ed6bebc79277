/** The log under test, unique names, waiting with a deadline, and consumers that write down what happens to them. */
import { randomUUID } from 'node:crypto';
import type {
  Assignment,
  Batch,
  Consumer,
  ConsumerHandler,
  ConsumerOptions,
  Log,
  LogRecord,
  OutgoingRecord,
  TopicPartition,
  TopicSpec,
} from '../../../src/pipeline/log.ts';

type LogUnderTest = {
  readonly log: Log;
  /** Closes the log and opens it again on the same data. */
  reopen(): Promise<Log>;
  dispose(): Promise<void>;
};

export type OpenLog = () => Promise<LogUnderTest>;

export type LogContractOptions = {
  /** How long anything may take to happen. */
  readonly deadlineMs?: number;
  readonly largeRecordBytes?: number;
  /** How many appends are made at the same time. */
  readonly concurrentAppends?: number;
};

export type Bench = {
  readonly deadlineMs: number;
  readonly largeRecordBytes: number;
  readonly concurrentAppends: number;
  readonly log: Log;
  set(underTest: LogUnderTest): void;
  clear(): Promise<void>;
  reopen(): Promise<Log>;
  /** A new topic with a name of its own. */
  topic(spec?: Partial<Omit<TopicSpec, 'name'>>): Promise<string>;
  /** As the function of that name, with the adapter's deadline. */
  until(what: string, condition: () => boolean): Promise<void>;
  /** Everything in the topic, by partition, read by a tail. */
  readAll(topic: string): Promise<LogRecord[][]>;
};

const DEADLINE_MS = 10_000;

export function createBench(options: LogContractOptions): Bench {
  let current: LogUnderTest | null = null;
  let log: Log | null = null;
  const deadlineMs = options.deadlineMs ?? DEADLINE_MS;

  const bench: Bench = {
    deadlineMs,
    largeRecordBytes: options.largeRecordBytes ?? 1_048_576,
    concurrentAppends: options.concurrentAppends ?? 500,
    get log() {
      return log as Log;
    },
    set(underTest) {
      current = underTest;
      log = underTest.log;
    },
    async clear() {
      await current?.dispose();
    },
    async reopen() {
      log = await (current as LogUnderTest).reopen();
      return log;
    },
    async topic(spec = {}) {
      const name = uniqueName('topic');
      await bench.log.ensureTopics([{ name, partitions: 1, ...spec }]);
      return name;
    },
    until: (what, condition) => until(what, condition, deadlineMs),
    async readAll(topic) {
      const ranges = await bench.log.offsets(topic);
      const total = [...ranges.values()].reduce((sum, { start, end }) => sum + end - start, 0);
      const { seen, handler } = recorder();
      const tail = await bench.log.tail({ topic, from: 'earliest', batchRecordsMax: 1_000 }, handler);
      await bench.until(
        `${total} records of ${topic}`,
        () => seen.records >= total || seen.crashes.length > 0,
      );
      await tail.stop();
      return [...ranges.keys()].map((partition) => recordsOf(seen.batches, partition));
    },
  };
  return bench;
}

/** Polls until the condition holds; fails saying `what` was awaited. */
export async function until(what: string, condition: () => boolean, deadlineMs = DEADLINE_MS): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${deadlineMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export function uniqueName(kind: string): string {
  return `contract.${kind}.${randomUUID()}`;
}

export type Seen = {
  readonly batches: Batch[];
  records: number;
  readonly assigned: Assignment[][];
  readonly revoked: TopicPartition[][];
  readonly crashes: unknown[];
};

/** A handler that writes down every call, then does what `also` says. */
export function recorder(also: Partial<ConsumerHandler> = {}): { seen: Seen; handler: ConsumerHandler } {
  const seen: Seen = { batches: [], records: 0, assigned: [], revoked: [], crashes: [] };
  return {
    seen,
    handler: {
      async eachBatch(batch) {
        seen.batches.push(batch);
        seen.records += batch.records.length;
        await also.eachBatch?.(batch);
      },
      async onAssigned(partitions) {
        seen.assigned.push([...partitions]);
        await also.onAssigned?.(partitions);
      },
      async onRevoked(partitions) {
        seen.revoked.push([...partitions]);
        await also.onRevoked?.(partitions);
      },
      onCrash(error) {
        seen.crashes.push(error);
        also.onCrash?.(error);
      },
    },
  };
}

/** Joins with a recorder; `also` gets the consumer too. */
export async function joinRecording(
  log: Log,
  options: Partial<ConsumerOptions> & Pick<ConsumerOptions, 'topics'>,
  also: (consumer: () => Consumer) => Partial<ConsumerHandler> = () => ({}),
): Promise<{ consumer: Consumer; seen: Seen; group: string }> {
  const group = options.group ?? uniqueName('group');
  const { seen, handler } = recorder(also(() => consumer));
  const consumer = await log.join(
    { startFrom: 'earliest', batchRecordsMax: 100, ...options, group },
    handler,
  );
  return { consumer, seen, group };
}

export function recordsOf(batches: readonly Batch[], partition = 0): LogRecord[] {
  return batches.filter((batch) => batch.partition === partition).flatMap((batch) => batch.records);
}

export function valuesOf(records: readonly LogRecord[]): string[] {
  return records.map((record) => String(record.value));
}

/** `count` records with the values `from`, `from` + 1, … */
export function numbered(
  count: number,
  options: { from?: number; partition?: number } = {},
): OutgoingRecord[] {
  const { from = 0, partition = 0 } = options;
  return Array.from({ length: count }, (_, i) => ({
    key: null,
    value: Buffer.from(String(from + i)),
    partition,
  }));
}

export function numbers(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, i) => String(from + i));
}

/** What a batch's consumer commits to go on after it. */
export function after(batch: Batch, metadata = ''): TopicPartition & { offset: number; metadata: string } {
  const last = batch.records.at(-1);
  if (last === undefined) throw new Error('a batch without records');
  return { topic: batch.topic, partition: batch.partition, offset: last.offset + 1, metadata };
}
