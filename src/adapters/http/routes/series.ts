import { Type } from '@sinclair/typebox';
import type { Static } from '@sinclair/typebox';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { BUCKET_MS } from '../../../pipeline/bucket-length.ts';
import type { Config } from '../../../config.ts';
import type { Clock } from '../../../clock.ts';
import { ForetillError } from '../../../errors.ts';
import { formatSeries, parseSeries } from '../../../sales/series.ts';
import type { Granularity, SeriesKey } from '../../../sales/series.ts';
import { matches } from '../../websocket/feed-protocol.ts';
import { isoSeconds } from '../../websocket/forecast-view.ts';
import type { ForecastView } from '../../websocket/forecast-view.ts';
import type { Latest, LatestEntry } from '../../websocket/latest.ts';
import { intervalColumns, toCsv } from '../csv.ts';
import type { CsvValue } from '../csv.ts';
import type { ForecastStore, HistoryRow } from '../forecast-store.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import {
  answers,
  BandScore,
  Forecast,
  format,
  Instant,
  jsonOrCsv,
  Nowcast,
  nullable,
  SERIES_FIELDS,
  SERIES_FILTER,
  SeriesParams,
} from '../schemas.ts';

export type SeriesRouteDeps = {
  readonly latest: Latest;
  readonly store: ForecastStore;
  readonly config: Config;
  readonly clock: Clock;
};

const DEFAULT_PAGE = 100;
/** How much history is given when nothing is asked for. */
const DEFAULT_HISTORY_BUCKETS: Readonly<Record<Granularity, number>> = { hour: 14 * 24, day: 120 };

export function seriesRoutes(app: FastifyInstance, deps: SeriesRouteDeps): void {
  const { latest, store } = deps;

  app.get<{ Querystring: ListQuery }>('/series', { schema: LIST_SCHEMA }, (request, reply) => {
    const { limit = DEFAULT_PAGE, cursor, q, ...filter } = request.query;
    const after = cursor === undefined ? '' : decodeCursor(cursor);
    const words = (q ?? '').toLowerCase().split(/\s+/).filter(Boolean);
    const page: LatestEntry[] = [];
    for (const entry of latest.sorted()) {
      const { series } = entry.series;
      if (series <= after || !matches(filter, entry.series)) continue;
      const searched = readable(series);
      if (!words.every((word) => searched.includes(word))) continue;
      page.push(entry);
      if (page.length > limit) break;
    }
    const items = page.slice(0, limit).map(listItem);
    const last = items.at(-1);
    const next = page.length > limit && last !== undefined ? encodeCursor(last.series) : null;
    return reply.send({ items, next });
  });

  app.get<{ Params: SeriesParams; Querystring: HistoryQuery }>(
    '/series/:id/history',
    { schema: HISTORY_SCHEMA },
    async (request, reply) => {
      const key = keyOf(request.params.id);
      const stepMs = BUCKET_MS[key.granularity];
      const toMs = request.query.to === undefined ? deps.clock.nowMs() : Date.parse(request.query.to);
      const fromMs =
        request.query.from === undefined
          ? Math.floor(toMs / stepMs - DEFAULT_HISTORY_BUCKETS[key.granularity]) * stepMs
          : Date.parse(request.query.from);
      if ((toMs - fromMs) / stepMs > deps.config.http.historyRowsMax)
        throw tooLong(deps.config.http.historyRowsMax);
      const asOfMs = request.query.as_of === undefined ? null : Date.parse(request.query.as_of);
      const rows = withZeros(await store.history({ key, fromMs, toMs, asOfMs }), stepMs);
      const series = formatSeries(key);
      if (!wantsCsv(request.query.format, request.headers.accept))
        return {
          series,
          currency: key.measure === 'revenue' ? deps.config.currency : null,
          buckets: rows.map((row) => isoSeconds(row.bucketMs)),
          values: rows.map((row) => row.value),
        };
      const cells = rows.map((row) => [series, isoSeconds(row.bucketMs), row.value]);
      return sendCsv(reply, toCsv(['unique_id', 'ds', 'y'], cells));
    },
  );

  app.get<{ Params: SeriesParams; Querystring: ForecastQuery }>(
    '/series/:id/forecast',
    { schema: FORECAST_SCHEMA },
    async (request, reply) => {
      const series = formatSeries(keyOf(request.params.id));
      const entry = latest.get(series);
      const asOf = request.query.as_of;
      const forecast =
        asOf === undefined
          ? entry?.forecast?.view
          : (
              await store.forecastsAsOf(
                { series: [series] },
                { asOfMs: Date.parse(asOf), after: '', limit: 1 },
              )
            )[0];
      if (forecast === undefined) throw unknownSeries(series);
      if (wantsCsv(request.query.format, request.headers.accept))
        return sendCsv(reply, forecastCsv([forecast]));
      const nowcasts = asOf === undefined ? (entry?.nowcasts ?? []).map(({ view }) => view) : [];
      return { forecast, nowcasts };
    },
  );
}

