/**
 * One request to the registry and its answer.
 *
 * @kafkajs/confluent-schema-registry 4.1 is not used for this, only for judging our bytes in the tests, because its
 * promises cannot be relied upon: measured, one whose answer is cut off, or is slow without an end, never settles; an
 * error whose body is the JSON `null` never settles either and ends the process with an unhandled rejection; without a
 * connection it reports status 400 (its issue 306); it forgets the registry's error codes, so that an unknown id
 * cannot be told from a proxy's 404; and it has no deadline, no limit of size and no way to be aborted.
 */
import type { SchemaRegistryLimits } from '../../config.ts';
import type { RegistryAddress } from './address.ts';
import { networkFailure, noRegistry, RegistryFailure, statusFailure } from './failure.ts';

/** `errorCode` is the registry's own (40403: no such schema), null when it did what was asked. */
export type Answer = {
  readonly status: number;
  readonly errorCode: number | null;
  readonly message: string;
  readonly body: Readonly<Record<string, unknown>>;
};

export type SendRequest = (method: 'GET' | 'POST' | 'PUT', path: string, body?: object) => Promise<Answer>;

const MEDIA_TYPE = 'application/vnd.schemaregistry.v1+json';
/** Of what the registry says of an error. */
const MESSAGE_CHARS_MAX = 500;

/** Every request is one attempt. Rejects with RegistryFailure and nothing else. */
export function createSendRequest(options: {
  readonly address: RegistryAddress;
  readonly limits: SchemaRegistryLimits;
  readonly signal?: AbortSignal | undefined;
}): SendRequest {
  const { address, limits, signal: stop } = options;
  const { authorization, secrets } = credentials(address);
  const headers = {
    accept: `${MEDIA_TYPE}, application/json`,
    'content-type': MEDIA_TYPE,
    'user-agent': 'foretill',
    ...authorization,
  };

  return async (method, path, body) => {
    const deadline = AbortSignal.timeout(limits.requestMsMax);
    const signal = stop === undefined ? deadline : AbortSignal.any([stop, deadline]);
    try {
      const response = await fetch(address.url + path, {
        method,
        headers,
        // Followed, a POST would become a GET.
        redirect: 'manual',
        signal,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return judge(response.status, await readText(response, limits.responseBytesMax), secrets);
    } catch (error) {
      throw stop?.aborted === true ? stopped() : networkFailure(error, limits.requestMsMax);
    }
  };
}

function judge(status: number, text: string, secrets: readonly string[]): Answer {
  const body = parseObject(text);
  const errorCode = body?.['error_code'];
  const message = cleaned(body?.['message'], secrets);
  const failure = statusFailure(status, message === '' ? '' : `: ${message}`);
  if (failure !== null) throw failure;
  if (body === null) throw noRegistry(`answered with status ${status} and something that is no JSON object`);
  if (status < 300) return { status, errorCode: null, message: '', body };
  if (typeof errorCode !== 'number') throw noRegistry(`answered with status ${status} and no error code`);
  return { status, errorCode, message, body };
}

async function readText(response: Response, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > bytesMax) throw noRegistry(`answered with more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    // A list (of versions) is nothing we ask for.
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

/** Words of a stranger: one line, bounded, without what we sent in confidence. */
function cleaned(message: unknown, secrets: readonly string[]): string {
  if (typeof message !== 'string') return '';
  const hidden = secrets.reduce((text, secret) => text.replaceAll(secret, '***'), message);
  return hidden
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, MESSAGE_CHARS_MAX);
}

function credentials({ username, password }: RegistryAddress): {
  authorization: { authorization?: string };
  secrets: string[];
} {
  if (username === undefined || password === undefined) return { authorization: {}, secrets: [] };
  const token = Buffer.from(`${username}:${password}`).toString('base64');
  return { authorization: { authorization: `Basic ${token}` }, secrets: [token, password].filter(Boolean) };
}

function stopped(): RegistryFailure {
  return new RegistryFailure('was not waited for any longer', { lasting: true });
}
