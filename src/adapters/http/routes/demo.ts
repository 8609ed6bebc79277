import { Type } from '@sinclair/typebox';
import type { Static } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { ForetillError } from '../../../errors.ts';
import type { DemoControls, InjectedEvent } from '../demo-controls.ts';
import { answers } from '../schemas.ts';

/** What the page needs to steer a demonstration; there are no such routes without one. */
export function demoRoutes(app: FastifyInstance, demo: DemoControls): void {
  app.get('/demo', { schema: GET_SCHEMA }, (_request, reply) =>
    reply.send({
      label: demo.label,
      simulated: demo.simulated,
      speed: demo.speed(),
      speeds: demo.speeds,
      progress: demo.progress(),
      injectable: demo.injectable,
      active: demo.active().map(eventView),
    }),
  );
  app.put<{ Body: Speed }>('/demo/speed', { schema: SPEED_SCHEMA }, (request, reply) => {
    if (!demo.speeds.includes(request.body.speed)) throw noSuchSpeed(demo.speeds);
    demo.setSpeed(request.body.speed);
    return reply.send({ speed: demo.speed() });
  });
  app.post<{ Body: NewEvent }>('/demo/events', { schema: INJECT_SCHEMA }, (request, reply) => {
    const { kind, parameters = {} } = request.body;
    return reply.code(201).send(eventView(demo.inject(kind, parameters)));
  });
  app.delete<{ Params: { id: string } }>('/demo/events/:id', { schema: STOP_SCHEMA }, (request, reply) => {
    if (!demo.stop(request.params.id)) throw noSuchEvent();
    return reply.code(204).send();
  });
}

function eventView(event: InjectedEvent) {
  return {
    id: event.id,
    kind: event.kind,
    label: event.label,
    started: new Date(event.startedMs).toISOString(),
    ends: event.endsMs === null ? null : new Date(event.endsMs).toISOString(),
  };
}

function noSuchSpeed(speeds: readonly number[]): ForetillError {
  return new ForetillError('INPUT_INVALID', 'The demonstration cannot run at this speed.', {
    remedy: `Choose one of ${speeds.join(', ')}.`,
  });
}

function noSuchEvent(): ForetillError {
  return new ForetillError(
    'INPUT_NOT_FOUND',
    'There is no such event under way; it may have ended by itself.',
    {
      remedy: 'GET /api/v1/demo lists those that are.',
    },
  );
}

const Speed = Type.Object({ speed: Type.Number({ minimum: 0 }) }, { additionalProperties: false });
type Speed = Static<typeof Speed>;

const NewEvent = Type.Object(
  {
    kind: Type.String({ maxLength: 64 }),
    parameters: Type.Optional(
      Type.Record(
        Type.String({ maxLength: 64 }),
        Type.Union([Type.Number(), Type.String({ maxLength: 512 })]),
        { maxProperties: 16 },
      ),
    ),
  },
  { additionalProperties: false },
);
type NewEvent = Static<typeof NewEvent>;

const anything = Type.Object({}, { additionalProperties: true });
const GET_SCHEMA = {
  tags: ['demo'],
  operationId: 'getDemo',
  summary: 'What is playing, how fast, and what can be brought about',
  response: answers({ 200: anything }, [401]),
};
const SPEED_SCHEMA = {
  tags: ['demo'],
  operationId: 'setSpeed',
  summary: 'How much faster than real time',
  body: Speed,
  response: answers({ 200: Speed }, [400, 401, 422]),
};
const INJECT_SCHEMA = {
  tags: ['demo'],
  operationId: 'injectEvent',
  summary: 'Bring something about in the simulated chain',
  body: NewEvent,
  response: answers({ 201: anything }, [400, 401, 422]),
};
const STOP_SCHEMA = {
  tags: ['demo'],
  operationId: 'stopEvent',
  summary: 'End an event early',
  params: Type.Object({ id: Type.String({ maxLength: 128 }) }),
  response: answers({ 204: Type.Null() }, [401, 404]),
};
