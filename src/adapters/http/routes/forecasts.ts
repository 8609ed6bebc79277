import { Type } from '@sinclair/typebox';
import type { Static } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { matches } from '../../websocket/feed-protocol.ts';
import type { ForecastView } from '../../websocket/forecast-view.ts';
import type { Latest } from '../../websocket/latest.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import type { ForecastStore } from '../forecast-store.ts';
import { answers, Forecast, format, Instant, jsonOrCsv, nullable, SERIES_FILTER } from '../schemas.ts';
import { forecastCsv, sendCsv, wantsCsv } from './series.ts';

export type ForecastRouteDeps = { readonly latest: Latest; readonly store: ForecastStore };

const DEFAULT_PAGE = 100;
/** Names that travel in one statement. */
const SERIES_NAMED_MAX = 5_000;

/** `GET /forecasts`: many at once, the latest or those that stood at a past moment. */
export function forecastRoutes(app: FastifyInstance, deps: ForecastRouteDeps): void {
  app.get<{ Querystring: Query }>('/forecasts', { schema: SCHEMA }, async (request, reply) => {
    const { limit = DEFAULT_PAGE, cursor, as_of, format, ...filter } = request.query;
    const after = cursor === undefined ? '' : decodeCursor(cursor);
    const found =
      as_of === undefined
        ? latestOf(deps.latest, filter, { after, limit: limit + 1 })
        : await asOf(deps, filter, { asOfMs: Date.parse(as_of), after, limit: limit + 1 });
    const items = found.slice(0, limit);
    const last = items.at(-1);
    const next = found.length > limit && last !== undefined ? encodeCursor(last.series) : null;
    if (!wantsCsv(format, request.headers.accept)) return { items, next };
    if (next !== null) reply.header('x-next-cursor', next);
    return sendCsv(reply, forecastCsv(items));
  });
}

function latestOf(
  latest: Latest,
  filter: Filter,
  page: { after: string; limit: number },
): readonly ForecastView[] {
  const found: ForecastView[] = [];
  for (const { series, forecast } of latest.sorted()) {
    if (series.series <= page.after || forecast === null || !matches(filter, series)) continue;
    found.push(forecast.view);
    if (found.length >= page.limit) break;
  }
  return found;
}

/** The ledger knows series by name: those of a store, a category or a product are the ones known now. */
async function asOf(
  { store, latest }: ForecastRouteDeps,
  filter: Filter,
  page: { asOfMs: number; after: string; limit: number },
): Promise<readonly ForecastView[]> {
  const { granularity, measure, level, ...nodes } = filter;
  const named = Object.keys(nodes).length > 0;
  const series = named ? seriesNamed(latest, filter, page.after) : [];
  if (named && series.length === 0) return [];
  return store.forecastsAsOf(
    {
      ...(granularity && { granularity }),
      ...(measure && { measure }),
      ...(level && { level }),
      ...(named && { series }),
    },
    page,
  );
}

function seriesNamed(latest: Latest, filter: Filter, after: string): readonly string[] {
  const names: string[] = [];
  for (const { series } of latest.sorted()) {
    if (series.series <= after || !matches(filter, series)) continue;
    names.push(series.series);
    if (names.length >= SERIES_NAMED_MAX) break;
  }
  return names;
}

const Query = Type.Object(
  {
    ...SERIES_FILTER,
    as_of: Type.Optional(Instant),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: DEFAULT_PAGE })),
    cursor: Type.Optional(Type.String({ maxLength: 4_096 })),
    format,
  },
  { additionalProperties: false },
);
type Query = Static<typeof Query>;
type Filter = Omit<Query, 'as_of' | 'limit' | 'cursor' | 'format'>;

const SCHEMA = {
  tags: ['series'],
  operationId: 'listForecasts',
  summary: 'Forecasts of many series: the latest, or those that stood at a past moment',
  querystring: Query,
  response: answers(
    {
      200: jsonOrCsv(
        'CSV: unique_id, ds, foretill, foretill-lo-80, foretill-hi-80 …; the cursor is in x-next-cursor',
        Type.Object({ items: Type.Array(Forecast), next: nullable(Type.String()) }),
      ),
    },
    [400, 401, 503],
  ),
};
