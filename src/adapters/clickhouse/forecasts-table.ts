/** The ledger `forecasts`: every forecast issued at the close of a bucket or after an amendment. */
import type { Granularity, Level, Measure } from '../../sales/series.ts';
import type { Store, Table } from './client.ts';
import { insertInChunks } from './insert-in-chunks.ts';
import { seriesFilter } from './series-filter.ts';
import type { SeriesFilter } from './series-filter.ts';

export type ForecastRow = {
  readonly granularity: Granularity;
  readonly measure: Measure;
  readonly level: Level;
  readonly series: string;
  /** The last bucket it rests on. */
  readonly originMs: number;
  readonly issuedAtMs: number;
  readonly watermarkMs: number;
  readonly kind: 'issue' | 'amendment';
  readonly modelVersion: string;
  readonly reconciled: boolean;
  readonly bucketsMs: readonly number[];
  readonly mean: readonly number[];
  readonly probabilities: readonly number[];
  /** Step by step, each at all the probabilities. */
  readonly quantiles: readonly number[];
};

const FORECASTS: Table = {
  name: 'forecasts',
  columns: [
    'granularity',
    'measure',
    'level',
    'series',
    'origin',
    'issued_at',
    'watermark',
    'kind',
    'model_version',
    'reconciled',
    'buckets',
    'mean',
    'probabilities',
    'quantiles',
  ],
};
const ROWS_PER_INSERT = 2_000;

/** The same token enters the rows once. */
export function insertForecasts(
  store: Store,
  forecasts: readonly ForecastRow[],
  token: string,
): Promise<void> {
  const rows = forecasts.map((row) => [
    row.granularity,
    row.measure,
    row.level,
    row.series,
    row.originMs / 1_000,
    row.issuedAtMs,
    row.watermarkMs,
    row.kind,
    row.modelVersion,
    row.reconciled,
    row.bucketsMs.map((ms) => ms / 1_000),
    row.mean,
    row.probabilities,
    row.quantiles,
  ]);
  return insertInChunks(store, FORECASTS, rows, { token, rowsMax: ROWS_PER_INSERT });
}

export type ForecastsRequest = SeriesFilter & {
  /** The forecasts that held at this instant; absent: now. */
  readonly asOfMs?: number;
  /** Goes on after this series' name: for paging. */
  readonly afterSeries?: string;
  readonly limit: number;
};

type Selected = {
  granularity: Granularity;
  measure: Measure;
  level: Level;
  series: string;
  origin_s: number;
  issued_at_ms: number;
  watermark_ms: number;
  kind: 'issue' | 'amendment';
  model_version: string;
  reconciled: boolean;
  buckets_s: number[];
  mean: number[];
  probabilities: number[];
  quantiles: number[];
};

/** The latest forecast of each series, by name, at most `limit` of them. */
export async function readForecasts(store: Store, request: ForecastsRequest): Promise<ForecastRow[]> {
  const filter = seriesFilter(request);
  const conditions = [filter.sql, 'series > {after:String}'];
  if (request.asOfMs !== undefined) {
    conditions.push("issued_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')");
  }
  const where = conditions.join(' AND ');
  // First the places of the latest from the narrow columns alone: the arrays are read for those only.
  const rows = await store.query<Selected>(
    `SELECT granularity, measure, level, series, toUnixTimestamp(origin) AS origin_s,
       toUnixTimestamp64Milli(issued_at) AS issued_at_ms, toUnixTimestamp64Milli(watermark) AS watermark_ms,
       kind, model_version, reconciled, arrayMap(bucket -> toUnixTimestamp(bucket), buckets) AS buckets_s,
       mean, probabilities, quantiles
     FROM forecasts
     WHERE ${where} AND (series, issued_at, origin) IN (
       SELECT series, max((issued_at, origin)).1, max((issued_at, origin)).2 FROM forecasts
       WHERE ${where} GROUP BY series ORDER BY series LIMIT {limit:UInt32})
     ORDER BY series LIMIT 1 BY series`,
    {
      ...filter.params,
      after: request.afterSeries ?? '',
      limit: request.limit,
      ...(request.asOfMs === undefined ? {} : { as_of_ms: request.asOfMs }),
    },
  );
  return rows.map(toForecast);
}

function toForecast(row: Selected): ForecastRow {
  return {
    granularity: row.granularity,
    measure: row.measure,
    level: row.level,
    series: row.series,
    originMs: row.origin_s * 1_000,
    issuedAtMs: row.issued_at_ms,
    watermarkMs: row.watermark_ms,
    kind: row.kind,
    modelVersion: row.model_version,
    reconciled: row.reconciled,
    bucketsMs: row.buckets_s.map((seconds) => seconds * 1_000),
    mean: row.mean,
    probabilities: row.probabilities,
    quantiles: row.quantiles,
  };
}
