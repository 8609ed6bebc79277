/** All that is in a topic now, in the order of its offsets, partition by partition as it comes. */
import type { Log, LogRecord, TopicPartition } from '../src/pipeline/log.ts';

export type PlacedRecord = LogRecord & Pick<TopicPartition, 'partition'>;

export async function readTopic(log: Pick<Log, 'tail' | 'offsets'>, topic: string): Promise<PlacedRecord[]> {
  const records: PlacedRecord[] = [];
  const unread = new Map(
    [...(await log.offsets(topic))].flatMap(([partition, { start, end }]) =>
      end > start ? [[partition, end]] : [],
    ),
  );
  if (unread.size === 0) return records;
  await new Promise<void>((resolve, reject) => {
    const tail = log.tail(
      { topic, from: 'earliest', batchRecordsMax: 1_000 },
      {
        async eachBatch({ partition, records: batch }) {
          const end = unread.get(partition);
          if (end === undefined) return;
          for (const record of batch) if (record.offset < end) records.push({ ...copied(record), partition });
          if ((batch.at(-1)?.offset ?? 0) + 1 < end) return;
          unread.delete(partition);
          if (unread.size === 0) void tail.then((open) => open.stop()).then(resolve, reject);
        },
        onCrash: reject,
      },
    );
    tail.catch(reject);
  });
  return records;
}

/** A batch's buffers are views of what is read into again. */
function copied(record: LogRecord): LogRecord {
  const { key, value } = record;
  return {
    ...record,
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    headers: Object.fromEntries(
      Object.entries(record.headers).map(([name, bytes]) => [name, Buffer.from(bytes)]),
    ),
  };
}
