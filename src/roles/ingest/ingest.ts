/**
 * Role ingest: reads the transaction topic and keeps `transactions` and `sales` true. Per batch: read, step, then the
 * effects in their order: dead letters, insert, amend, close, publish, commit. The watermark is committed with the
 * offset; everything else in memory is rebuilt from the tables when a partition is taken up.
 *
 * A failed effect ends the role (the store has been retried by then): the process starts again from what was committed.
 */
import { amendBuckets } from '../../adapters/clickhouse/amend-buckets.ts';
import { closeBuckets } from '../../adapters/clickhouse/close-buckets.ts';
import { readProducts } from '../../adapters/clickhouse/companions-table.ts';
import type { Store } from '../../adapters/clickhouse/client.ts';
import { readOpenTickets } from '../../adapters/clickhouse/open-tickets.ts';
import { insertTransactions, toTransactionRow } from '../../adapters/clickhouse/transactions-table.ts';
import type { Clock } from '../../clock.ts';
import type { Config } from '../../config.ts';
import type { Codec } from '../../pipeline/codec.ts';
import { ingestStep } from '../../pipeline/ingest-step.ts';
import type { IngestEffects, SourceState } from '../../pipeline/ingest-step.ts';
import type { BucketMessage } from '../../pipeline/messages.ts';
import type { Assignment, Batch, Consumer, Log, TopicPartition } from '../../pipeline/log.ts';
import { deadLetterTopic, TOPICS } from '../../pipeline/topics.ts';
import type { RefusalReason } from '../../telemetry/events.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import { createOpenTotals } from '../../windows/open-totals.ts';
import { startWatermark } from '../../windows/watermark.ts';
import type { Calendars } from '../calendars.ts';
import { createSerial } from '../serial.ts';
import { readBatch } from './read-batch.ts';
import type { ReadContext, Refused } from './read-batch.ts';

export type IngestDeps = {
  readonly log: Log;
  readonly store: Store;
  readonly codec: Codec;
  readonly config: Config;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly calendars: Calendars;
  /** Told when the role cannot go on; the process is to stop. */
  readonly onFailed: (error: unknown) => void;
};

export type IngestRole = {
  ready(): boolean;
  /** Transactions taken in since the start. */
  transactionsTotal(): number;
  /** The earliest watermark of the partitions held; null while one has none. */
  watermarkMs(): number | null;
  stop(): Promise<void>;
};

export const INGEST_GROUP = 'foretill-ingest';

type Source = { readonly state: SourceState; nextOffset: number };

