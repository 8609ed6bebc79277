/** Everything one shard does, step by step; the role calls it, one step at a time. */
import { readOpenTickets } from '../../adapters/clickhouse/open-tickets.ts';
import { insertScores } from '../../adapters/clickhouse/scores-table.ts';
import type { ScoreRow } from '../../adapters/clickhouse/scores-table.ts';
import { DAY_MS, HOUR_MS } from '../../sales/durations.ts';
import {
  dropCheckpointsBefore,
  lastGeneration,
  readCheckpoint,
  writeCheckpoint,
} from '../../adapters/clickhouse/model-state-table.ts';
import { bucketRange } from '../../adapters/clickhouse/sales-table.ts';
import { topProducts } from '../../adapters/clickhouse/top-products.ts';
import type { NodeKey } from '../../hierarchy/nodes.ts';
import { encodeCheckpoint, restoreCheckpoint } from '../../pipeline/checkpoint.ts';
import type { IssueStamp } from '../../pipeline/forecast-message.ts';
import { openTotal } from '../../pipeline/ingest-step.ts';
import type { Batch, OutgoingRecord } from '../../pipeline/log.ts';
import type { BucketMessage } from '../../pipeline/messages.ts';
import { granularityOfSymbol } from '../../pipeline/messages.ts';
import { movesAll } from '../../pipeline/issue.ts';
import { createNowcastQueue } from '../../pipeline/nowcasts.ts';
import type { FoldContext, ScoredBucket } from '../../pipeline/series-table.ts';
import type { Shard } from '../../pipeline/shard.ts';
import { TOPICS } from '../../pipeline/topics.ts';
import { createShard, shardLayout, shardWatermark } from '../../pipeline/shard.ts';
import { take } from '../../pipeline/snapshots.ts';
import { bucketEndMs } from '../../sales/calendar.ts';
import { currencyExponent } from '../../sales/money.ts';
import type { Granularity } from '../../sales/series.ts';
import { GRANULARITIES } from '../../sales/series.ts';
import { createOpenTotals } from '../../windows/open-totals.ts';
import { closeUpTo, refold } from './fold-sales.ts';
import type { FoldDeps } from './fold-sales.ts';
import type { RoleDeps } from '../role-deps.ts';
import type { ForecastProgress } from './forecast.ts';
import { publishForecasts, nowcastRecords } from './publish.ts';
import { readMessages } from './read-messages.ts';
import type { HeardMessage } from './read-messages.ts';
import { scoreRows } from './score-rows.ts';
import { tellDrifts } from './tell-drifts.ts';

export type ShardWorker = {
  readonly shard: Shard;
  /**
   * Takes up the last checkpoint, or learns the history from `sales`. `start`, `end`: where the shard's partition begins
   * and ends now.
   * Rejects with the signal's reason when it is aborted; the worker is then of no more use.
   */
  restore(place: {
    readonly committed: number;
    readonly start: number;
    readonly end: number;
    readonly signal: AbortSignal;
  }): Promise<void>;
  process(batch: Batch): Promise<void>;
  nowcast(): Promise<void>;
  /**
   * Writes the state when it is due, or when it is the last of this worker's; returns the offset it stands at, or null
   * when there was nothing to write.
   */
  checkpoint(options: { readonly last: boolean }): Promise<number | null>;
  progress(): ForecastProgress | null;
  watermarkMs(): number | null;
};

/** A drift that was found longer ago than it holds is no news. */
const DRIFT_NEWS_MS = 7 * DAY_MS;

/** Buckets concerned by messages, per granularity: whose totals changed behind what has been folded. */
type Amended = Record<Granularity, { fromMs: number; readonly stores: Set<string> }>;

/** Hours follow the days that were published. */
const DAYS_FIRST = ['day', 'hour'] as const;
const NONE: ReadonlySet<number> = new Set();

