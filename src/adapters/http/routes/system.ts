import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import type { Telemetry } from '../../../telemetry/telemetry.ts';
import { sendProblem } from '../problem.ts';
import { answers } from '../schemas.ts';
import type { StatusView } from '../status-view.ts';

export type SystemRouteDeps = {
  readonly telemetry: Telemetry;
  readonly status: () => StatusView;
  /** Why it is not ready; empty when it is. */
  readonly notReady: () => Promise<readonly string[]>;
};

/** `/status`, `/health`, `/ready`, `/openapi.json`. */
export function systemRoutes(app: FastifyInstance, deps: SystemRouteDeps): void {
  app.get('/status', { schema: STATUS_SCHEMA }, (_request, reply) => reply.send(deps.status()));
  healthRoutes(app, deps);
  app.get('/openapi.json', { schema: { hide: true } }, (_request, reply) => reply.send(app.swagger()));
}

/** `/health` (the process lives), `/ready` (it can do its work): open to all, as who watches over it has no token. */
export function healthRoutes(app: FastifyInstance, deps: Pick<SystemRouteDeps, 'notReady'>): void {
  app.get('/health', { schema: HEALTH_SCHEMA, config: { isOpen: true } }, (_request, reply) =>
    reply.send({ status: 'ok' }),
  );
  app.get('/ready', { schema: READY_SCHEMA, config: { isOpen: true } }, async (request, reply) => {
    const reasons = await deps.notReady();
    if (reasons.length === 0) return { status: 'ready' };
    return sendProblem(request, reply, {
      status: 503,
      code: 'NOT_READY',
      detail: reasons.join(' '),
      remedy: 'Wait; if it stays so, see /api/v1/status and the log.',
      errors: reasons.map((message) => ({ path: '', message })),
    });
  });
}

/** `/metrics`, where Prometheus looks for it. */
export function metricsRoute(app: FastifyInstance, telemetry: Telemetry): void {
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    const { contentType, text } = await telemetry.metrics.exposition();
    return reply.type(contentType).send(text);
  });
}

const STATUS_SCHEMA = {
  tags: ['system'],
  operationId: 'getStatus',
  summary: 'How the service is doing: clock, roles, lag, watermark, progress',
  response: answers({ 200: Type.Object({}, { additionalProperties: true }) }, [401]),
};
const HEALTH_SCHEMA = {
  tags: ['system'],
  operationId: 'getHealth',
  summary: 'The process lives',
  response: { 200: Type.Object({ status: Type.String() }) },
};
const READY_SCHEMA = {
  tags: ['system'],
  operationId: 'getReady',
  summary: 'It can do its work: log, store and forecasts are there',
  response: answers({ 200: Type.Object({ status: Type.String() }) }, [503]),
};
