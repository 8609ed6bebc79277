/**
 * What happens, one function each: it counts the happening and, where someone would want to read of it, writes one log
 * line. Roles call these and nothing else, once per batch and never per record. Durations are seconds, sizes bytes.
 */
import type { RejectReason } from '../sales/transaction.ts';
import { GRANULARITIES } from '../sales/series.ts';
import type { Granularity, Level, Measure } from '../sales/series.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';

export type RoleName = 'ingest' | 'forecast' | 'serve';

/** Why a record did not become a transaction: what the parser says, or bytes that no schema can read. */
export type RefusalReason = RejectReason | 'undecodable';

export type FeedDropReason = 'too_slow' | 'no_pong' | 'shutdown' | 'protocol';
export type FeedRefusalReason =
  | 'origin'
  | 'unauthorized'
  | 'too_many_clients'
  | 'too_many_subscriptions'
  | 'bad_message';

export type Accuracy = {
  readonly granularity: Granularity;
  readonly measure: Measure;
  readonly level: Level;
  /** Buckets ahead; only a few are scored. */
  readonly step: number;
  readonly mase: number | null;
  readonly wape: number | null;
  readonly coverage80: number;
  readonly coverage95: number;
};

const RETRIES_QUIET = 4;

export type Events = ReturnType<typeof createEvents>;

export function createEvents(log: Logger, metrics: Metrics) {
  return {
    ...roleEvents(log, metrics),
    ...ingestEvents(log, metrics),
    ...storeEvents(log, metrics),
    ...logEvents(log, metrics),
    ...schemaEvents(log, metrics),
    ...forecastEvents(log, metrics),
    ...feedEvents(log, metrics),
    ...httpEvents(log, metrics),
    /** A limit of the configuration made us drop something: `what` names the limit. */
    dropped(event: { what: string; count: number }): void {
      metrics.add('foretill_dropped_total', { what: event.what }, event.count);
      log.warn('Dropped at a limit of the configuration', event);
    },
  };
}

function roleEvents(log: Logger, metrics: Metrics) {
  return {
    roleStarted(event: { role: RoleName }): void {
      metrics.set('foretill_role_ready', { role: event.role }, 0);
      log.info('Role started', event);
    },
    roleReady(event: { role: RoleName; seconds: number }): void {
      metrics.set('foretill_role_ready', { role: event.role }, 1);
      log.info('Role ready', event);
    },
    roleStopped(event: { role: RoleName }): void {
      metrics.set('foretill_role_ready', { role: event.role }, 0);
      log.info('Role stopped', event);
    },
    roleFailed(event: { role: RoleName; error: unknown }): void {
      metrics.set('foretill_role_ready', { role: event.role }, 0);
      metrics.add('foretill_role_failures_total', { role: event.role });
      log.error('Role failed', event);
    },
    /** Something outside does not answer: the partition stands still and tries again after `delayMs`. */
    outageMet(event: {
      role: RoleName;
      partition: number;
      code: string;
      delayMs: number;
      error: unknown;
    }): void {
      metrics.add('foretill_outage_retries_total', { role: event.role, code: event.code });
      log.warn('Waiting for what does not answer; nothing is lost meanwhile', event);
    },
    outageEnded(event: { role: RoleName; partition: number }): void {
      log.info('It answers again', event);
    },
    /** Another member has the partition, or may: what was in work for it is left to that one. */
    partitionUnreadable(event: { role: RoleName; partition: number; error: unknown }): void {
      metrics.add('foretill_partitions_unreadable_total', { role: event.role });
      log.error('Partition cannot be read any further; the others go on', event);
    },
    partitionLost(event: { role: RoleName; partition: number }): void {
      metrics.add('foretill_partitions_lost_total', { role: event.role });
      log.warn('Partition lost to another member of the group; it goes on from the last commit there', event);
    },
    /** Records of a topic that a group has still to commit. */
    lagMeasured(event: { group: string; topic: string; partition: number; records: number }): void {
      const { group, topic, partition } = event;
      metrics.set('foretill_log_lag_records', { group, topic, partition: String(partition) }, event.records);
    },
  };
}