export async function startIngest(deps: IngestDeps): Promise<IngestRole> {
  const { log, store, config, clock, telemetry } = deps;
  const serial = createSerial();
  const sources = new Map<number, Source>();
  let transactions = 0;
  let ready = false;
  let consumer: Consumer | null = null;
  let stopped = false;
  telemetry.events.roleStarted({ role: 'ingest' });
  const startedMs = performance.now();
  await deps.calendars.load();
  const products = await readProducts(store);
  const categoryOfSku = new Map(products.map(({ sku, categoryPath }) => [sku, categoryPath[0]]));
  const context: ReadContext = { ...deps, categoryOfSku: (sku) => categoryOfSku.get(sku) };
  const limits = { ...config, messageEntriesMax: config.bucketMessageEntriesMax };

  async function onAssigned(partitions: readonly Assignment[]): Promise<void> {
    for (const { topic, partition, committed } of partitions) {
      const watermarkMs = readMetadata(committed?.metadata ?? '');
      const open = createOpenTotals({ ticketsMax: config.openTicketsMax });
      if (watermarkMs !== null) open.close(watermarkMs);
      await rebuildOpen(open, partition, watermarkMs);
      const state = { topic, partition, watermark: startWatermark(watermarkMs, clock.nowMs()), open };
      sources.set(partition, { state, nextOffset: committed?.offset ?? 0 });
    }
    ready = true;
    telemetry.events.roleReady({ role: 'ingest', seconds: (performance.now() - startedMs) / 1000 });
  }

  async function rebuildOpen(
    open: SourceState['open'],
    partition: number,
    watermarkMs: number | null,
  ): Promise<void> {
    if (watermarkMs === null) return;
    const pages = readOpenTickets(store, {
      afterMs: watermarkMs,
      partition: { index: partition, count: config.transactionPartitions },
      businessDateSkewDaysMax: config.businessDateSkewDaysMax,
    });
    for await (const page of pages) for (const ticket of page) open.add(ticket);
  }

  async function onRevoked(partitions: readonly TopicPartition[]): Promise<void> {
    await serial.run(async () => {
      for (const { partition } of partitions) sources.delete(partition);
    });
  }

  async function eachBatch(batch: Batch): Promise<void> {
    await serial.run(async () => {
      const source = sources.get(batch.partition);
      if (source === undefined) return;
      const sinceMs = performance.now();
      await deps.codec.prepare(
        TOPICS.transactions,
        batch.records.map(({ value }) => value),
      );
      const read = readBatch(batch, context);
      await writeDeadLetters(read.refused);
      await deps.calendars.enter(read.newStores);
      const last = batch.records.at(-1);
      const nextOffset = last === undefined ? source.nextOffset : last.offset + 1;
      const effects = ingestStep(
        source.state,
        {
          tickets: read.tickets,
          caughtUp: nextOffset >= batch.highWatermark,
          leadMs: leadMs(),
          nowMs: clock.nowMs(),
        },
        limits,
      );
      await writeTables(effects, source, `${source.nextOffset}-${nextOffset}`);
      await publish(effects.messages);
      source.nextOffset = nextOffset;
      await commit([source]);
      transactions += read.tickets.length;
      telemetry.events.batchIngested({
        partition: batch.partition,
        records: batch.records.length,
        transactions: read.tickets.length,
        duplicates: effects.counts.duplicates,
        late: effects.counts.late,
        seconds: (performance.now() - sinceMs) / 1000,
      });
    });
  }

  async function writeDeadLetters(refused: readonly Refused[]): Promise<void> {
    if (refused.length === 0) return;
    await log.append(
      deadLetterTopic(TOPICS.transactions),
      refused.map(({ letter }) => letter),
    );
    telemetry.events.deadLettersWritten({ count: refused.length });
    const reasons = new Map<RefusalReason, Refused[]>();
    for (const each of refused) reasons.set(each.reason, [...(reasons.get(each.reason) ?? []), each]);
    for (const [reason, list] of reasons) {
      telemetry.events.transactionsRefused({ reason, count: list.length, example: list[0]?.message ?? '' });
    }
  }

  /** What a step does to the tables, in the order that makes repeating it harmless. */
  async function writeTables(effects: IngestEffects, source: Source, offsets: string): Promise<void> {
    const { topic, partition } = source.state;
    const recordedAtMs = clock.nowMs();
    const { businessDateSkewDaysMax } = config;
    const rows = effects.insert.map((ticket) =>
      toTransactionRow(ticket.transaction, { ...ticket, source: `${topic}/${partition}`, recordedAtMs }),
    );
    if (rows.length > 0) {
      const sinceMs = performance.now();
      await insertTransactions(store, rows, `${topic}:${partition}:${offsets}`);
      const seconds = (performance.now() - sinceMs) / 1000;
      telemetry.events.storeInserted({ table: 'transactions', rows: rows.length, seconds });
    }
    const { hours, days } = effects.amend;
    if (hours.length + days.length > 0) {
      await amendBuckets(store, { hours, days, recordedAtMs, businessDateSkewDaysMax });
    }
    if (effects.close !== null) {
      await closeBuckets(store, {
        ...effects.close,
        partition: { index: partition, count: config.transactionPartitions },
        recordedAtMs,
        businessDateSkewDaysMax,
      });
    }
    if (effects.watermarkMs !== null) {
      telemetry.events.watermarkMoved({ partition, watermarkMs: effects.watermarkMs, nowMs: clock.nowMs() });
    }
  }

  /** Every shard hears everything: which of it concerns its series, it knows itself. */
  async function publish(messages: readonly BucketMessage[]): Promise<void> {
    if (messages.length === 0) return;
    const values = messages.map((message) => deps.codec.encode(TOPICS.buckets, message));
    const shards = [...Array(config.shards).keys()];
    await log.append(
      TOPICS.buckets,
      shards.flatMap((shard) =>
        values.map((value) => ({ key: Buffer.from(`shard-${shard}`), value, partition: shard })),
      ),
    );
  }

  async function commit(committed: readonly Source[]): Promise<void> {
    await consumer?.commit(
      committed.map(({ state: { topic, partition, watermark }, nextOffset }) => ({
        topic,
        partition,
        offset: nextOffset,
        metadata: JSON.stringify({ watermark_ms: watermark.ms }),
      })),
    );
  }

  function leadMs(): number | null {
    const known = [...sources.values()].flatMap(({ state }) => state.watermark.ms ?? []);
    return known.length === 0 ? null : Math.max(...known);
  }

  /** Silence: where all has been read, the watermark goes on with the clock and closes what has ended. */
  async function tick(): Promise<void> {
    const ends = await log.offsets(TOPICS.transactions);
    const messages: BucketMessage[] = [];
    const closed: Source[] = [];
    for (const [partition, source] of sources) {
      const caughtUp = source.nextOffset >= (ends.get(partition)?.end ?? 0);
      const effects = ingestStep(
        source.state,
        { tickets: [], caughtUp, leadMs: leadMs(), nowMs: clock.nowMs() },
        limits,
      );
      messages.push(...effects.messages);
      if (effects.close === null) continue;
      await writeTables(effects, source, `${source.nextOffset}-idle`);
      closed.push(source);
    }
    await publish(messages);
    if (closed.length > 0) await commit(closed);
  }

  function fail(error: unknown): void {
    if (stopped) return;
    telemetry.events.roleFailed({ role: 'ingest', error });
    deps.onFailed(error);
  }

  consumer = await log.join(
    {
      group: INGEST_GROUP,
      topics: [TOPICS.transactions],
      startFrom: 'earliest',
      batchRecordsMax: config.ingestBatchRecordsMax,
    },
    { onAssigned, onRevoked, eachBatch, onCrash: fail },
  );
  const timer = setInterval(() => {
    if (serial.pending() === 0) serial.run(tick).catch(fail);
  }, config.ingestTickMs);

  return {
    ready: () => ready,
    transactionsTotal: () => transactions,
    watermarkMs() {
      const all = [...sources.values()].map(({ state }) => state.watermark.ms);
      return all.some((ms) => ms === null) || all.length === 0 ? null : Math.min(...(all as number[]));
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      await consumer.stop();
      telemetry.events.roleStopped({ role: 'ingest' });
    },
  };
}

function readMetadata(metadata: string): number | null {
  if (metadata === '') return null;
  return (JSON.parse(metadata) as { watermark_ms: number | null }).watermark_ms;
}
