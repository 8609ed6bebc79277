/**
 * Every metric there is: name, type, unit in the name, help, labels. Labels are bounded: nothing is labelled by
 * product, series or client; per-series figures live in ClickHouse. Dashboards and alert rules take the names from here.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

type Definition = {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  readonly buckets?: readonly number[];
};

/** From half a millisecond to ten seconds. */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

export const METRICS = {
  foretill_ingest_records_total: counter('Records read from the transaction topic.', []),
  foretill_ingest_transactions_total: counter('Transactions written to the store.', []),
  foretill_ingest_rejected_total: counter('Transactions refused, by reason.', ['reason']),
  foretill_ingest_duplicates_total: counter('Transactions seen before, with the same content.', []),
  foretill_ingest_late_total: counter('Transactions whose bucket had already closed.', []),
  foretill_ingest_dead_letters_total: counter('Records written to the dead-letter topic.', []),
  foretill_ingest_batch_seconds: histogram('From reading a batch to its committed offsets.', []),
  foretill_watermark_lag_seconds: gauge('Clock less watermark of a source partition.', ['partition']),
  foretill_buckets_closed_total: counter('Buckets closed, counted per store.', ['granularity']),
  foretill_buckets_amended_total: counter('Closed buckets amended, counted per store.', ['granularity']),
  foretill_close_seconds: histogram('Writing the totals of closed or amended buckets.', ['granularity']),
  foretill_log_lag_records: gauge('Records appended but not yet committed by a group.', [
    'group',
    'topic',
    'partition',
  ]),
  foretill_log_rebalances_total: counter('Times the partitions of a group were shared out anew.', ['group']),
  foretill_log_partitions: gauge('Partitions held by this process.', ['group']),
  foretill_log_offset_gap_records_total: counter('Records deleted before they were read.', ['topic']),
  foretill_log_retries_total: counter('Requests to the log that failed and were tried again.', []),
  foretill_partitions_unreadable_total: counter('Times a partition stood still at a damaged record.', [
    'role',
  ]),
  foretill_schema_lookups_total: counter('Schemas asked for at the registry, by outcome.', ['outcome']),
  foretill_schema_lookup_seconds: histogram('Asking the registry for one schema.', []),
  foretill_store_insert_seconds: histogram('One insert into the store, retries included.', ['table']),
  foretill_store_rows_total: counter('Rows inserted into the store.', ['table']),
  foretill_store_retries_total: counter('Requests to the store tried again, by error code.', ['code']),
  foretill_series_live: gauge('Series with a model state.', ['granularity']),
  foretill_forecast_issue_seconds: histogram('Closing one bucket: score, learn, forecast, publish.', [
    'granularity',
  ]),
  foretill_forecasts_total: counter('Forecasts published.', ['granularity', 'kind']),
  foretill_nowcasts_total: counter('Nowcasts published.', []),
  foretill_nowcast_seconds: histogram('One round of nowcasts.', []),
  foretill_series_recomputed_total: counter('Series recomputed from the store after an amendment.', [
    'granularity',
  ]),
  foretill_checkpoint_seconds: histogram('Writing one checkpoint.', []),
  foretill_checkpoint_bytes: gauge('Size of the last checkpoint of a shard.', ['shard']),
  foretill_accuracy_mase: gauge('Mean absolute scaled error of recent forecasts.', [
    'granularity',
    'measure',
    'level',
    'step',
  ]),
  foretill_accuracy_wape_ratio: gauge('Absolute error over actual, of recent forecasts.', [
    'granularity',
    'measure',
    'level',
    'step',
  ]),
  foretill_accuracy_coverage80_ratio: gauge('Share of actuals within the 80 % interval.', [
    'granularity',
    'measure',
    'level',
    'step',
  ]),
  foretill_accuracy_coverage95_ratio: gauge('Share of actuals within the 95 % interval.', [
    'granularity',
    'measure',
    'level',
    'step',
  ]),
  foretill_drifts_total: counter(
    'Series found off their usual course, by what was said: told, folded into one above them, dropped; or over.',
    ['granularity', 'outcome'],
  ),
  foretill_feed_clients: gauge('Clients on the feed.', []),
  foretill_feed_messages_total: counter('Messages written to feed clients.', []),
  foretill_feed_bytes_total: counter('Bytes written to feed clients.', []),
  foretill_feed_coalesced_total: counter(
    'Messages a slow client did not get because a newer one replaced them.',
    [],
  ),
  foretill_feed_resyncs_total: counter(
    'Slow clients sent a fresh snapshot in place of what they missed.',
    [],
  ),
  foretill_feed_dropped_clients_total: counter('Clients dropped by the feed, by reason.', ['reason']),
  foretill_feed_refused_total: counter('Connections and messages the feed refused, by reason.', ['reason']),
  foretill_event_to_feed_seconds: histogram(
    'From a sale being in the log to the first message on the feed that knows of it, in real seconds.',
    ['kind'],
  ),
  foretill_http_requests_total: counter('HTTP requests answered.', ['method', 'route', 'status']),
  foretill_http_request_seconds: histogram('Answering an HTTP request.', ['method', 'route']),
  foretill_http_transactions_total: counter('Transactions received over HTTP, by outcome.', ['outcome']),
  foretill_dropped_total: counter('What a limit in the configuration made us drop.', ['what']),
  foretill_outage_retries_total: counter('Attempts that failed because something outside did not answer.', [
    'role',
    'code',
  ]),
  foretill_partitions_lost_total: counter('Partitions lost with work under way.', ['role']),
  foretill_role_ready: gauge('1 when the role is ready.', ['role']),
  foretill_role_failures_total: counter('Times a role stopped on an error.', ['role']),
} as const satisfies Record<string, Definition>;

