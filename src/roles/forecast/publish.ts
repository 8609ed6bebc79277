/** Publishes what a shard has to say: forecasts after a close or an amendment, and nowcasts of open buckets. */
import type { Store } from '../../adapters/clickhouse/client.ts';
import { insertForecasts } from '../../adapters/clickhouse/forecasts-table.ts';
import type { ForecastRow } from '../../adapters/clickhouse/forecasts-table.ts';
import type { Config } from '../../config.ts';
import { eventHeaders } from '../../pipeline/cloud-events.ts';
import type { Codec } from '../../pipeline/codec.ts';
import { issueMessage, nowcastMessage } from '../../pipeline/forecast-message.ts';
import type { IssueStamp } from '../../pipeline/forecast-message.ts';
import { issue } from '../../pipeline/issue.ts';
import type { IssuedForecast } from '../../pipeline/issue.ts';
import type { Log, OutgoingRecord } from '../../pipeline/log.ts';
import type { ForecastMessage } from '../../pipeline/messages.ts';
import { keepNear, nowcastNode } from '../../pipeline/nowcasts.ts';
import type { NowcastContext } from '../../pipeline/nowcasts.ts';
import type { Shard } from '../../pipeline/shard.ts';
import { TOPICS } from '../../pipeline/topics.ts';
import type { Granularity } from '../../sales/series.ts';
import type { Calendars } from '../calendars.ts';
import { runSliced } from '../sliced.ts';

export type PublishDeps = {
  readonly log: Log;
  readonly store: Store;
  readonly codec: Codec;
  readonly config: Config;
  readonly calendars: Calendars;
};

export type Publication = {
  readonly granularity: Granularity;
  readonly stamp: IssueStamp;
  /** Null: every series. */
  readonly nodes: ReadonlySet<number> | null;
  /** Whether the other series are told as well, though they do not go into the ledger: theirs moved along. */
  readonly others: boolean;
  /** False when the ledger has these forecasts already: after a restart. */
  readonly ledger: boolean;
  /** Tells publications of one moment apart. */
  readonly serial: number;
};

/** Forecasts made and not yet written: some 4 KB each. */
const WAITING_MAX = 2_000;

/** Issues forecasts; returns how many series they are of. */
export async function publishForecasts(
  shard: Shard,
  publication: Publication,
  deps: PublishDeps,
): Promise<number> {
  const { granularity, stamp, nodes, others, ledger } = publication;
  const table = shard.tables[granularity];
  let records: OutgoingRecord[] = [];
  let rows: ForecastRow[] = [];
  let series = 0;

  function take(issued: IssuedForecast): void {
    keepNear(shard.near[granularity], issued.node, issued.measure, issued.buffer.mean);
    const concerned = nodes === null || nodes.has(issued.node);
    if (!concerned && !others) return;
    const message = issueMessage(table, issued, stamp);
    records.push(forecastRecord(shard, message, deps.codec));
    if (ledger && concerned) rows.push(ledgerRow(message));
  }

  async function write(): Promise<void> {
    const token = ledgerToken(shard, publication, rows[0]?.originMs, series);
    const [written, entered] = [records, rows];
    records = [];
    rows = [];
    series += written.length;
    await deps.log.append(TOPICS.forecasts, written);
    if (entered.length > 0) await insertForecasts(deps.store, entered, token);
  }

  const { reconciliation } = deps.config;
  const days = { table: shard.tables.day, near: shard.near.day };
  await runSliced(issue(table, { calendarOf: deps.calendars.of, reconciliation, days }, take), () =>
    records.length >= WAITING_MAX ? write() : undefined,
  );
  if (records.length > 0) await write();
  return series;
}

/** For the part that begins after so many series: the same for what is sent again because no answer came. */
function ledgerToken(
  shard: Shard,
  { granularity, stamp, serial }: Publication,
  originMs: number | undefined,
  after: number,
): string {
  const moment = `${stamp.kind}:${originMs}:${stamp.issuedAtMs}:${serial}`;
  return `forecasts:${shard.index}:${granularity}:${moment}:${after}`;
}

/** The nowcasts of these nodes, ready for the forecast topic. */
export function nowcastRecords(
  shard: Shard,
  granularity: Granularity,
  nodes: readonly number[],
  context: NowcastContext & { readonly stamp: IssueStamp },
  codec: Codec,
): OutgoingRecord[] {
  const table = shard.tables[granularity];
  return nodes
    .flatMap((node) => nowcastNode(granularity, node, context))
    .map((point) => forecastRecord(shard, nowcastMessage(table, point, context.stamp), codec));
}

const headersOf = eventHeaders(TOPICS.forecasts, 'forecast');

/** Nowcasts have a key of their own, so that compaction keeps a series' latest issue and latest nowcast. */
function forecastRecord(shard: Shard, message: ForecastMessage, codec: Codec): OutgoingRecord {
  const { kind, origin_ms: originMs, issued_at_ms: issuedAtMs } = message;
  const key = kind === 'NOWCAST' ? `${message.series}#nowcast` : message.series;
  return {
    key: Buffer.from(key),
    value: codec.encode(TOPICS.forecasts, message),
    headers: headersOf(
      `${kind} ${key} ${originMs} ${message.points[0]?.bucket_ms} ${issuedAtMs}`,
      issuedAtMs,
    ),
    partition: shard.index,
  };
}

function ledgerRow(message: ForecastMessage): ForecastRow {
  return {
    granularity: message.granularity,
    measure: message.measure,
    level: message.level,
    series: message.series,
    originMs: message.origin_ms,
    issuedAtMs: message.issued_at_ms,
    watermarkMs: message.watermark_ms ?? message.origin_ms,
    kind: message.kind === 'AMENDMENT' ? 'amendment' : 'issue',
    modelVersion: message.model_version,
    reconciled: message.reconciled,
    bucketsMs: message.points.map((point) => point.bucket_ms),
    mean: message.points.map((point) => point.mean),
    probabilities: message.probabilities,
    quantiles: message.points.flatMap((point) => point.quantiles),
  };
}
