/**
 * Role ingest: reads the transaction topic and keeps `transactions` and `sales` true. Per batch: read, step, tell the
 * running totals; then the effects in their order: dead letters, insert, amend, close, publish, commit. The watermark is
 * committed with the offset; everything else in memory is rebuilt from the tables when a partition is taken up.
 *
 * While a partition is being written its next batches are read and wait, to be written together: nowcasts need not wait
 * for the store, and under load it gets few large inserts. Partitions are written side by side: their stores, and so
 * their rows and buckets, are different ones.
 *
 * An outage stops the partition until it is over, and no other. A partition that is lost is forgotten as it stands. Any
 * other failed effect ends the role: the process starts again from what was committed.
 */
import { readProducts } from '../../adapters/clickhouse/companions-table.ts';
import { encodeRows } from '../../adapters/clickhouse/client.ts';
import { toTransactionRow } from '../../adapters/clickhouse/transactions-table.ts';
import { ingestStep } from '../../pipeline/ingest-step.ts';
import type { IngestEffects, PlacedTicket } from '../../pipeline/ingest-step.ts';
import type { Assignment, Batch, Consumer, OffsetRange, TopicPartition } from '../../pipeline/log.ts';
import { TOPICS } from '../../pipeline/topics.ts';
import type { RoleDeps } from '../role-deps.ts';
import { createSerial } from '../serial.ts';
import {
  holdOf,
  isOutage,
  outageDelayMs,
  PartitionLost,
  standsBy,
  steadfast,
  troubleAmong,
  troubleOf,
  troubleOfDamage,
} from '../steadfast.ts';
import type { Hold, Trouble, Troubles } from '../steadfast.ts';
import { performEffects, tellTotals, withoutTotals } from './effects.ts';
import type { EffectDeps } from './effects.ts';
import { readBatch } from './read-batch.ts';
import type { ReadContext, ReadResult } from './read-batch.ts';
import { placeOf, position, readMetadata, takeUpSource } from './source.ts';
import type { Source } from './source.ts';
import type { Work } from './work.ts';
import { createWriter } from './writer.ts';

export type IngestRole = {
  ready(): boolean;
  /** Why it stands still; null when it does not. */
  trouble(): Trouble | null;
  /** Transactions taken in since the start. */
  transactionsTotal(): number;
  /** Records written and not yet read. */
  lagRecords(): number;
  /** The earliest watermark of the partitions held that have had a ticket; null while none has. */
  watermarkMs(): number | null;
  stop(): Promise<void>;
};

export const INGEST_GROUP = 'foretill-ingest';

/** Of the time between two nowcasts. */
const REST_PER_NOWCAST = 0.25;
const IDLE_COMMIT_MS = 10_000;
const LEAD_EVERY_MS = 5_000;

