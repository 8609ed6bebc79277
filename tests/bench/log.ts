/** The embedded log: appended and consumed records a second, and how long an append takes to reach a consumer. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteLog } from '../../src/adapters/sqlite-log/sqlite-log.ts';
import type { Log, OutgoingRecord } from '../../src/pipeline/log.ts';

const TOPIC = 'bench.transaction.v1';
const PARTITIONS = 4;
const VALUE_BYTES = 300;
const STORES = 40;

/** `callers` append at the same time, each waiting for its own acknowledgement. */
const APPENDS = [
  { batch: 1, callers: 1, records: 2_000 },
  { batch: 1, callers: 1_000, records: 200_000 },
  { batch: 100, callers: 8, records: 400_000 },
  { batch: 5_000, callers: 4, records: 1_000_000 },
] as const;

export async function benchLog(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'foretill-bench-log-'));
  const log = await openSqliteLog({ dir });
  try {
    await log.ensureTopics([{ name: TOPIC, partitions: PARTITIONS }]);
    console.log(
      `embedded log: ${PARTITIONS} partitions, values of ${VALUE_BYTES} bytes, durable when acknowledged`,
    );
    for (const plan of APPENDS) await benchAppend(log, plan);
    await benchConsume(log);
    await benchLatency(log);
  } finally {
    await log.close();
    await rm(dir, { recursive: true });
  }
}

async function benchAppend(log: Log, { batch, callers, records }: (typeof APPENDS)[number]): Promise<void> {
  const batches = Math.ceil(records / batch);
  const outgoing = recordsOf(batch);
  let next = 0;
  const begin = performance.now();
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (next++ < batches) await log.append(TOPIC, outgoing);
    }),
  );
  const seconds = (performance.now() - begin) / 1000;
  print(`append, batches of ${batch}, ${callers} callers`, `${round((batches * batch) / seconds)} records/s`);
}

async function benchConsume(log: Log): Promise<void> {
  const total = [...(await log.offsets(TOPIC)).values()].reduce((sum, { end }) => sum + end, 0);
  const begin = performance.now();
  await new Promise<void>((resolve, reject) => {
    let seen = 0;
    const eachBatch = async ({ records }: { records: readonly unknown[] }) => {
      seen += records.length;
      if (seen === total) resolve();
    };
    log
      .join(
        { group: 'bench', topics: [TOPIC], startFrom: 'earliest', batchRecordsMax: 5_000 },
        { eachBatch, onCrash: reject },
      )
      .catch(reject);
  });
  const seconds = (performance.now() - begin) / 1000;
  print('consume, batches of up to 5000', `${round(total / seconds)} records/s`);
}

/** One record every few milliseconds at 500 a second, timed from the call of `append` to `eachBatch`. */
async function benchLatency(log: Log): Promise<void> {
  const records = 1_000;
  const sentAt = new Map<string, number>();
  const latencies: number[] = [];
  await new Promise<void>((resolve, reject) => {
    const eachBatch = async (batch: { records: readonly { key: Buffer | null }[] }) => {
      for (const { key } of batch.records)
        latencies.push(performance.now() - (sentAt.get(String(key)) as number));
      if (latencies.length === records) resolve();
    };
    const send = () => {
      const key = `k${sentAt.size}`;
      sentAt.set(key, performance.now());
      log.append(TOPIC, [{ key: Buffer.from(key), value: Buffer.alloc(VALUE_BYTES) }]).catch(reject);
      if (sentAt.size === records) clearInterval(timer);
    };
    let timer: ReturnType<typeof setInterval>;
    const begin = async () => {
      await log.tail({ topic: TOPIC, from: 'latest', batchRecordsMax: 100 }, { eachBatch, onCrash: reject });
      timer = setInterval(send, 2);
    };
    begin().catch(reject);
  });
  latencies.sort((a, b) => a - b);
  const at = (quantile: number) => (latencies[Math.floor(records * quantile)] as number).toFixed(2);
  print('append → consumer, 500 records/s', `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`);
}

function recordsOf(count: number): OutgoingRecord[] {
  const value = Buffer.alloc(VALUE_BYTES, 7);
  return Array.from({ length: count }, (_, i) => ({ key: Buffer.from(`store-${i % STORES}`), value }));
}

function round(perSecond: number): string {
  return Math.round(perSecond).toLocaleString('en-US');
}

function print(what: string, result: string): void {
  console.log(`  ${what.padEnd(44)} ${result}`);
}