export function createShardWorker(index: number, deps: RoleDeps): ShardWorker {
  const { config, clock, store, telemetry, calendars } = deps;
  const shard = createShard(index, config);
  const layout = shardLayout(config);
  const queue = createNowcastQueue({
    seriesMax: config.nowcastSeriesMax,
    refreshMax: config.nowcastRefreshMax,
  });
  const minorPerUnit = 10 ** currencyExponent(config.currency);
  const zoneOf = (storeId: string): string => calendars.of(storeId).timeZone;
  let scores: ScoreRow[] = [];
  let scoresFromMs = Number.NEGATIVE_INFINITY;
  /** Where the first fold of a table began; null: none is under way. */
  let warmFromMs: number | null = null;
  let warming = false;
  let progress: ForecastProgress | null = null;
  let lastEventMs: number | null = null;
  /** Nowcasts are on their way to the log; what went wrong with the last ones. */
  let telling = false;
  let untold: { readonly error: unknown } | null = null;
  let checkpointed = -1;
  /** Since the last checkpoint. */
  let learned = false;
  let generation = 0;
  /** Readers go by the later stamp: it must not go back when a shard moves to a machine whose clock is behind. */
  let issuedMs = 0;
  let serial = 0;
  let refused = 0;
  /** Messages before this offset amend nothing: what they speak of was in `sales` when the history was learned. */
  let learnedOffset = 0;
  let signal: AbortSignal | null = null;

  const context: FoldContext = { calendarOf: calendars.of, minorPerUnit, onScored: keepScore };
  const foldDeps: FoldDeps = {
    store,
    calendars,
    chunkBuckets: config.foldChunkBuckets,
    onBucket(granularity, bucketMs, untilMs) {
      if (!warming) return;
      warmFromMs ??= bucketMs;
      const what = `learning the history by the ${granularity}`;
      progress = { what, total: untilMs - warmFromMs, done: bucketMs - warmFromMs };
    },
    pause() {
      signal?.throwIfAborted();
      return scores.length >= config.storeRowsPerInsert ? writeScores() : undefined;
    },
  };

  function keepScore(scored: ScoredBucket): void {
    if (scored.bucketMs < scoresFromMs) return;
    const { table } = scored;
    const { granularity } = table;
    const level = table.nodes.keys[scored.node]?.level;
    // A warm start would write millions of hourly rows that nobody looks at one by one.
    if (warming && granularity !== 'day' && (level === 'store-category' || level === 'store-product')) return;
    scores.push(...scoreRows(table, scored, clock.nowMs()));
  }

  async function writeScores(): Promise<void> {
    const rows = scores;
    scores = [];
    serial += 1;
    for (let at = 0; at < rows.length; at += config.storeRowsPerInsert) {
      const chunk = rows.slice(at, at + config.storeRowsPerInsert);
      const { bucketMs, recordedAtMs } = chunk[0] as ScoreRow;
      const token = `scores:${index}:${bucketMs}:${recordedAtMs}:${serial}:${at}:${chunk.length}`;
      await insertScores(store, chunk, token);
    }
  }

  /** Runs a fold and keeps the scores of its buckets from `fromMs` on, but none older than a warm start's. */
  async function scoring<T>(fromMs: number, work: () => Promise<T>): Promise<T> {
    scoresFromMs = Math.max(fromMs, (shardWatermark(shard) ?? 0) - config.warmScoreDays * DAY_MS);
    const result = await work();
    await writeScores();
    return result;
  }

  function stamp(kind: IssueStamp['kind']): IssueStamp {
    issuedMs = Math.max(issuedMs, clock.nowMs());
    return { kind, issuedAtMs: issuedMs, watermarkMs: shardWatermark(shard), eventMs: lastEventMs };
  }

  async function close(granularity: Granularity, watermarkMs: number | null): Promise<number> {
    if (watermarkMs === null) return 0;
    warming = shard.tables[granularity].nextBucketMs === null;
    warmFromMs = null;
    const buckets = await scoring(Number.NEGATIVE_INFINITY, () =>
      closeUpTo(shard, granularity, watermarkMs, context, foldDeps),
    );
    warming = false;
    progress = null;
    learned ||= buckets > 0;
    tellRefused();
    return buckets;
  }

  function tellRefused(): void {
    const all = GRANULARITIES.reduce(
      (sum, granularity) => sum + shard.tables[granularity].nodes.refused(),
      0,
    );
    if (all > refused) telemetry.events.dropped({ what: 'seriesMax', count: all - refused });
    refused = all;
  }

  /** Null: of all series. */
  async function issue(
    granularity: Granularity,
    nodes: ReadonlySet<number> | null,
    ledger: boolean,
  ): Promise<void> {
    const sinceMs = performance.now();
    const kind = nodes === null ? 'ISSUE' : 'AMENDMENT';
    const others = movesAll(config.reconciliation);
    serial += 1;
    const publication = { granularity, stamp: stamp(kind), nodes, others, ledger, serial };
    const series = await publishForecasts(shard, publication, deps);
    const seconds = (performance.now() - sinceMs) / 1000;
    telemetry.events.forecastsIssued({
      granularity,
      kind: nodes === null ? 'issue' : 'amendment',
      series,
      seconds,
    });
    telemetry.events.seriesCounted({ granularity, series: shard.near[granularity].size * 2 });
  }

  async function amend(
    granularity: Granularity,
    amended: Amended[Granularity],
  ): Promise<ReadonlySet<number>> {
    const sinceMs = performance.now();
    const { fromMs, stores } = amended;
    const { keys } = shard.tables[granularity].nodes;
    const concerns = (node: number): boolean => {
      const storeId = keys[node]?.store;
      return storeId === undefined || stores.has(storeId);
    };
    const nodes = await scoring(fromMs, () =>
      refold(shard, granularity, { fromMs, concerns }, context, foldDeps),
    );
    learned = true;
    const seconds = (performance.now() - sinceMs) / 1000;
    telemetry.events.seriesRecomputed({ granularity, series: nodes.size * 2, seconds });
    return nodes;
  }

  /** Of drifts found in buckets closed or folded again just now, but none of long ago; a first fold tells of none. */
  async function tellFresh(
    granularity: Granularity,
    closedFromMs: number | null,
    amendedFromMs: number,
  ): Promise<void> {
    const recentMs = (shardWatermark(shard) ?? 0) - DRIFT_NEWS_MS;
    const freshFromMs =
      closedFromMs === null ? Infinity : Math.max(recentMs, Math.min(closedFromMs, amendedFromMs));
    await tellDrifts(shard, granularity, { freshFromMs }, deps);
  }

  /** Closes and amends what there is; returns the nodes whose forecasts have changed, null for all. */
  async function learn(granularity: Granularity, amended: Amended): Promise<ReadonlySet<number> | null> {
    const fromMs = shard.tables[granularity].nextBucketMs;
    const closed = await close(granularity, shardWatermark(shard));
    if (closed > 0 && granularity === 'day') await trackProducts();
    const again = amended[granularity];
    const nodes = again.stores.size > 0 ? await amend(granularity, again) : NONE;
    if (closed > 0 || again.stores.size > 0) await tellFresh(granularity, fromMs, again.fromMs);
    return closed > 0 ? null : nodes;
  }

  /** The hourly nodes to be issued: those that changed, and those whose days did. */
  function withFollowers(
    hours: ReadonlySet<number> | null,
    days: ReadonlySet<number> | null,
  ): ReadonlySet<number> | null {
    if (config.reconciliation.hours === 'none' || hours === null) return hours;
    const { hour, day } = shard.tables;
    const followers = days ?? day.nodes.keys.keys();
    const followed = [...followers].flatMap((node) => hour.nodes.find(day.nodes.keys[node] as NodeKey) ?? []);
    return new Set([...hours, ...followed]);
  }

  function hear(heard: readonly HeardMessage[]): Amended {
    const amended: Amended = {
      hour: { fromMs: Number.POSITIVE_INFINITY, stores: new Set() },
      day: { fromMs: Number.POSITIVE_INFINITY, stores: new Set() },
    };
    for (const { message, offset } of heard) {
      if (message.last_event_ms !== null) lastEventMs = Math.max(lastEventMs ?? 0, message.last_event_ms);
      if (message.watermark_ms !== null) hearWatermark(message, message.watermark_ms);
      for (const total of message.open) shard.open.set(total);
      if (offset < learnedOffset) continue;
      for (const bucket of message.amended) {
        const granularity = granularityOfSymbol(bucket.granularity);
        const { nextBucketMs } = shard.tables[granularity];
        if (nextBucketMs === null || bucket.bucket_ms >= nextBucketMs) continue;
        amended[granularity].fromMs = Math.min(amended[granularity].fromMs, bucket.bucket_ms);
        amended[granularity].stores.add(bucket.store_id);
      }
    }
    return amended;
  }

  function hearWatermark(message: BucketMessage, watermarkMs: number): void {
    if (message.kind === 'HISTORY') {
      shard.historyMs = Math.max(shard.historyMs ?? 0, notAhead(watermarkMs));
      return;
    }
    const source = `${message.source_topic}/${message.source_partition}`;
    shard.sources.set(source, Math.max(shard.sources.get(source) ?? watermarkMs, watermarkMs));
  }

  /** New products get series of their own, learned from their first sale, while there is room. */
  async function trackProducts(): Promise<void> {
    const wanted = config.productsMax - shard.tracked.size;
    if (wanted <= 0 || !shard.tables.day.nodes.hasLevel('product', 'store-product')) return;
    const skus = await topProducts(store, { limit: config.productsMax });
    const added = new Set(skus.filter((sku) => !shard.tracked.has(sku)).slice(0, wanted));
    if (added.size === 0) return;
    for (const sku of added) shard.tracked.add(sku);
    for (const granularity of GRANULARITIES) {
      const { nodes, nextBucketMs } = shard.tables[granularity];
      if (nextBucketMs === null || !nodes.hasLevel('product', 'store-product')) continue;
      const concerns = (node: number): boolean => added.has(nodes.keys[node]?.product ?? '');
      const everything = { fromMs: Number.NEGATIVE_INFINITY, concerns };
      await scoring(everything.fromMs, () => refold(shard, granularity, everything, context, foldDeps));
      // Copies from before have no place for them and are gone.
      take(shard.snapshots[granularity], shard.tables[granularity]);
    }
    shard.open.trackedMore();
    learned = true;
  }

  /** Everything in `sales` is closed for the stores it is of; what others add later is announced as amended. */
  async function learnHistory(): Promise<void> {
    const hours = await bucketRange(store, 'hour');
    const days = await bucketRange(store, 'day');
    if (hours === null && days === null) return;
    const sinceMs = performance.now();
    const completeMs = {
      hour: hours === null ? null : notAhead(hours.lastMs + HOUR_MS),
      day: days === null ? null : notAhead(dayEndMs(days.lastMs)),
    };
    const untilMs = completeMs.hour ?? completeMs.day;
    shard.historyMs = Math.max(shard.historyMs ?? 0, untilMs ?? 0);
    await trackProducts();
    let buckets = 0;
    for (const granularity of DAYS_FIRST) {
      const closed = await close(granularity, completeMs[granularity]);
      buckets += closed;
      if (closed > 0) await tellDrifts(shard, granularity, { freshFromMs: Infinity }, deps);
      if (closed > 0) await issue(granularity, null, true);
    }
    const series = GRANULARITIES.reduce((sum, granularity) => sum + 2 * shard.near[granularity].size, 0);
    telemetry.events.warmStartFinished({ series, buckets, seconds: (performance.now() - sinceMs) / 1000 });
  }

  /** No history is complete that has not been yet: an import may hold half of today, or a date that is a typing error. */
  function notAhead(ms: number): number {
    return Math.min(ms, clock.nowMs());
  }

  /** When the business day is over in every zone of the chain. */
  function dayEndMs(bucketMs: number): number {
    return Math.max(...calendars.all().map((calendar) => bucketEndMs('day', bucketMs, calendar)));
  }

  async function takeUp(data: Buffer): Promise<boolean> {
    if (!restoreCheckpoint(shard, data, zoneOf)) return false;
    checkpointed = shard.nextOffset;
    for (const granularity of DAYS_FIRST) {
      take(shard.snapshots[granularity], shard.tables[granularity]);
      if (shard.tables[granularity].nextBucketMs !== null) await issue(granularity, null, false);
    }
    return true;
  }

  /** What was sold in the open buckets so far: messages speak only of what changes. */
  async function readOpen(): Promise<void> {
    const watermarkMs = shardWatermark(shard);
    if (watermarkMs === null) return;
    const totals = createOpenTotals({ ticketsMax: config.openTicketsMax });
    totals.close(watermarkMs);
    const { businessDateSkewDaysMax } = config;
    const pages = readOpenTickets(store, { afterMs: watermarkMs, partition: null, businessDateSkewDaysMax });
    for await (const page of pages) {
      signal?.throwIfAborted();
      for (const ticket of page) totals.add(ticket);
    }
    for (const leaf of totals.takeChanged()) shard.open.set(openTotal(leaf));
    queueChanged();
  }

  function queueChanged(): void {
    for (const granularity of GRANULARITIES) {
      queue.add(granularity, shard.open.takeChanged(granularity), shard.tables[granularity]);
    }
  }

  /** Nobody waits for it: while the log writes, the next messages are heard. Never rejects. */
  async function tellNowcasts(records: readonly OutgoingRecord[], sinceMs: number): Promise<void> {
    telling = true;
    try {
      await deps.log.append(TOPICS.forecasts, records);
      const seconds = (performance.now() - sinceMs) / 1000;
      telemetry.events.nowcastsPublished({ series: records.length, seconds });
    } catch (error) {
      untold = { error };
    } finally {
      telling = false;
    }
  }

  return {
    shard,
    async restore({ committed, start, end, signal: aborted }) {
      signal = aborted;
      await calendars.load();
      generation = await lastGeneration(store, index);
      issuedMs = generation;
      // Beyond the end it is of a log that is gone; before the commit older than one that was lost; before the start
      // amendments have been deleted that it has not heard of.
      const offsets = { from: Math.max(committed, start), to: end };
      const checkpoint = await readCheckpoint(store, { shard: index, layout }, offsets);
      if (checkpoint === null || !(await takeUp(checkpoint.data))) {
        shard.nextOffset = committed <= end ? committed : 0;
        learnedOffset = end;
        await learnHistory();
      }
      await readOpen();
      signal = null;
    },
    async process(batch) {
      // After a crash between checkpoint and commit the first records have been worked through already.
      const fresh = batch.records.filter(({ offset }) => offset >= shard.nextOffset);
      const amended = hear(await readMessages({ ...batch, records: fresh }, deps));
      const days = await learn('day', amended);
      const hours = withFollowers(await learn('hour', amended), days);
      if (days === null || days.size > 0) await issue('day', days, true);
      if (hours === null || hours.size > 0) await issue('hour', hours, true);
      queueChanged();
      shard.nextOffset = (fresh.at(-1)?.offset ?? shard.nextOffset - 1) + 1;
    },
    async nowcast() {
      if (untold !== null) throw untold.error;
      const watermarkMs = shardWatermark(shard);
      if (telling || watermarkMs === null || shard.sources.size === 0) return;
      const { tables, near, open } = shard;
      const asOfMs = watermarkMs + config.allowedLatenessMs;
      const base = {
        tables,
        near,
        open,
        calendarOf: calendars.of,
        minorPerUnit,
        asOfMs,
        stamp: stamp('NOWCAST'),
      };
      const sinceMs = performance.now();
      const records = GRANULARITIES.flatMap((granularity) => {
        const nodes = queue.take(granularity, tables[granularity]);
        return nowcastRecords(shard, granularity, nodes, base, deps.codec);
      });
      if (records.length > 0) void tellNowcasts(records, sinceMs);
    },
    async checkpoint({ last }) {
      const heard = shard.nextOffset - checkpointed;
      if (heard === 0 || !(last || learned || heard >= config.checkpointMessagesMax)) return null;
      const sinceMs = performance.now();
      const { nextOffset } = shard;
      const data = encodeCheckpoint(shard, zoneOf);
      const recordedAtMs = clock.nowMs();
      generation = Math.max(generation + 1, recordedAtMs);
      await writeCheckpoint(store, { shard: index, layout }, { generation, nextOffset, data, recordedAtMs });
      await dropCheckpointsBefore(store, index, { generation, nextOffset });
      checkpointed = nextOffset;
      learned = false;
      telemetry.events.checkpointWritten({
        shard: index,
        bytes: data.length,
        seconds: (performance.now() - sinceMs) / 1000,
      });
      return nextOffset;
    },
    progress: () => progress,
    watermarkMs: () => shardWatermark(shard),
  };
}
