import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { InjectOptions } from 'fastify';
import { createAccess } from '../../../src/adapters/http/access.ts';
import type { ListenOptions } from '../../../src/adapters/http/access.ts';
import { testApi } from './test-api.ts';

const TOKEN = 'correct-horse-battery';

describe('where it may listen', () => {
  const cases: [string, ListenOptions, boolean][] = [
    ['loopback without a token', { host: '127.0.0.1', port: 0 }, true],
    ['localhost without a token', { host: 'localhost', port: 0 }, true],
    ['loopback of IPv6', { host: '::1', port: 0 }, true],
    ['all addresses without a token', { host: '0.0.0.0', port: 0 }, false],
    ['another address without a token', { host: '192.168.1.5', port: 0 }, false],
    ['a name that merely begins like loopback', { host: '127.0.0.1.evil.example', port: 0 }, false],
    ['all addresses with a token', { host: '0.0.0.0', port: 0, token: TOKEN }, true],
    ['a token of a few letters', { host: '0.0.0.0', port: 0, token: 'short' }, false],
    ['an empty token', { host: '0.0.0.0', port: 0, token: '' }, false],
  ];
  test.each(cases)('%s', (_, listen, allowed) => {
    if (allowed) expect(createAccess(listen).hasToken).toBe(listen.token !== undefined);
    else expect(() => createAccess(listen)).toThrow(expect.objectContaining({ code: 'ADDRESS_NEEDS_TOKEN' }));
  });
});

describe('with a token', () => {
  let api: Awaited<ReturnType<typeof testApi>>;
  let cookie: string;
  beforeAll(async () => {
    api = await testApi({ listen: { host: '0.0.0.0', port: 0, token: TOKEN } });
    const response = await login(TOKEN);
    cookie = String(response.headers['set-cookie']).split(';')[0]!;
  });
  afterAll(() => api.close());

  const login = (token: string) =>
    api.app.inject({
      method: 'POST',
      url: '/login',
      payload: new URLSearchParams({ token }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });

  test('the form sets a cookie that scripts cannot read and that does not hold the token', async () => {
    const response = await login(TOKEN);
    expect(response.statusCode).toBe(303);
    expect(response.headers.location).toBe('/');
    expect(response.headers['set-cookie']).toMatch(/HttpOnly; SameSite=Strict/);
    expect(response.headers['set-cookie']).not.toContain(TOKEN);
  });

  test('another token sets none', async () => {
    const response = await login('wrong');
    expect(response.headers['set-cookie']).toBeUndefined();
    expect(response.headers.location).toBe('/login?wrong');
  });

  const cases: [string, () => InjectOptions, number][] = [
    ['nothing', () => ({ url: '/api/v1/status' }), 401],
    ['the token', () => ({ url: '/api/v1/status', headers: { authorization: `Bearer ${TOKEN}` } }), 200],
    [
      'a longer token',
      () => ({ url: '/api/v1/status', headers: { authorization: `Bearer ${TOKEN}x` } }),
      401,
    ],
    ['another scheme', () => ({ url: '/api/v1/status', headers: { authorization: `Basic ${TOKEN}` } }), 401],
    ['the cookie', () => ({ url: '/api/v1/status', headers: { cookie } }), 200],
    [
      'the cookie among others',
      () => ({ url: '/api/v1/status', headers: { cookie: `a=b; ${cookie}` } }),
      200,
    ],
    [
      'the token as cookie',
      () => ({ url: '/api/v1/status', headers: { cookie: `foretill_session=${TOKEN}` } }),
      401,
    ],
    ['the token in the address', () => ({ url: `/api/v1/status?token=${TOKEN}` }), 401],
    ['metrics without it', () => ({ url: '/metrics' }), 401],
    ['the page without it', () => ({ url: '/' }), 302],
    ['health without it', () => ({ url: '/api/v1/health' }), 200],
    ['readiness without it', () => ({ url: '/api/v1/ready' }), 200],
    ['the form itself', () => ({ url: '/login' }), 200],
    ['another host name', () => ({ url: '/api/v1/health', headers: { host: 'forecasts.example' } }), 200],
    [
      'a write from another origin with the cookie',
      () => ({
        method: 'POST',
        url: '/api/v1/transactions',
        payload: {},
        headers: { cookie, host: 'a.example', origin: 'http://b.example' },
      }),
      403,
    ],
  ];
  test.each(cases)('%s', async (_, options, status) => {
    expect((await api.app.inject(options())).statusCode).toBe(status);
  });
});
