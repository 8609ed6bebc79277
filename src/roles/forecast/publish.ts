/** Publishes what a shard has to say: forecasts after a close or an amendment, and nowcasts of open buckets. */
import type { Store } from '../../adapters/clickhouse/client.ts';
import { insertForecasts } from '../../adapters/clickhouse/forecasts-table.ts';
import type { ForecastRow } from '../../adapters/clickhouse/forecasts-table.ts';
import type { Config } from '../../config.ts';
import type { Codec } from '../../pipeline/codec.ts';
import { issueMessage, nowcastMessage } from '../../pipeline/forecast-message.ts';
import type { IssueStamp } from '../../pipeline/forecast-message.ts';
import { issue } from '../../pipeline/issue.ts';
import type { IssuedForecast } from '../../pipeline/issue.ts';
import type { Log, OutgoingRecord } from '../../pipeline/log.ts';
import type { ForecastMessage } from '../../pipeline/messages.ts';
import { NEAR_STEPS, nowcastNode } from '../../pipeline/nowcasts.ts';
import type { NowcastContext } from '../../pipeline/nowcasts.ts';
import type { Shard } from '../../pipeline/shard.ts';
import { TOPICS } from '../../pipeline/topics.ts';
import type { Granularity } from '../../sales/series.ts';
import { MEASURES } from '../../sales/series.ts';
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
  /** False when the ledger has these forecasts already: after a restart. */
  readonly ledger: boolean;
};

/** Issues forecasts; returns how many series they are of. */
export async function publishForecasts(shard: Shard, publication: Publication, deps: PublishDeps): Promise<number> {
  const table = shard.tables[publication.granularity];
  const records: OutgoingRecord[] = [];
  const rows: ForecastRow[] = [];
  const onForecast = (issued: IssuedForecast): void => {
    keepNear(shard, publication.granularity, issued);
    if (publication.nodes !== null && !publication.nodes.has(issued.node)) return;
    const message = issueMessage(table, issued, publication.stamp);
    records.push(forecastRecord(shard, message, deps.codec));
    if (publication.ledger) rows.push(ledgerRow(message));
  };
  await runSliced(issue(table, { calendarOf: deps.calendars.of }, onForecast));
  await deps.log.append(TOPICS.forecasts, records);
  if (rows.length > 0) await insertForecasts(deps.store, rows, ledgerToken(shard, publication, rows));
  return records.length;
}

/** The same forecasts issued again after a crash carry the same token; another amendment, another one. */
function ledgerToken(shard: Shard, publication: Publication, rows: readonly ForecastRow[]): string {
  const { granularity, stamp } = publication;
  return `forecasts:${shard.index}:${granularity}:${rows[0]?.originMs}:${stamp.kind}:${stamp.issuedAtMs}`;
}

function keepNear(shard: Shard, granularity: Granularity, issued: IssuedForecast): void {
  const near = shard.near[granularity];
  let means = near.get(issued.node);
  if (means === undefined) near.set(issued.node, (means = new Float64Array(MEASURES.length * NEAR_STEPS)));
  const steps = issued.buffer.mean.subarray(0, NEAR_STEPS);
  means.set(steps, MEASURES.indexOf(issued.measure) * NEAR_STEPS);
}

/** Publishes the nowcasts of these nodes; returns how many. */
export async function publishNowcasts(
  shard: Shard,
  granularity: Granularity,
  nodes: readonly number[],
  context: NowcastContext & { readonly stamp: IssueStamp },
  deps: PublishDeps,
): Promise<number> {
  const table = shard.tables[granularity];
  const records = nodes
    .flatMap((node) => nowcastNode(granularity, node, context))
    .map((point) => forecastRecord(shard, nowcastMessage(table, point, context.stamp), deps.codec));
  if (records.length > 0) await deps.log.append(TOPICS.forecasts, records);
  return records.length;
}

/**
 * Nowcasts have keys of their own per open bucket, so that compaction keeps the latest issue and the latest nowcast of
 * a series beside each other.
 */
function forecastRecord(shard: Shard, message: ForecastMessage, codec: Codec): OutgoingRecord {
  const key = message.kind === 'NOWCAST' ? `${message.series}#nowcast` : message.series;
  return {
    key: Buffer.from(key),
    value: codec.encode(TOPICS.forecasts, message),
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