/** `unique_id, ds`, the mean under the name `foretill`, and its intervals. */
export function forecastCsv(forecasts: readonly ForecastView[]): string {
  const columns = intervalColumns(forecasts[0]?.probabilities ?? []);
  const rows = forecasts.flatMap((forecast) =>
    forecast.buckets.map((bucket, index): CsvValue[] => [
      forecast.series,
      bucket,
      forecast.mean[index] ?? null,
      ...columns.map(({ place }) => forecast.quantiles[index]?.[place] ?? null),
    ]),
  );
  return toCsv(['unique_id', 'ds', 'foretill', ...columns.map(({ name }) => name)], rows);
}

export function wantsCsv(format: 'json' | 'csv' | undefined, accept = ''): boolean {
  return format === undefined ? accept.startsWith('text/csv') : format === 'csv';
}

export function sendCsv(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('text/csv; charset=utf-8').header('content-disposition', 'inline').send(text);
}

function listItem({ series, forecast, nowcasts }: LatestEntry) {
  const nowcast = nowcasts.at(-1);
  return {
    ...series,
    origin: forecast?.view.origin ?? null,
    next: forecast?.view.mean[0] ?? null,
    nowcast:
      nowcast === undefined
        ? null
        : { bucket: nowcast.view.bucket, sold: nowcast.view.sold, mean: nowcast.view.mean },
    scores: forecast?.view.scores ?? [],
  };
}

/** What a search looks into: the name with its values decoded, in small letters. */
function readable(series: string): string {
  return decodeURIComponent(series).toLowerCase();
}

function keyOf(id: string): SeriesKey {
  const key = parseSeries(id);
  if (key !== null) return key;
  throw new ForetillError('INPUT_NOT_FOUND', `"${id.slice(0, 100)}" is not the name of a series.`, {
    remedy:
      'Names look like day/units/store=406, percent-encoded in an address; GET /api/v1/series lists them.',
  });
}

function unknownSeries(series: string): ForetillError {
  return new ForetillError('INPUT_NOT_FOUND', `There is no forecast of ${series}.`, {
    remedy: 'GET /api/v1/series lists the series there are; a new one is forecast after its first sales.',
  });
}

function tooLong(rows: number): ForetillError {
  return new ForetillError('USAGE', `That is more than ${rows} buckets.`, {
    remedy: 'Ask for a shorter time, in several requests.',
  });
}

/** Buckets between the first and the last that have no row had no sales. */
function withZeros(rows: readonly HistoryRow[], stepMs: number): HistoryRow[] {
  const filled: HistoryRow[] = [];
  for (const row of rows) {
    const before = filled.at(-1);
    if (before !== undefined)
      for (let ms = before.bucketMs + stepMs; ms < row.bucketMs; ms += stepMs)
        filled.push({ bucketMs: ms, value: 0 });
    filled.push(row);
  }
  return filled;
}

const ListQuery = Type.Object(
  {
    ...SERIES_FILTER,
    q: Type.Optional(Type.String({ maxLength: 200, description: 'Words that the name must contain' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: DEFAULT_PAGE })),
    cursor: Type.Optional(Type.String({ maxLength: 4_096, description: '`next` of the page before' })),
  },
  { additionalProperties: false },
);
type ListQuery = Static<typeof ListQuery>;

const HistoryQuery = Type.Object(
  { from: Type.Optional(Instant), to: Type.Optional(Instant), as_of: Type.Optional(Instant), format },
  { additionalProperties: false },
);
type HistoryQuery = Static<typeof HistoryQuery>;

const ForecastQuery = Type.Object({ as_of: Type.Optional(Instant), format }, { additionalProperties: false });
type ForecastQuery = Static<typeof ForecastQuery>;

const LIST_SCHEMA = {
  tags: ['series'],
  operationId: 'listSeries',
  summary: 'The series there are, with what is expected next and how good the forecasts have been',
  querystring: ListQuery,
  response: answers(
    {
      200: Type.Object({
        items: Type.Array(
          Type.Object({
            ...SERIES_FIELDS,
            origin: nullable(Instant),
            next: nullable(Type.Number({ description: 'Mean of the bucket after the origin' })),
            nowcast: nullable(Type.Object({ bucket: Instant, sold: Type.Number(), mean: Type.Number() })),
            scores: Type.Array(BandScore),
          }),
        ),
        next: nullable(Type.String({ description: 'Give it as `cursor` for the next page' })),
      }),
    },
    [400, 401],
  ),
};

const HISTORY_SCHEMA = {
  tags: ['series'],
  operationId: 'getHistory',
  summary: 'Totals of closed buckets; as of any past moment',
  params: SeriesParams,
  querystring: HistoryQuery,
  response: answers(
    {
      200: jsonOrCsv(
        'CSV: unique_id, ds, y',
        Type.Object({
          series: Type.String(),
          currency: nullable(Type.String()),
          buckets: Type.Array(Instant),
          values: Type.Array(Type.Number()),
        }),
      ),
    },
    [400, 401, 404, 503],
  ),
};

const FORECAST_SCHEMA = {
  tags: ['series'],
  operationId: 'getForecast',
  summary:
    'The latest forecast and the nowcasts of open buckets, or the forecast that stood at a past moment',
  params: SeriesParams,
  querystring: ForecastQuery,
  response: answers(
    {
      200: jsonOrCsv(
        'CSV: unique_id, ds, foretill, foretill-lo-80, foretill-hi-80 …',
        Type.Object({ forecast: Forecast, nowcasts: Type.Array(Nowcast) }),
      ),
    },
    [400, 401, 404, 503],
  ),
};
