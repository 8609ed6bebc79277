/** All values of a topic, by partition. */
import { expect } from 'vitest';
import type { Log } from '../../src/pipeline/log.ts';
import { until } from '../adapters/log-contract/bench.ts';

const DEADLINE_MS = 60_000;

export async function readEverything(log: Log, topic: string): Promise<string[][]> {
  const ranges = await log.offsets(topic);
  const read = new Map([...ranges.keys()].map((partition) => [partition, [] as string[]]));
  const next = new Map([...ranges].map(([partition, { start }]) => [partition, start]));
  const crashes: unknown[] = [];
  const tail = await log.tail(
    { topic, from: 'earliest', batchRecordsMax: 5_000 },
    {
      async eachBatch({ partition, records }) {
        for (const { value, offset } of records) {
          read.get(partition)?.push(String(value));
          next.set(partition, offset + 1);
        }
      },
      onCrash: (error) => crashes.push(error),
    },
  );
  const isDone = (): boolean =>
    [...ranges].every(([partition, { end }]) => (next.get(partition) ?? 0) >= end);
  await until(`the end of ${topic}`, () => isDone() || crashes.length > 0, DEADLINE_MS);
  await tail.stop();
  expect(crashes).toEqual([]);
  return [...read.values()];
}
