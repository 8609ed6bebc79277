/**
 * Errors as RFC 9457 problems: `type`, `title`, `status`, `detail`, `instance`, and of our own `code` (stable, for
 * programs), `remedy` (for people) and `errors` (one entry per fault of the request). Never a stack, and nothing of
 * an unexpected error but that there was one.
 */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { ForetillError } from '../../errors.ts';

export type Fault = { readonly path: string; readonly message: string };

export type Problem = {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly remedy: string;
  readonly errors?: readonly Fault[];
};

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not logged in',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  406: 'Not acceptable',
  408: 'Request took too long to arrive',
  413: 'Too large',
  415: 'Unsupported media type',
  421: 'Wrong host',
  422: 'Not valid',
  500: 'Internal error',
  503: 'Not available',
  507: 'Disk full',
};
const RETRY_AFTER_SECONDS = 5;

export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  const { status, code, ...rest } = problem;
  if (status === 503 || status === 507) reply.header('retry-after', RETRY_AFTER_SECONDS);
  return reply
    .code(status)
    .type('application/problem+json')
    .serializer(JSON.stringify)
    .send({
      type: `urn:foretill:problem:${code.toLowerCase().replaceAll('_', '-')}`,
      title: TITLES[status] ?? 'Error',
      status,
      code,
      instance: request.url.split('?')[0],
      ...rest,
    });
}

/** The problem that an error is; null for one nobody foresaw. */
export function problemOf(error: unknown): Problem | null {
  if (error instanceof ForetillError) {
    const { status, code, message: detail, remedy } = error;
    return { status, code, detail, remedy };
  }
  const { code, validation, statusCode } = error as Partial<FastifyError>;
  if (validation !== undefined)
    return {
      status: 400,
      code: 'BAD_REQUEST',
      detail: 'The request does not fit the API.',
      remedy: 'See errors, and /api/v1/openapi.json for what is possible.',
      errors: validation.map((fault) => faultOf(fault, (error as FastifyError).validationContext)),
    };
  const known = code === undefined ? undefined : FASTIFY_PROBLEMS[code];
  if (known !== undefined) return known;
  const isOurs = statusCode !== undefined && statusCode >= 400 && statusCode < 500;
  if (!isOurs) return null;
  return {
    status: statusCode,
    code: 'BAD_REQUEST',
    detail: 'The request could not be read.',
    remedy: 'Check its headers and its body.',
  };
}

export const INTERNAL: Problem = {
  status: 500,
  code: 'INTERNAL',
  detail: 'Something went wrong in the server; the log has the details.',
  remedy: 'Try again; if it stays, report it with the log lines of this moment.',
};

const JSON_REMEDY = 'Send JSON with Content-Type: application/json.';
const FASTIFY_PROBLEMS: Readonly<Record<string, Problem>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
    detail: 'This kind of body is not understood.',
    remedy: JSON_REMEDY,
  },
  FST_ERR_CTP_EMPTY_JSON_BODY: {
    status: 400,
    code: 'BAD_REQUEST',
    detail: 'The body is empty.',
    remedy: JSON_REMEDY,
  },
  FST_ERR_CTP_INVALID_JSON_BODY: {
    status: 400,
    code: 'BAD_JSON',
    detail: 'The body is not valid JSON.',
    remedy: JSON_REMEDY,
  },
  FST_ERR_CTP_BODY_TOO_LARGE: {
    status: 413,
    code: 'BODY_TOO_LARGE',
    detail: 'The body is larger than this server takes.',
    remedy: 'Send it in several smaller requests.',
  },
  FST_ERR_HANDLER_TIMEOUT: {
    status: 503,
    code: 'TIMEOUT',
    detail: 'Answering took too long and was given up.',
    remedy: 'Ask for less (a shorter time, fewer series), or try again later.',
  },
};

type Validation = NonNullable<FastifyError['validation']>[number];

function faultOf(fault: Validation, context = ''): Fault {
  const extra = fault.params['additionalProperty'] ?? fault.params['missingProperty'];
  const path = `${context}${fault.instancePath}${typeof extra === 'string' ? `/${extra}` : ''}`;
  const allowed = fault.params['allowedValues'];
  const message = `${fault.message ?? 'does not fit'}${Array.isArray(allowed) ? `: ${allowed.join(', ')}` : ''}`;
  return { path, message };
}