type Catalogue = typeof METRICS;
type NameOf<T> = { [N in keyof Catalogue]: Catalogue[N]['type'] extends T ? N : never }[keyof Catalogue];
type LabelsOf<N extends keyof Catalogue> = Readonly<Record<Catalogue[N]['labels'][number], string>>;

/** The catalogue made live. A name or a label that is not in it does not compile. */
export type Metrics = {
  add<N extends NameOf<'counter'>>(name: N, labels: LabelsOf<N>, by?: number): void;
  set<N extends NameOf<'gauge'>>(name: N, labels: LabelsOf<N>, value: number): void;
  observe<N extends NameOf<'histogram'>>(name: N, labels: LabelsOf<N>, value: number): void;
  /** The exposition that Prometheus scrapes. */
  exposition(): Promise<{ contentType: string; text: string }>;
  readonly registry: Registry;
};

export function createMetrics(): Metrics {
  const registry = new Registry();
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  for (const [name, { type, help, labels, buckets }] of Object.entries<Definition>(METRICS)) {
    const options = { name, help, labelNames: [...labels], registers: [registry] };
    if (type === 'counter') counters.set(name, new Counter(options));
    else if (type === 'gauge') gauges.set(name, new Gauge(options));
    else histograms.set(name, new Histogram({ ...options, buckets: [...(buckets ?? SECONDS)] }));
  }
  return {
    add: (name, labels, by = 1) => counters.get(name)!.inc(labels, by),
    set: (name, labels, value) => gauges.get(name)!.set(labels, value),
    observe: (name, labels, value) => histograms.get(name)!.observe(labels, value),
    exposition: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    registry,
  };
}

function counter<const L extends readonly string[]>(help: string, labels: L) {
  return { type: 'counter', help, labels } as const;
}

function gauge<const L extends readonly string[]>(help: string, labels: L) {
  return { type: 'gauge', help, labels } as const;
}

function histogram<const L extends readonly string[]>(help: string, labels: L) {
  return { type: 'histogram', help, labels, buckets: SECONDS } as const;
}
