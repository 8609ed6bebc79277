/**
 * Who may come in. Without a token only this machine: the server listens on a loopback address and answers to
 * loopback names alone, so that no web page reaches it through a name of its own (DNS rebinding). With a token every
 * request bears it, or the cookie that the login form sets; the cookie holds a digest, so it does not give it away.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { ForetillError } from '../../errors.ts';

export type ListenOptions = { readonly host: string; readonly port: number; readonly token?: string };

export type Refusal = 'unauthorized' | 'origin' | 'host';

export type Access = {
  /** Null: let in. `writes`: the request changes something, or opens the feed. */
  refusal(headers: IncomingHttpHeaders, options: { writes: boolean }): Refusal | null;
  /** The cookie for whoever knows the token; null for another token. */
  login(token: string): string | null;
  readonly hasToken: boolean;
};

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '::1', '[::1]']);
const COOKIE = 'foretill_session';
const COOKIE_AGE_SECONDS = 30 * 86_400;
const TOKEN_LENGTH_MIN = 16;

/** Refuses (ADDRESS_NEEDS_TOKEN) an address that others can reach when there is no token, or one easily guessed. */
export function createAccess(listen: ListenOptions): Access {
  const { host, token } = listen;
  if (token === undefined && !LOOPBACK.has(host))
    throw new ForetillError('ADDRESS_NEEDS_TOKEN', `Others could reach ${host}, and no token is set.`, {
      remedy: `Set a token of at least ${TOKEN_LENGTH_MIN} characters in FORETILL_TOKEN, or listen on 127.0.0.1.`,
    });
  if (token !== undefined && token.length < TOKEN_LENGTH_MIN)
    throw new ForetillError('ADDRESS_NEEDS_TOKEN', 'The token is too short to keep others out.', {
      remedy: `Use at least ${TOKEN_LENGTH_MIN} characters, for example from: openssl rand -hex 16`,
    });
  const session =
    token === undefined ? '' : createHmac('sha256', token).update('session').digest('base64url');

  const isLoggedIn = (headers: IncomingHttpHeaders): boolean => {
    if (token === undefined) return true;
    const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
    if (bearer !== undefined) return isSame(bearer, token);
    return isSame(cookieOf(headers) ?? '', session);
  };

  return {
    hasToken: token !== undefined,
    refusal(headers, { writes }) {
      if (token === undefined && !LOOPBACK.has(hostName(headers.host))) return 'host';
      if (writes && !isSameOrigin(headers)) return 'origin';
      return isLoggedIn(headers) ? null : 'unauthorized';
    },
    login(offered) {
      if (token === undefined || !isSame(offered, token)) return null;
      return `${COOKIE}=${session}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${COOKIE_AGE_SECONDS}`;
    },
  };
}

/** A browser says where the page comes from; programs say nothing and are let through. */
function isSameOrigin(headers: IncomingHttpHeaders): boolean {
  const { origin, host } = headers;
  if (origin === undefined) return true;
  return URL.canParse(origin) && host !== undefined && new URL(origin).host === host.toLowerCase();
}

function hostName(host = ''): string {
  return host.toLowerCase().replace(/:\d+$/, '');
}

function cookieOf(headers: IncomingHttpHeaders): string | undefined {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
}

/** In the same time whatever differs. */
function isSame(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
