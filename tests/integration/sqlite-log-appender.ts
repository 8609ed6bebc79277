/**
 * The process that the crash test kills: appends rising numbers to the log in the directory it is given, reads and
 * commits them in a group, and prints what was acknowledged: `appended FIRST LAST` and `committed PARTITION OFFSET`.
 *
 * Number n lies in partition n mod 3 at offset n div 3, and every append fills all three evenly.
 */
import { writeSync } from 'node:fs';
import { openSqliteLog } from '../../src/adapters/sqlite-log/sqlite-log.ts';
import type { Batch, OutgoingRecord } from '../../src/pipeline/log.ts';

const PARTITIONS = 3;
const CALLERS = 4;
const TOPIC = 'numbers';

function tell(line: string): void {
  writeSync(1, `${line}\n`);
}

function record(number: number): OutgoingRecord {
  return {
    key: null,
    value: Buffer.from(`${number} `.repeat(1 + (number % 50))),
    partition: number % PARTITIONS,
  };
}

const [dir = '', seed = '1'] = process.argv.slice(2);
const log = await openSqliteLog({ dir });
await log.ensureTopics([{ name: TOPIC, partitions: PARTITIONS }]);
let next = PARTITIONS * ((await log.offsets(TOPIC)).get(0)?.end ?? 0);
let draws = Number(seed);

async function appendForEver(): Promise<never> {
  for (;;) {
    draws = (Math.imul(draws, 1_103_515_245) + 12_345) & 0x7fffffff;
    const first = next;
    next += PARTITIONS * (1 + ((draws >>> 8) % 200));
    const last = next - 1;
    await log.append(
      TOPIC,
      Array.from({ length: next - first }, (_, i) => record(first + i)),
    );
    tell(`appended ${first} ${last}`);
  }
}

const consumer = await log.join(
  { group: 'readers', topics: [TOPIC], startFrom: 'earliest', batchRecordsMax: 500 },
  {
    async eachBatch({ topic, partition, records }: Batch) {
      const offset = (records.at(-1)?.offset ?? 0) + 1;
      await consumer.commit([{ topic, partition, offset, metadata: `at ${offset}` }]);
      tell(`committed ${partition} ${offset}`);
    },
    onCrash(error) {
      throw error;
    },
  },
);
tell('opened');
await Promise.all(Array.from({ length: CALLERS }, appendForEver));
