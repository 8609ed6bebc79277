/** Reads a stretch of a topic, batch by batch, and ends where it was told to: a tail goes on for ever. */
import type { Log, LogRecord, OffsetRange, TopicPartition } from '../../pipeline/log.ts';

export type Stretch = {
  readonly topic: string;
  /** Every partition of the topic with what is to be read of it; `end` is not read any more. */
  readonly ranges: ReadonlyMap<number, OffsetRange>;
};

export type ScanOptions = {
  /** Fewer where each takes long: between batches it can be stopped. */
  readonly batchRecordsMax?: number;
  /** Ends the reading after the batch in work. */
  readonly signal?: AbortSignal;
  /** Offsets up to the end without a record (a log may have gaps) are given up after this time without any. */
  readonly quietMsMax?: number;
  /** After each batch, with its number of records. */
  readonly onRead?: (records: number) => void;
};

/** `records` are views of a buffer that is gone when the promise resolves. False: no more is wanted. */
export type Visit = (
  place: TopicPartition,
  records: readonly LogRecord[],
) => Promise<boolean | void> | boolean | void;

const BATCH_RECORDS_MAX = 500;
const QUIET_MS_MAX = 10_000;
const LOOKS_PER_QUIET = 10;

/** Resolves when all has been read, when `visit` wants no more, or at the signal; rejects with the error of either. */
export async function scan(
  log: Pick<Log, 'tail' | 'offsets'>,
  { topic, ranges }: Stretch,
  visit: Visit,
  options: ScanOptions = {},
): Promise<void> {
  const left = new Set(
    [...ranges].filter(([, { start, end }]) => start < end).map(([partition]) => partition),
  );
  const { signal, quietMsMax = QUIET_MS_MAX } = options;
  if (left.size === 0 || signal?.aborted === true) return;
  const end = Promise.withResolvers<void>();
  let ended = false;
  let working = false;
  let lastMs = performance.now();

  const finish = (): void => {
    ended = true;
    end.resolve();
  };
  const fail = (error: unknown): void => {
    ended = true;
    end.reject(error);
  };

  async function take(place: TopicPartition, batch: readonly LogRecord[]): Promise<void> {
    const range = ranges.get(place.partition);
    if (ended || range === undefined || !left.has(place.partition)) return;
    const records = batch.filter(({ offset }) => offset >= range.start && offset < range.end);
    options.onRead?.(records.length);
    const goesOn = records.length === 0 || (await visit(place, records)) !== false;
    if ((batch.at(-1)?.offset ?? 0) >= range.end - 1) left.delete(place.partition);
    if (!goesOn || left.size === 0) finish();
  }

  async function look(): Promise<void> {
    if (ended || working || performance.now() - lastMs < quietMsMax) return;
    // A log that does not answer says so here; one that does has no more up to the end.
    await log.offsets(topic);
    if (!working && performance.now() - lastMs >= quietMsMax) finish();
  }

  signal?.addEventListener('abort', finish, { once: true });
  const timer = setInterval(() => void look().catch(fail), quietMsMax / LOOKS_PER_QUIET);
  try {
    const from = new Map(
      [...ranges].map(([partition, range]) => [partition, left.has(partition) ? range.start : range.end]),
    );
    const tail = await log.tail(
      { topic, from, batchRecordsMax: options.batchRecordsMax ?? BATCH_RECORDS_MAX },
      {
        async eachBatch({ partition, records }) {
          working = true;
          await take({ topic, partition }, records).catch(fail);
          working = false;
          lastMs = performance.now();
        },
        onCrash: fail,
      },
    );
    try {
      await end.promise;
    } finally {
      await tail.stop();
    }
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', finish);
  }
}
