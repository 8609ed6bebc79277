import { Type } from '@sinclair/typebox';
import type { Static } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { alertView } from '../../websocket/alert-view.ts';
import type { AlertBook } from '../alert-book.ts';
import { answers, Instant, nullable, oneOf, SERIES_FIELDS, SERIES_FILTER } from '../schemas.ts';

export type AlertRouteDeps = { readonly alerts: AlertBook };

/** `GET /alerts`: what an operator or planner should look at, the latest first. */
export function alertRoutes(app: FastifyInstance, { alerts }: AlertRouteDeps): void {
  app.get<{ Querystring: Query }>('/alerts', { schema: SCHEMA }, (request, reply) => {
    const { state, limit, ...wanted } = request.query;
    const items = alerts
      .list()
      .filter((alert) => (state ?? 'open') === 'all' || alert.resolved_ms === null)
      .filter((alert) =>
        (Object.keys(wanted) as (keyof typeof wanted)[]).every((name) => alert[name] === wanted[name]),
      )
      .slice(0, limit ?? LIMIT)
      .map((alert) => alertView(alert).body);
    return reply.send({ items });
  });
}

const LIMIT = 100;
const LIMIT_MAX = 1_000;

const Query = Type.Object(
  {
    ...SERIES_FILTER,
    state: Type.Optional(oneOf<'open' | 'all'>(['open', 'all'], 'Those that go on (the default), or all')),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: LIMIT_MAX, description: `How many at most; ${LIMIT} unless told` }),
    ),
  },
  { additionalProperties: false },
);
type Query = Static<typeof Query>;

const figure = (description: string) => Type.Union([nullable(Type.Number())], { description });
const Alert = Type.Object({
  ...Type.Partial(Type.Object(SERIES_FIELDS)).properties,
  id: Type.String({ description: 'The same from its first to its last message' }),
  kind: Type.String({ examples: ['drift'] }),
  severity: oneOf<'info' | 'warning' | 'critical'>(['info', 'warning', 'critical'], 'How soon to act'),
  message: Type.String({ description: 'One or two sentences for people' }),
  value: figure('Of a drift: sales since, over what they usually are or were forecast to be, less 1'),
  threshold: figure('The limit it passed, in the same unit'),
  since: Instant,
  resolved: nullable(Instant),
  error_before: figure('Absolute error of forecasts as a share of sales before it began'),
  error_after: figure('The same since it began'),
});

const SCHEMA = {
  tags: ['alerts'],
  operationId: 'getAlerts',
  summary: 'What an operator or planner should look at, the latest first',
  querystring: Query,
  response: answers({ 200: Type.Object({ items: Type.Array(Alert) }) }, [400, 401]),
};
