import { Type } from '@sinclair/typebox';
import type { Static } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { ForetillError } from '../../../errors.ts';
import { matches } from '../../websocket/feed-protocol.ts';
import type { ForecastView } from '../../websocket/forecast-view.ts';
import type { Latest } from '../../websocket/latest.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import type { ForecastStore } from '../forecast-store.ts';
import { answers, Forecast, format, Instant, jsonOrCsv, nullable, SERIES_FILTER } from '../schemas.ts';
import { forecastCsv, sendCsv, wantsCsv } from './series.ts';

export type ForecastRouteDeps = { readonly latest: Latest; readonly store: ForecastStore };

const DEFAULT_PAGE = 100;

/** `GET /forecasts`: many at once, the latest or those that stood at a past moment. */
export function forecastRoutes(app: FastifyInstance, deps: ForecastRouteDeps): void {
  app.get<{ Querystring: Query }>('/forecasts', { schema: SCHEMA }, async (request, reply) => {
    const { limit = DEFAULT_PAGE, cursor, as_of, format, ...filter } = request.query;
    const after = cursor === undefined ? '' : decodeCursor(cursor);
    const found =
      as_of === undefined
        ? latestOf(deps.latest, filter, { after, limit: limit + 1 })
        : await asOf(deps.store, filter, { asOfMs: Date.parse(as_of), after, limit: limit + 1 });
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

async function asOf(
  store: ForecastStore,
  filter: Filter,
  page: { asOfMs: number; after: string; limit: number },
): Promise<readonly ForecastView[]> {
  const { granularity, measure, level, ...nodes } = filter;
  if (Object.keys(nodes).length > 0)
    throw new ForetillError('USAGE', 'With as_of, store, category and product cannot be filtered.', {
      remedy: 'Filter by granularity, measure and level, or ask for /series/{id}/forecast?as_of=….',
    });
  return store.forecastsAsOf(
    { ...(granularity && { granularity }), ...(measure && { measure }), ...(level && { level }) },
    page,
  );
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
