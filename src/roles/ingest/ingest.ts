/**
 * Role ingest: reads the transaction topic and keeps `transactions` and `sales` true. Per batch: read, step, then the
 * effects in their order: dead letters, insert, amend, close, publish, commit. The watermark is committed with the
 * offset; everything else in memory is rebuilt from the tables when a partition is taken up.
 *
 * While the effects of one partition are under way the batches of others are read and stepped: their stores, and so
 * their rows and buckets, are different ones. A partition itself has one batch in work at a time.
 *
 * A failed effect ends the role (the store has been retried by then): the process starts again from what was committed.
 */
import { readProducts } from '../../adapters/clickhouse/companions-table.ts';
import { encodeRows } from '../../adapters/clickhouse/client.ts';
import type { Store } from '../../adapters/clickhouse/client.ts';
import { readOpenTickets } from '../../adapters/clickhouse/open-tickets.ts';
import { toTransactionRow } from '../../adapters/clickhouse/transactions-table.ts';
import type { Clock } from '../../clock.ts';
import type { Config } from '../../config.ts';
import type { Codec } from '../../pipeline/codec.ts';
import { ingestStep } from '../../pipeline/ingest-step.ts';
import type { PlacedTicket, SourceState } from '../../pipeline/ingest-step.ts';
import type {
  Assignment,
  Batch,
  CommittedOffset,
  Consumer,
  Log,
  TopicPartition,
} from '../../pipeline/log.ts';
import { TOPICS } from '../../pipeline/topics.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import { createOpenTotals } from '../../windows/open-totals.ts';
import { startWatermark } from '../../windows/watermark.ts';
import type { Calendars } from '../calendars.ts';
import { createSerial } from '../serial.ts';
import { performEffects } from './effects.ts';
import type { Work } from './effects.ts';
import { readBatch } from './read-batch.ts';
import type { ReadContext } from './read-batch.ts';

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