function ingestEvents(log: Logger, metrics: Metrics) {
  return {
    /** One batch of the transaction topic, when its offsets are committed. */
    batchIngested(event: {
      partition: number;
      records: number;
      transactions: number;
      duplicates: number;
      late: number;
      seconds: number;
    }): void {
      metrics.add('foretill_ingest_records_total', {}, event.records);
      metrics.add('foretill_ingest_transactions_total', {}, event.transactions);
      metrics.add('foretill_ingest_duplicates_total', {}, event.duplicates);
      metrics.add('foretill_ingest_late_total', {}, event.late);
      metrics.observe('foretill_ingest_batch_seconds', {}, event.seconds);
      log.debug('Batch ingested', event);
    },
    /** Records of one batch refused for one reason; `example` is the first problem in words. */
    transactionsRefused(event: { reason: RefusalReason; count: number; example: string }): void {
      metrics.add('foretill_ingest_rejected_total', { reason: event.reason }, event.count);
      log.warn('Transactions refused, kept in the dead-letter topic', event);
    },
    deadLettersWritten(event: { count: number }): void {
      metrics.add('foretill_ingest_dead_letters_total', {}, event.count);
    },
    watermarkMoved(event: { partition: number; watermarkMs: number; nowMs: number }): void {
      const lag = (event.nowMs - event.watermarkMs) / 1000;
      metrics.set('foretill_watermark_lag_seconds', { partition: String(event.partition) }, lag);
    },
    /** `buckets` counts (store, bucket) pairs; hours and days are written together. */
    bucketsClosed(event: { buckets: Readonly<Record<Granularity, number>>; seconds: number }): void {
      for (const granularity of GRANULARITIES) {
        metrics.add('foretill_buckets_closed_total', { granularity }, event.buckets[granularity]);
      }
      metrics.observe('foretill_close_seconds', { granularity: widest(event.buckets) }, event.seconds);
      log.debug('Buckets closed', event);
    },
    bucketsAmended(event: { buckets: Readonly<Record<Granularity, number>>; seconds: number }): void {
      for (const granularity of GRANULARITIES) {
        metrics.add('foretill_buckets_amended_total', { granularity }, event.buckets[granularity]);
      }
      metrics.observe('foretill_close_seconds', { granularity: widest(event.buckets) }, event.seconds);
      log.debug('Closed buckets amended', event);
    },
  };
}

function widest(buckets: Readonly<Record<Granularity, number>>): Granularity {
  return buckets.day > 0 ? 'day' : 'hour';
}

function storeEvents(log: Logger, metrics: Metrics) {
  return {
    storeInserted(event: { table: string; rows: number; seconds: number }): void {
      metrics.add('foretill_store_rows_total', { table: event.table }, event.rows);
      metrics.observe('foretill_store_insert_seconds', { table: event.table }, event.seconds);
    },
    /** The same bytes with the same token are sent again after `delayMs`. */
    storeRetried(event: { code: string; attempt: number; delayMs: number }): void {
      metrics.add('foretill_store_retries_total', { code: event.code });
      log.warn('The store failed, trying the same again', event);
    },
  };
}

function logEvents(log: Logger, metrics: Metrics) {
  return {
    groupRebalanced(event: { group: string; members?: number; partitions: number; seconds: number }): void {
      metrics.add('foretill_log_rebalances_total', { group: event.group });
      metrics.set('foretill_log_partitions', { group: event.group }, event.partitions);
      log.info('Partitions shared out', event);
    },
    membershipLost(event: { group: string }): void {
      metrics.set('foretill_log_partitions', { group: event.group }, 0);
      log.warn('The group went on without this member; it joins again', event);
    },
    /** Deleted before they were read: the one way in which records can be lost to us. */
    offsetGap(event: { topic: string; partition: number; fromOffset: number; toOffset: number }): void {
      const records = Math.max(0, event.toOffset - event.fromOffset);
      metrics.add('foretill_log_offset_gap_records_total', { topic: event.topic }, records);
      log.error('Records were deleted before they were read; import that time again', { ...event, records });
    },
    logRetried(event: { what: string; attempt: number; delayMs: number; error: unknown }): void {
      metrics.add('foretill_log_retries_total', {});
      // A group that is new, or whose coordinator moves, is not there at once.
      if (event.attempt < RETRIES_QUIET) log.debug('The log failed, trying again', event);
      else log.warn('The log failed, trying again', event);
    },
    consumerStalled(event: {
      group: string | null;
      topics: readonly string[];
      seconds: number;
      inHandler: boolean;
    }): void {
      log.error('Records wait and none is worked on; giving up', event);
    },
  };
}

function schemaEvents(log: Logger, metrics: Metrics) {
  return {
    schemaPublished(event: {
      subject: string;
      id: number;
      from: 'registry' | 'cache';
      registered: number;
    }): void {
      log.info('Schema known', event);
    },
    registryWaitedFor(event: { subject: string; waitedMs: number; error: unknown }): void {
      log.warn('Waiting for the schema registry', event);
    },
    registryRetried(event: { id: number; attempt: number; delayMs: number; error: unknown }): void {
      log.warn('The schema registry failed, trying again', event);
    },
    schemaLookedUp(event: {
      id: number;
      outcome: 'found' | 'unknown' | 'unreadable' | 'failed';
      seconds: number;
      why?: string;
    }): void {
      metrics.add('foretill_schema_lookups_total', { outcome: event.outcome });
      metrics.observe('foretill_schema_lookup_seconds', {}, event.seconds);
      if (event.outcome === 'found') log.debug('Schema fetched', event);
      else log.warn('Schema not to be had', event);
    },
    /** Nothing is lost by it, but a restart may need the registry. */
    schemaCacheFailed(event: { what: string }): void {
      log.warn('Schemas kept on disk cannot be used', event);
    },
  };
}

