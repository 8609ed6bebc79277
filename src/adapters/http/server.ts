/**
 * The HTTP server without its routes: limits and time-outs, who may come in, security headers, problems for every
 * error, the request metrics, and the OpenAPI document that grows with the routes.
 */
import swagger from '@fastify/swagger';
import Fastify from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../../config.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { Access, Refusal } from './access.ts';
import { INTERNAL, problemOf, sendProblem } from './problem.ts';
import type { Problem } from './problem.ts';

export type HttpServerDeps = {
  readonly config: Config['http'];
  readonly telemetry: Telemetry;
  readonly access: Access;
  readonly version: string;
};

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered also without a token. */
    isOpen?: boolean;
  }
}

/** A series name of the longest store, category and product, percent-encoded twice over. */
const PARAMETER_LENGTH_MAX = 2_048;
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export async function createHttpServer(deps: HttpServerDeps): Promise<FastifyInstance> {
  const { config, access } = deps;
  const app = Fastify({
    logger: false,
    bodyLimit: config.bodyBytesMax,
    requestTimeout: config.requestMsMax,
    connectionTimeout: config.idleSocketMsMax,
    keepAliveTimeout: config.idleSocketMsMax,
    handlerTimeout: config.requestMsMax,
    forceCloseConnections: true,
    // What fails before there is a route: an address that cannot be decoded.
    frameworkErrors: (error, request, reply) =>
      void sendProblem(request, reply, problemOf(error) ?? INTERNAL),
    routerOptions: { maxParamLength: PARAMETER_LENGTH_MAX },
    ajv: { customOptions: { removeAdditional: false, allErrors: true, coerceTypes: true } },
  });
  const patterns: { method: string; pattern: RegExp }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    for (const each of [method].flat()) patterns.push({ method: each, pattern: patternOf(url) });
  });
  app.addHook('onRequest', async (request, reply) => {
    secure(reply);
    if (request.routeOptions.config.isOpen === true) return;
    const refusal = access.refusal(request.headers, { writes: !SAFE_METHODS.has(request.method) });
    if (refusal !== null) await refuse(request, reply, refusal);
  });
  app.addHook('onResponse', async (request, reply) => {
    deps.telemetry.events.requestAnswered({
      method: knownMethod(request.method),
      route: request.routeOptions.url ?? 'none',
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1000,
    });
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error) ?? INTERNAL;
    if (problem.status >= 500)
      deps.telemetry.events.requestFailed({
        method: knownMethod(request.method),
        route: request.routeOptions.url ?? 'none',
        error,
      });
    return sendProblem(request, reply, problem);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? '/';
    const methods = patterns.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
    if (methods.length === 0) return sendProblem(request, reply, notFound(path));
    reply.header('allow', [...new Set(methods)].join(', '));
    return sendProblem(request, reply, methodNotAllowed(request.method, methods));
  });
  await app.register(swagger, { openapi: openApiHead(deps.version), hideUntagged: true });
  return app;
}

function openApiHead(version: string) {
  return {
    openapi: '3.1.0' as const,
    info: {
      title: 'Foretill',
      version,
      description:
        'Till transactions in, sales forecasts with intervals out. Times are UTC (ISO 8601); a day is a business day, ' +
        'named by its date at midnight UTC. Errors are RFC 9457 problems with a `code`, a `remedy` and `errors`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'this server' }],
    tags: [
      { name: 'transactions', description: 'Send sales in' },
      { name: 'series', description: 'What is forecast, its history and its forecasts' },
      { name: 'accuracy', description: 'How good the forecasts have been' },
      { name: 'system', description: 'How the service is doing' },
      { name: 'demo', description: 'A demonstration’s own controls' },
    ],
    components: {
      securitySchemes: {
        token: { type: 'http' as const, scheme: 'bearer', description: 'Only where a token is set' },
      },
    },
    security: [{}, { token: [] }],
  };
}

function secure(reply: FastifyReply): void {
  void reply.headers({
    'content-security-policy': CONTENT_SECURITY_POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
  });
}

const REFUSALS: Readonly<Record<Refusal, Problem>> = {
  unauthorized: {
    status: 401,
    code: 'UNAUTHORIZED',
    detail: 'This server asks for a token.',
    remedy: 'Send it as Authorization: Bearer …, or log in at /login.',
  },
  origin: {
    status: 403,
    code: 'FORBIDDEN_ORIGIN',
    detail: 'Pages of other origins may not change anything here.',
    remedy: 'Use the page that this server delivers.',
  },
  host: {
    status: 421,
    code: 'WRONG_HOST',
    detail: 'Without a token this server answers only as localhost or 127.0.0.1.',
    remedy: 'Use one of these names, or set a token.',
  },
};

async function refuse(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): Promise<void> {
  const wantsPage =
    refusal === 'unauthorized' && request.method === 'GET' && request.url.split('?')[0] === '/';
  if (wantsPage) return void (await reply.redirect('/login'));
  if (refusal === 'unauthorized') reply.header('www-authenticate', 'Bearer realm="foretill"');
  await sendProblem(request, reply, REFUSALS[refusal]);
}

function notFound(path: string): Problem {
  return {
    status: 404,
    code: 'NOT_FOUND',
    detail: `There is nothing at ${path.slice(0, 200)}.`,
    remedy: 'See /api/v1/openapi.json for what there is.',
  };
}

function methodNotAllowed(method: string, methods: readonly string[]): Problem {
  return {
    status: 405,
    code: 'METHOD_NOT_ALLOWED',
    detail: `${method} is not possible here.`,
    remedy: `Use ${[...new Set(methods)].join(' or ')}.`,
  };
}

/** `/series/:id/history` as an expression for whole paths. */
function patternOf(url: string): RegExp {
  const source = url
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/:\w+/g, '[^/]+')
    .replace(/\*/g, '.*');
  return new RegExp(`^${source}$`);
}

/** Any word may stand as a method in a request; metrics know only these. */
function knownMethod(method: string): string {
  return ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'].includes(method) ? method : 'other';
}
