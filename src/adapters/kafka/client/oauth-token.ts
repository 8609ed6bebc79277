/**
 * Access tokens for SASL OAUTHBEARER by the client credentials grant (RFC 6749, section 4.4). A token is used until
 * shortly before it ends; connections that ask together share one request.
 */
import { systemClock } from '../../../clock.ts';
import type { Clock } from '../../../clock.ts';
import { ForetillError } from '../../../errors.ts';
import type { KafkaOauth } from './address.ts';

export type TokenSource = () => Promise<{ readonly value: string }>;

/**
 * The source rejects with LOG_UNAVAILABLE when the endpoint does not answer and CONFIG_INVALID when it refuses us. No
 * error tells the secret or what the endpoint sent beside its error code.
 */
export function createTokenSource(grant: KafkaOauth, clock: Clock = systemClock): TokenSource {
  let token = { value: '', renewAtMs: -Infinity };
  let asking: Promise<void> | null = null;

  async function renew(): Promise<void> {
    const askedAtMs = clock.nowMs();
    const { value, lifetimeMs } = await askForToken(grant);
    token = { value, renewAtMs: askedAtMs + lifetimeMs - Math.min(RENEW_BEFORE_MS, lifetimeMs / 5) };
  }

  return async () => {
    if (clock.nowMs() >= token.renewAtMs) {
      asking ??= renew().finally(() => {
        asking = null;
      });
      await asking;
    }
    return { value: token.value };
  };
}

const RENEW_BEFORE_MS = 30_000;
const ANSWER_MS_MAX = 10_000;
/** RFC 6749 leaves the lifetime optional; without it a token is kept for no longer than this. */
const UNTOLD_LIFETIME_S = 300;

async function askForToken(grant: KafkaOauth): Promise<{ value: string; lifetimeMs: number }> {
  const { status, body } = await post(grant);
  const answer = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  if (status >= 500 || status === 429) throw unavailable(grant, `answers with status ${status}`);
  if (status !== 200) {
    const reason = ERROR_CODES.find((code) => code === answer['error']) ?? `status ${status}`;
    throw new ForetillError('CONFIG_INVALID', `The token endpoint ${place(grant)} refuses us: ${reason}.`, {
      remedy: 'Check KAFKA_OAUTH_CLIENT_ID, KAFKA_OAUTH_CLIENT_SECRET and KAFKA_OAUTH_SCOPE.',
    });
  }
  const { access_token: value, expires_in: seconds } = answer;
  if (typeof value !== 'string' || value === '') {
    throw new ForetillError('CONFIG_INVALID', `The token endpoint ${place(grant)} answers without a token.`, {
      remedy: 'Check that KAFKA_OAUTH_TOKEN_URL is the token endpoint itself.',
    });
  }
  const lifetimeS = Number(seconds ?? UNTOLD_LIFETIME_S);
  return { value, lifetimeMs: (lifetimeS > 0 ? lifetimeS : UNTOLD_LIFETIME_S) * 1000 };
}

async function post(grant: KafkaOauth): Promise<{ status: number; body: unknown }> {
  const credentials = `${encodeURIComponent(grant.clientId)}:${encodeURIComponent(grant.clientSecret)}`;
  try {
    const response = await fetch(grant.tokenUrl, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
        accept: 'application/json',
      },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        ...(grant.scope === undefined ? {} : { scope: grant.scope }),
      }),
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    return { status: response.status, body: parse(await response.text()) };
  } catch {
    throw unavailable(grant, 'cannot be reached');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Without the query and a password in it. */
function place({ tokenUrl }: KafkaOauth): string {
  const { origin, pathname } = new URL(tokenUrl);
  return origin + pathname;
}

function unavailable(grant: KafkaOauth, what: string): ForetillError {
  return new ForetillError('LOG_UNAVAILABLE', `The token endpoint ${place(grant)} ${what}.`, {
    remedy: 'Check KAFKA_OAUTH_TOKEN_URL and that its host can be reached from here.',
  });
}

/** RFC 6749, section 5.2. */
const ERROR_CODES = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
];