export async function startIngest(deps: RoleDeps): Promise<IngestRole> {
  const { log, store, config, clock, telemetry } = deps;
  const serial = createSerial();
  const sources = new Map<number, Source>();
  let transactions = 0;
  let assigned = false;
  let consumer: Consumer | null = null;
  let stopped = false;
  telemetry.events.roleStarted({ role: 'ingest' });
  const startedMs = performance.now();
  await deps.calendars.load();
  const products = await readProducts(store);
  const categoryOfSku = new Map(products.map(({ sku, categoryPath }) => [sku, categoryPath[0]]));
  const context: ReadContext = { ...deps, categoryOfSku: (sku) => categoryOfSku.get(sku) };
  const troubles: Troubles = new Map();
  /** Partitions with a record that cannot be read: they stand still there, and the others go on. */
  const damaged: Troubles = new Map();
  /** Of partitions that are being taken up. */
  const coming = new Set<Hold>();
  /** The furthest watermark that members of the group have committed, as last asked for. */
  let groupLeadMs: number | null = null;
  const limits = { ...config, messageEntriesMax: config.bucketMessageEntriesMax };
  /** Totals on their way to the log. */
  const telling = new Set<Promise<void>>();
  /** Records written and not yet read, by partition. */
  const lag = new Map<number, number>();
  let failure: { readonly error: unknown } | null = null;

  function effectDeps({ outside }: Source): EffectDeps {
    return {
      ...deps,
      ...outside,
      commit: (offset) => outside.persist(async () => consumer?.commit([offset])),
    };
  }

  async function onAssigned(partitions: readonly Assignment[]): Promise<void> {
    consumer?.pause(partitions);
    for (const assignment of partitions) {
      const hold = holdOf(assignment, () => consumer?.holds(assignment) ?? true);
      coming.add(hold);
      takeUp(assignment, hold)
        .catch(fail)
        .finally(() => coming.delete(hold));
    }
    assigned = true;
  }

  /** Beside the consumer, which can let go of the partition meanwhile. */
  async function takeUp(assignment: Assignment, hold: Hold): Promise<void> {
    const outside = steadfast(deps, hold, { role: 'ingest', troubles });
    try {
      const source = await takeUpSource(assignment, deps, { hold, outside });
      if (!hold.lasts()) return;
      sources.set(assignment.partition, source);
      consumer?.resume([assignment]);
    } catch (error) {
      if (!(error instanceof PartitionLost)) throw error;
      lose(hold);
    }
    if (coming.size > 1) return;
    telemetry.events.roleReady({ role: 'ingest', seconds: (performance.now() - startedMs) / 1000 });
  }

  /** Another has it, or may: what is in work for it ends where it stands. */
  function lose(hold: Hold): void {
    if (!stopped && !hold.signal.aborted)
      telemetry.events.partitionLost({ role: 'ingest', partition: hold.partition });
    forget(hold);
  }

  /** Another may have come in its place meanwhile: that one stays. */
  function forget(hold: Hold): void {
    hold.giveUp();
    const { partition } = hold;
    if (sources.get(partition)?.hold !== hold) return;
    sources.delete(partition);
    for (const map of [troubles, damaged, lag]) map.delete(partition);
  }

  async function onRevoked(partitions: readonly TopicPartition[]): Promise<void> {
    const revoked = new Set(partitions.map(({ partition }) => partition));
    for (const hold of coming) if (revoked.has(hold.partition)) hold.giveUp();
    await serial.run(async () => {
      await drained();
      for (const partition of revoked) {
        const source = sources.get(partition);
        if (source !== undefined) forget(source.hold);
      }
    });
    assigned = sources.size > 0;
  }

  async function eachBatch(batch: Batch): Promise<void> {
    await serial.run(async () => {
      if (failure !== null) throw failure.error;
      const source = sources.get(batch.partition);
      if (source === undefined) return;
      await unlessLost(source, () => ingest(source, batch));
    });
  }

  async function unlessLost({ hold }: Source, task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      if (!(error instanceof PartitionLost)) throw error;
      lose(hold);
    }
  }

  async function ingest(source: Source, batch: Batch): Promise<void> {
    const sinceMs = performance.now();
    const read = await readOrWait(source, batch);
    if (read === null) return;
    const { tickets, refused } = read;
    const last = batch.records.at(-1);
    const first = `${source.nextOffset}@${batch.records[0]?.timestampMs}`;
    source.nextOffset = last === undefined ? source.nextOffset : last.offset + 1;
    const caughtUp = source.nextOffset >= batch.highWatermark;
    const effects = ingestStep(
      source.state,
      { tickets, caughtUp, leadMs: leadMs(), nowMs: clock.nowMs() },
      limits,
    );
    if (effects.close !== null) tellForgotten(source);
    const onDone = (): void => {
      transactions += tickets.length;
      telemetry.events.batchIngested({
        partition: batch.partition,
        records: batch.records.length,
        transactions: tickets.length,
        duplicates: effects.counts.duplicates,
        late: effects.counts.late,
        seconds: (performance.now() - sinceMs) / 1000,
      });
    };
    const work = { ...workOf(source, effects), records: batch.records.length, refused, first };
    add(source, { ...work, commit: position(source), onDone: [onDone] });
    rest(source, caughtUp);
  }

  /** Again when a store that is new here turns out to be known elsewhere by another clock. */
  async function readNow(batch: Batch): Promise<ReadResult> {
    await deps.codec.prepare(
      TOPICS.transactions,
      batch.records.map(({ value }) => value),
    );
    const read = readBatch(batch, context);
    await deps.calendars.enter(read.newStores);
    const isAsRead = [...read.newStores].every(([storeId, { timeZone, businessDayStartMinutes }]) => {
      const known = deps.calendars.known(storeId);
      return known?.timeZone === timeZone && known.businessDayStartMinutes === businessDayStartMinutes;
    });
    return isAsRead ? read : readBatch(batch, context);
  }

  /** Null: what it takes to read the batch is not there now. It comes again later, and the other partitions do not wait. */
  async function readOrWait(source: Source, batch: Batch): Promise<ReadResult | null> {
    const { partition } = batch;
    try {
      const read = await source.outside.once(() => readNow(batch));
      if (source.outages > 0 && troubles.delete(partition))
        telemetry.events.outageEnded({ role: 'ingest', partition });
      source.outages = 0;
      return read;
    } catch (error) {
      if (!isOutage(error)) throw error;
      source.outages += 1;
      const delayMs = outageDelayMs(source.outages, config);
      troubles.set(partition, troubleOf(error));
      telemetry.events.outageMet({ role: 'ingest', partition, code: error.code, delayMs, error });
      const [first] = batch.records;
      consumer?.pause([batch]);
      if (first !== undefined) consumer?.seek({ ...placeOf(source), offset: first.offset });
      setTimeout(() => readOn(source), delayMs).unref();
      return null;
    }
  }

  function workOf(source: Source, effects: IngestEffects): Work {
    return {
      place: placeOf(source),
      records: 0,
      refused: [],
      rows: rowsOf(effects.insert, source),
      first: '',
      amend: effects.amend,
      amended: effects.amended,
      close: effects.close,
      closed: effects.closed,
      messages: effects.messages,
      watermarkMs: effects.watermarkMs,
      commit: null,
      onDone: [],
    };
  }

  /** Its totals are told at once; written it is when its turn comes. */
  function add(source: Source, work: Work): void {
    const told = unlessLost(source, () => tellTotals(work.messages, effectDeps(source)))
      .catch(fail)
      .finally(() => telling.delete(told));
    telling.add(told);
    writer.add(source, { ...work, messages: withoutTotals(work.messages) });
  }

  /** A partition that has been read to its end rests for a moment, lest it be read ticket by ticket. */
  function rest(source: Source, caughtUp: boolean): void {
    if (writer.isFull(source)) consumer?.pause([placeOf(source)]);
    else if (caughtUp) {
      consumer?.pause([placeOf(source)]);
      setTimeout(() => readOn(source), config.nowcastEveryMs * REST_PER_NOWCAST).unref();
    }
  }

  function readOn(source: Source): void {
    if (sources.get(source.hold.partition) === source && !writer.isFull(source))
      consumer?.resume([placeOf(source)]);
  }

  const writer = createWriter(sources, {
    fullRecords: config.ingestBatchRecordsMax / 2,
    inFlightMax: config.ingestInFlightMax,
    write: (source, work) => unlessLost(source, () => perform(source, work)).catch(fail),
    onRoom: readOn,
    hasFailed: () => failure !== null,
  });

  async function perform(source: Source, work: Work): Promise<void> {
    await performEffects(work, effectDeps(source));
    for (const done of work.onDone) done();
  }

  function giveUpAll(): void {
    for (const { hold } of sources.values()) hold.giveUp();
    for (const hold of coming) hold.giveUp();
  }

  /** What is not written in time (or cannot be, in an outage) is left to whoever reads it next. */
  async function drained(): Promise<void> {
    const timer = setTimeout(giveUpAll, config.drainMsMax);
    await writer.landed();
    await Promise.all(telling);
    clearTimeout(timer);
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
    if (groupLeadMs !== null) known.push(groupLeadMs);
    return known.length === 0 ? null : Math.max(...known);
  }

  /** Silence: where all has been read, the watermark goes on with the clock and closes what has ended. */
  async function tick(ends: ReadonlyMap<number, OffsetRange>): Promise<void> {
    for (const [partition, source] of sources) {
      const place = placeOf(source);
      const end = ends.get(partition)?.end;
      const next = consumer?.position(place) ?? source.nextOffset;
      const records = Math.max(0, (end ?? next) - next);
      lag.set(partition, records);
      telemetry.events.lagMeasured({ group: INGEST_GROUP, topic: TOPICS.transactions, partition, records });
      if (source.waiting !== null || source.flight !== null) continue;
      const caughtUp = end !== undefined && records === 0;
      const effects = ingestStep(
        source.state,
        { tickets: [], caughtUp, leadMs: leadMs(), nowMs: clock.nowMs() },
        limits,
      );
      if (effects.messages.length === 0 && effects.close === null) continue;
      const commit = effects.close !== null || isCommitDue(source) ? position(source) : null;
      if (commit !== null) source.committedMs = performance.now();
      add(source, { ...workOf(source, effects), commit });
    }
    writer.writeAll();
  }

  /** So that whoever takes the partition up does not begin where it fell silent. */
  function isCommitDue({ committedMs }: Source): boolean {
    return performance.now() - committedMs >= IDLE_COMMIT_MS;
  }

  /** A silent partition follows the furthest of the whole group, as far as it is known from its commits. */
  async function askLead(): Promise<void> {
    const committed = await log.committed(INGEST_GROUP, TOPICS.transactions);
    const known = [...committed.values()].flatMap(({ metadata }) => readMetadata(metadata) ?? []);
    if (known.length > 0) groupLeadMs = Math.max(...known);
  }

  function onUnreadable({ partition }: TopicPartition, error: unknown): void {
    damaged.set(partition, troubleOfDamage(error));
    telemetry.events.partitionUnreadable({ role: 'ingest', partition, error });
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
    { onAssigned, onRevoked, eachBatch, onUnreadable, onCrash: fail },
  );
  const joinedMs = performance.now();
  // One waits at most, but one does: a busy partition must not keep the silent ones from closing.
  const ticks = every(config.ingestTickMs, async () => {
    writer.writeAll();
    const ends = await log.offsets(TOPICS.transactions);
    await serial.run(async () => tick(ends));
  });
  const leads = every(LEAD_EVERY_MS, askLead);

  function every(ms: number, task: () => Promise<void>): NodeJS.Timeout {
    let waiting = false;
    return setInterval(() => {
      if (waiting || failure !== null) return;
      waiting = true;
      task()
        // What the log cannot tell now it will tell later.
        .catch((error: unknown) => (isOutage(error) ? undefined : fail(error)))
        .finally(() => {
          waiting = false;
        });
    }, ms);
  }

  const trouble = (): Trouble | null => troubleAmong([damaged, troubles], consumer.trouble());

  return {
    ready: () => (assigned || standsBy(joinedMs)) && coming.size === 0 && trouble() === null,
    trouble,
    transactionsTotal: () => transactions,
    lagRecords: () => [...lag.values()].reduce((total, records) => total + records, 0),
    watermarkMs() {
      const known = [...sources.values()].flatMap(({ state }) => state.watermark.ms ?? []);
      return known.length === 0 ? null : Math.min(...known);
    },
    async stop() {
      stopped = true;
      clearInterval(ticks);
      clearInterval(leads);
      const late = setTimeout(giveUpAll, config.drainMsMax);
      await consumer.stop();
      clearTimeout(late);
      telemetry.events.roleStopped({ role: 'ingest' });
    },
  };
}