function forecastEvents(log: Logger, metrics: Metrics) {
  return {
    seriesCounted(event: { granularity: Granularity; series: number }): void {
      metrics.set('foretill_series_live', { granularity: event.granularity }, event.series);
    },
    /** One bucket closed by every source and worked through: scored, learned, forecast, published. */
    forecastsIssued(event: {
      granularity: Granularity;
      kind: 'issue' | 'amendment';
      series: number;
      seconds: number;
    }): void {
      const { granularity, kind } = event;
      metrics.add('foretill_forecasts_total', { granularity, kind }, event.series);
      metrics.observe('foretill_forecast_issue_seconds', { granularity }, event.seconds);
      log.debug('Forecasts issued', event);
    },
    nowcastsPublished(event: { series: number; seconds: number }): void {
      metrics.add('foretill_nowcasts_total', {}, event.series);
      metrics.observe('foretill_nowcast_seconds', {}, event.seconds);
    },
    seriesRecomputed(event: { granularity: Granularity; series: number; seconds: number }): void {
      metrics.add('foretill_series_recomputed_total', { granularity: event.granularity }, event.series);
      log.debug('Series recomputed from the store', event);
    },
    warmStartFinished(event: { series: number; buckets: number; seconds: number }): void {
      log.info('Warm start from the history finished', event);
    },
    checkpointWritten(event: { shard: number; bytes: number; seconds: number }): void {
      metrics.observe('foretill_checkpoint_seconds', {}, event.seconds);
      metrics.set('foretill_checkpoint_bytes', { shard: String(event.shard) }, event.bytes);
      log.debug('Checkpoint written', event);
    },
    /** Series that left their usual course with the buckets just closed, and those that are back on one. */
    driftsSettled(event: {
      granularity: Granularity;
      told: number;
      folded: number;
      dropped: number;
      over: number;
      /** What was said of the widest. */
      example: string | null;
    }): void {
      const { granularity, example } = event;
      for (const outcome of ['told', 'folded', 'dropped', 'over'] as const) {
        metrics.add('foretill_drifts_total', { granularity, outcome }, event[outcome]);
      }
      if (example === null) log.debug('Drifts settled', event);
      else log.info('Series have left their usual course', event);
    },
    accuracyMeasured(event: Accuracy): void {
      const { granularity, measure, level, step, mase, wape } = event;
      const labels = { granularity, measure, level, step: String(step) };
      if (mase !== null) metrics.set('foretill_accuracy_mase', labels, mase);
      if (wape !== null) metrics.set('foretill_accuracy_wape_ratio', labels, wape);
      metrics.set('foretill_accuracy_coverage80_ratio', labels, event.coverage80);
      metrics.set('foretill_accuracy_coverage95_ratio', labels, event.coverage95);
    },
  };
}

function feedEvents(log: Logger, metrics: Metrics) {
  return {
    feedClientsCounted(event: { clients: number }): void {
      metrics.set('foretill_feed_clients', {}, event.clients);
    },
    feedSent(event: { messages: number; bytes: number }): void {
      metrics.add('foretill_feed_messages_total', {}, event.messages);
      metrics.add('foretill_feed_bytes_total', {}, event.bytes);
    },
    feedCoalesced(event: { messages: number }): void {
      metrics.add('foretill_feed_coalesced_total', {}, event.messages);
    },
    feedResynced(): void {
      metrics.add('foretill_feed_resyncs_total', {});
    },
    feedClientDropped(event: { reason: FeedDropReason; bufferedBytes: number }): void {
      metrics.add('foretill_feed_dropped_clients_total', { reason: event.reason });
      log.info('Feed client dropped', event);
    },
    feedRefused(event: { reason: FeedRefusalReason }): void {
      metrics.add('foretill_feed_refused_total', { reason: event.reason });
      log.debug('Feed refused', event);
    },
    feedLatencyMeasured(event: { kind: 'forecast' | 'nowcast'; seconds: number }): void {
      metrics.observe('foretill_event_to_feed_seconds', { kind: event.kind }, event.seconds);
    },
  };
}

function httpEvents(log: Logger, metrics: Metrics) {
  return {
    /** `route` is the pattern, never the path that was asked for. */
    requestAnswered(event: { method: string; route: string; status: number; seconds: number }): void {
      const { method, route } = event;
      metrics.add('foretill_http_requests_total', { method, route, status: String(event.status) });
      metrics.observe('foretill_http_request_seconds', { method, route }, event.seconds);
      log.debug('Request answered', event);
    },
    requestFailed(event: { method: string; route: string; error: unknown }): void {
      log.error('Request failed', event);
    },
    transactionsReceived(event: { accepted: number; duplicates: number; rejected: number }): void {
      metrics.add('foretill_http_transactions_total', { outcome: 'accepted' }, event.accepted);
      metrics.add('foretill_http_transactions_total', { outcome: 'duplicate' }, event.duplicates);
      metrics.add('foretill_http_transactions_total', { outcome: 'rejected' }, event.rejected);
    },
  };
}
