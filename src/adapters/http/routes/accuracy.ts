import { Type } from '@sinclair/typebox';
import type { Static } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { answers, nullable, SERIES_FILTER } from '../schemas.ts';
import type { AccuracyRow } from '../forecast-store.ts';

export type AccuracyRouteDeps = { readonly accuracy: () => Promise<readonly AccuracyRow[]> };

/** `GET /accuracy`: how the forecasts of recent buckets have done, by granularity, measure, level and buckets ahead. */
export function accuracyRoutes(app: FastifyInstance, deps: AccuracyRouteDeps): void {
  app.get<{ Querystring: Query }>('/accuracy', { schema: SCHEMA }, async (request, reply) => {
    const { granularity, measure, level } = request.query;
    const rows = await deps.accuracy();
    const items = rows.filter(
      (row) =>
        (granularity === undefined || row.granularity === granularity) &&
        (measure === undefined || row.measure === measure) &&
        (level === undefined || row.level === level),
    );
    return reply.send({ items });
  });
}

const Query = Type.Object(
  { granularity: SERIES_FILTER.granularity, measure: SERIES_FILTER.measure, level: SERIES_FILTER.level },
  { additionalProperties: false },
);
type Query = Static<typeof Query>;

const figure = nullable(Type.Number());
const Row = Type.Object({
  ...Type.Required(Query).properties,
  step: Type.Integer({ description: 'Buckets ahead' }),
  n: Type.Integer({ description: 'Scored buckets of all series' }),
  mae: Type.Number(),
  rmse: Type.Number(),
  wape: figure,
  bias: Type.Number({ description: 'Above zero: too much was forecast' }),
  mase: Type.Union([figure], { description: 'Absolute error over that of the seasonal naive forecast' }),
  skill: figure,
  coverage80: Type.Number(),
  coverage95: Type.Number(),
  width80: Type.Number(),
});

const SCHEMA = {
  tags: ['accuracy'],
  operationId: 'getAccuracy',
  summary: 'How good the forecasts of recent buckets were, each issued before the value it is scored against',
  querystring: Query,
  response: answers({ 200: Type.Object({ items: Type.Array(Row) }) }, [400, 401, 503]),
};
