/**
 * The same as `ingest`, over Kafka: transactions a second from the topic to committed rows, running totals and offsets,
 * in one ingest process beside the broker and the engine, against consuming and decoding alone with kafkajs's own
 * consumer, and inserting ready-made rows alone. Then the same with one poisoned record in a hundred.
 */
import { Kafka, logLevel } from 'kafkajs';
import { manualClock } from '../../src/clock.ts';
import { resolveConfig } from '../../src/config.ts';
import { TOPICS } from '../../src/pipeline/topics.ts';
import { HOUR_MS } from '../../src/sales/durations.ts';
import { poison } from '../poison.ts';
import { withCluster, withTenant } from './cluster.ts';
import type { Cluster, Tenant } from './cluster.ts';
import { fill, FROM_MS, HOURS, ingest, insertAlone, print, ticketRecords, TIME_ZONE } from './ingest.ts';
import { benchBacklog } from './kafka-backlog.ts';
import { benchRecovery } from './kafka-recovery.ts';

const GOAL = 0.6;
const POISON_SHARE = 0.01;
const POISON_GOAL = 0.8;
const SETTINGS = { timeZone: TIME_ZONE };
const CONFIG = resolveConfig(SETTINGS);

export async function benchKafka(options: { readonly quick: boolean }): Promise<void> {
  await withCluster(async (cluster) => {
    await benchPipeline(cluster, options);
    await benchRecovery(cluster, options);
    await benchBacklog(cluster, options);
  });
}

async function benchPipeline(cluster: Cluster, { quick }: { readonly quick: boolean }): Promise<void> {
  const tickets = quick ? 80_000 : 200_000;
  const rounds = quick ? 1 : 2;
  const clock = manualClock(FROM_MS + HOURS * HOUR_MS);
  const place = { settings: SETTINGS, clock };
  console.log(
    `kafka: ${tickets.toLocaleString('en')} tickets of 4 lines, 20 stores, ${HOURS} h of event time, ` +
      `${CONFIG.transactionPartitions} partitions; broker, engine and one process on this machine`,
  );
  const seconds = {
    consume: [] as number[],
    insert: [] as number[],
    whole: [] as number[],
    poisoned: [] as number[],
  };
  for (let round = 0; round < rounds; round += 1) {
    await withTenant(cluster, place, async (tenant) => {
      const records = ticketRecords(tickets, tenant.platform);
      await fill(records, tenant.platform);
      seconds.consume.push(await consumeAlone(tickets, tenant));
      seconds.insert.push(await insertAlone(records, tenant.platform));
    });
    await withTenant(cluster, place, async ({ platform }) => {
      await fill(ticketRecords(tickets, platform), platform);
      seconds.whole.push(await ingest(tickets, platform));
    });
    await withTenant(cluster, place, async ({ platform }) => {
      const clean = ticketRecords(tickets, platform);
      const { records } = poison({ seed: 'bench', codec: platform.codec }).mixInto(clean, POISON_SHARE);
      await fill(records, platform);
      seconds.poisoned.push((await ingest(records.length, platform)) * (tickets / records.length));
    });
  }
  const rate = (each: readonly number[]): number => (rounds * tickets) / each.reduce((sum, s) => sum + s, 0);
  print('consume and decode alone (kafkajs’s own consumer)', rate(seconds.consume));
  print('insert alone, ready-made rows, a batch at a time', rate(seconds.insert));
  print('whole: Kafka → rows, totals, closed buckets, offsets', rate(seconds.whole));
  print(`the same with ${100 * POISON_SHARE} % poison`, rate(seconds.poisoned));
  judge(
    'whole / slower of the two',
    rate(seconds.whole) / Math.min(rate(seconds.consume), rate(seconds.insert)),
    GOAL,
  );
  judge('poisoned / clean', rate(seconds.poisoned) / rate(seconds.whole), POISON_GOAL);
}

function judge(what: string, ratio: number, goal: number): void {
  console.log(`  ${what}: ${ratio.toFixed(2)} (goal ${goal}: ${ratio >= goal ? 'reached' : 'missed'})`);
}

/** From joining the group to the last decoded record. */
async function consumeAlone(tickets: number, { platform, environment }: Tenant): Promise<number> {
  const kafka = new Kafka({
    brokers: [environment['KAFKA_BROKERS'] as string],
    logLevel: logLevel.NOTHING,
  });
  const namespace = environment['FORETILL_NAMESPACE'] as string;
  const consumer = kafka.consumer({ groupId: `${namespace}.raw`, maxWaitTimeInMs: 50 });
  await consumer.connect();
  await consumer.subscribe({ topic: `${namespace}.${TOPICS.transactions}`, fromBeginning: true });
  const begin = performance.now();
  try {
    await new Promise<void>((resolve, reject) => {
      let seen = 0;
      const eachBatch = async ({ batch }: { batch: { messages: { value: Buffer | null }[] } }) => {
        for (const { value } of batch.messages) platform.codec.decode(TOPICS.transactions, value as Buffer);
        seen += batch.messages.length;
        if (seen >= tickets) resolve();
      };
      consumer.run({ autoCommit: false, eachBatch }).catch(reject);
    });
    return (performance.now() - begin) / 1_000;
  } finally {
    await consumer.disconnect();
  }
}
