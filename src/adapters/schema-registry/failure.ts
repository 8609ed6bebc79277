/** Why the registry gave no answer, told from Node's and HTTP's own words. */
import { ForetillError } from '../../errors.ts';
import type { ErrorCode } from '../../errors.ts';

/** Where its address comes from. */
const ADDRESS = 'SCHEMA_REGISTRY_URL (or --schema-registry-url)';

/**
 * `lasting`: the same request will fail again until someone changes something. `message` ends a sentence that begins
 * with "The schema registry at …".
 */
export class RegistryFailure extends Error {
  readonly lasting: boolean;
  readonly remedy: string;

  constructor(message: string, options: { lasting: boolean; remedy?: string; cause?: unknown }) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'RegistryFailure';
    this.lasting = options.lasting;
    this.remedy = options.remedy ?? `Check that it runs and that ${ADDRESS} leads to it.`;
  }
}

export function failureError(code: ErrorCode, url: string, failure: RegistryFailure): ForetillError {
  return new ForetillError(code, `The schema registry at ${url} ${failure.message}.`, {
    remedy: failure.remedy,
    cause: failure,
  });
}

const TLS = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|EPROTO)/;
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses the connection',
  ENOTFOUND: 'has a host name that is not known',
  EAI_AGAIN: 'has a host name that cannot be resolved now',
  EHOSTUNREACH: 'is on a host that cannot be reached',
  ENETUNREACH: 'is on a network that cannot be reached',
  ETIMEDOUT: 'does not take the connection',
  UND_ERR_CONNECT_TIMEOUT: 'does not take the connection',
  ECONNRESET: 'closed the connection before it had answered',
  EPIPE: 'closed the connection before it had answered',
  UND_ERR_SOCKET: 'closed the connection before it had answered',
};

/** What `fetch`, or the reading of its answer, was rejected with. */
export function networkFailure(error: unknown, requestMsMax: number): RegistryFailure {
  if (error instanceof RegistryFailure) return error;
  if ((error as Error).name === 'TimeoutError')
    return new RegistryFailure(`did not answer within ${requestMsMax} ms`, { lasting: false });
  const cause = (error as { cause?: unknown }).cause ?? error;
  const { code = '', name, message } = cause as { code?: string; name: string; message: string };
  if (TLS.test(code))
    return new RegistryFailure(`cannot be spoken to over TLS (${code}: ${message})`, {
      lasting: true,
      remedy: `Give its certificate authority to Node with NODE_EXTRA_CA_CERTS, or correct the host name or http/https in ${ADDRESS}.`,
      cause,
    });
  if (name === 'HTTPParserError') return noRegistry('does not speak HTTP');
  return new RegistryFailure(WORDS[code] ?? `cannot be asked (${message})`, { lasting: false, cause });
}

/** An HTTP status with which no registry answers what we ask; null for one with which it may. */
export function statusFailure(status: number, said: string): RegistryFailure | null {
  if (status === 401)
    return new RegistryFailure('does not know us (status 401)', {
      lasting: true,
      remedy: 'Set SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD to a user it knows.',
    });
  if (status === 403)
    return new RegistryFailure(`forbids us to ask (status 403)${said}`, {
      lasting: true,
      remedy: 'Give the user of SCHEMA_REGISTRY_USERNAME the right to it.',
    });
  if (status >= 300 && status < 400)
    return new RegistryFailure(`sends us elsewhere (status ${status})`, {
      lasting: true,
      remedy: `Set ${ADDRESS} to where it leads.`,
    });
  if (status >= 500 || status === 408 || status === 429)
    return new RegistryFailure(`cannot answer now (status ${status})${said}`, { lasting: false });
  return null;
}

export function noRegistry(what: string): RegistryFailure {
  return new RegistryFailure(`is no schema registry: it ${what}`, {
    lasting: true,
    remedy: `Set ${ADDRESS} to the root of its Confluent API, e.g. http://localhost:8081 (Apicurio: …/apis/ccompat/v7).`,
  });
}