type Source = {
  readonly state: SourceState;
  nextOffset: number;
  /** As far as it was told. */ forgotten: number;
};

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
  /** Effects under way, by partition. They never reject: what goes wrong is in `failure`. */
  const flights = new Map<number, Promise<void>>();
  let failure: { readonly error: unknown } | null = null;

  async function onAssigned(partitions: readonly Assignment[]): Promise<void> {
    for (const { topic, partition, committed } of partitions) {
      const watermarkMs = readMetadata(committed?.metadata ?? '');
      const open = createOpenTotals({ ticketsMax: config.openTicketsMax });
      if (watermarkMs !== null) open.close(watermarkMs);
      await rebuildOpen(open, partition, watermarkMs);
      const state = { topic, partition, watermark: startWatermark(watermarkMs, clock.nowMs()), open };
      sources.set(partition, { state, nextOffset: committed?.offset ?? 0, forgotten: 0 });
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
      await landed();
      for (const { partition } of partitions) sources.delete(partition);
    });
  }

  async function eachBatch(batch: Batch): Promise<void> {
    await serial.run(async () => {
      // The tick may have sent effects of this partition on their way after the batch was taken.
      await flights.get(batch.partition);
      const source = sources.get(batch.partition);
      if (source === undefined) return;
      const sinceMs = performance.now();
      await deps.codec.prepare(
        TOPICS.transactions,
        batch.records.map(({ value }) => value),
      );
      const { tickets, refused, newStores } = readBatch(batch, context);
      await deps.calendars.enter(newStores);
      const last = batch.records.at(-1);
      const nextOffset = last === undefined ? source.nextOffset : last.offset + 1;
      const token = tokenOf(source, nextOffset, batch.records[0]?.timestampMs);
      const caughtUp = nextOffset >= batch.highWatermark;
      const effects = ingestStep(
        source.state,
        { tickets, caughtUp, leadMs: leadMs(), nowMs: clock.nowMs() },
        limits,
      );
      source.nextOffset = nextOffset;
      if (effects.close !== null) tellForgotten(source);
      const rows = rowsOf(effects.insert, source);
      await launch(
        { place: placeOf(source), refused, rows, token, effects, commit: position(source) },
        () => {
          transactions += tickets.length;
          telemetry.events.batchIngested({
            partition: batch.partition,
            records: batch.records.length,
            transactions: tickets.length,
            duplicates: effects.counts.duplicates,
            late: effects.counts.late,
            seconds: (performance.now() - sinceMs) / 1000,
          });
        },
      );
    });
  }

  /** Resolves when the effects have begun; the partition rests until they are done. */
  async function launch(work: Work, onDone: () => void): Promise<void> {
    while (flights.size >= config.ingestInFlightMax) await Promise.race(flights.values());
    if (failure !== null) throw failure.error;
    const { place } = work;
    consumer?.pause([place]);
    const flight = performEffects(work, {
      ...deps,
      commit: async (offset) => consumer?.commit([offset]),
    })
      .then(onDone)
      .catch(fail)
      .finally(() => {
        flights.delete(place.partition);
        consumer?.resume([place]);
      });
    flights.set(place.partition, flight);
  }

  async function landed(): Promise<void> {
    await Promise.all(flights.values());
  }

  function rowsOf(tickets: readonly PlacedTicket[], { state: { topic, partition } }: Source): Work['rows'] {
    const place = { source: `${topic}/${partition}`, recordedAtMs: clock.nowMs() };
    return encodeRows(tickets, (ticket) => toTransactionRow(ticket.transaction, { ...ticket, ...place }));
  }

  function tellForgotten(source: Source): void {
    const forgotten = source.state.open.forgotten();
    const count = forgotten - source.forgotten;
    source.forgotten = forgotten;
    if (count > 0) telemetry.events.dropped({ what: 'openTicketsMax', count });
  }

  function leadMs(): number | null {
    const known = [...sources.values()].flatMap(({ state }) => state.watermark.ms ?? []);
    return known.length === 0 ? null : Math.max(...known);
  }

  /** Silence: where all has been read, the watermark goes on with the clock and closes what has ended. */
  async function tick(): Promise<void> {
    const ends = await log.offsets(TOPICS.transactions);
    for (const [partition, source] of sources) {
      if (flights.has(partition)) continue;
      const caughtUp = source.nextOffset >= (ends.get(partition)?.end ?? 0);
      const effects = ingestStep(
        source.state,
        { tickets: [], caughtUp, leadMs: leadMs(), nowMs: clock.nowMs() },
        limits,
      );
      if (effects.messages.length === 0 && effects.close === null) continue;
      const commit = effects.close === null ? null : position(source);
      const nothing = { refused: [], rows: rowsOf([], source), token: '' };
      await launch({ ...nothing, place: placeOf(source), effects, commit }, () => {});
    }
  }

  function fail(error: unknown): void {
    if (failure !== null) return;
    failure = { error };
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
  // One waits at most, but one does: a busy partition must not keep the silent ones from closing.
  let ticking = false;
  const timer = setInterval(() => {
    if (ticking || failure !== null) return;
    ticking = true;
    serial
      .run(tick)
      .catch(fail)
      .finally(() => {
        ticking = false;
      });
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
      await landed();
      telemetry.events.roleStopped({ role: 'ingest' });
    },
  };
}

function placeOf({ state: { topic, partition } }: Source): TopicPartition {
  return { topic, partition };
}

/**
 * Of the records from where the source stands up to `nextOffset`; with the time of the first, so that the same offsets
 * of a log that was begun anew are not taken for a repetition.
 */
function tokenOf(
  { state: { topic, partition }, nextOffset: fromOffset }: Source,
  nextOffset: number,
  firstMs: number | undefined,
): string {
  return `${topic}:${partition}:${fromOffset}-${nextOffset}@${firstMs}`;
}

/** Where the source stands, to be committed once everything up to there is done. */
function position({ state: { watermark }, nextOffset }: Source): CommittedOffset {
  return { offset: nextOffset, metadata: JSON.stringify({ watermark_ms: watermark.ms }) };
}

function readMetadata(metadata: string): number | null {
  if (metadata === '') return null;
  return (JSON.parse(metadata) as { watermark_ms: number | null }).watermark_ms;
}
