import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createTokenSource } from '../../../src/adapters/kafka/client/oauth-token.ts';
import { manualClock } from '../../../src/clock.ts';

type Answer = { status?: number; body: unknown };
type Asked = { authorization: string | undefined; body: string };

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A token endpoint; `answer` says what it answers to the n-th question. */
async function endpoint(answer: (n: number) => Answer): Promise<{ url: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked.push({ authorization: request.headers.authorization, body: Buffer.concat(chunks).toString() });
      const { status = 200, body } = answer(asked.length);
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`, asked };
}

const GRANT = { mechanism: 'oauthbearer', clientId: 'till & co', clientSecret: 's3cr:t' } as const;

describe('tokens by client credentials', () => {
  test('are asked for as RFC 6749 says', async () => {
    const { url, asked } = await endpoint(() => ({ body: { access_token: 'one', expires_in: 60 } }));
    const source = createTokenSource({ ...GRANT, tokenUrl: url, scope: 'kafka write' }, manualClock(0));
    expect(await source()).toEqual({ value: 'one' });
    const credentials = Buffer.from('till%20%26%20co:s3cr%3At').toString('base64');
    expect(asked).toEqual([
      { authorization: `Basic ${credentials}`, body: 'grant_type=client_credentials&scope=kafka+write' },
    ]);
  });

  test.each([
    ['an hour', 3_600, 3_600_000 - 30_000],
    ['ten seconds', 10, 8_000],
    ['untold', undefined, 300_000 - 30_000],
  ])('of a lifetime of %s are used until shortly before its end', async (_, seconds, usedForMs) => {
    const { url, asked } = await endpoint((n) => ({ body: { access_token: `t${n}`, expires_in: seconds } }));
    const clock = manualClock(1_000);
    const source = createTokenSource({ ...GRANT, tokenUrl: url }, clock);
    await source();
    clock.advance(usedForMs - 1);
    expect(await source()).toEqual({ value: 't1' });
    clock.advance(1);
    expect(await source()).toEqual({ value: 't2' });
    expect(asked).toHaveLength(2);
  });

  test('are asked for once by connections that open together', async () => {
    const { url, asked } = await endpoint((n) => ({ body: { access_token: `t${n}`, expires_in: 60 } }));
    const source = createTokenSource({ ...GRANT, tokenUrl: url }, manualClock(0));
    expect(await Promise.all([source(), source(), source()])).toEqual(
      Array.from({ length: 3 }, () => ({ value: 't1' })),
    );
    expect(asked).toHaveLength(1);
  });

  test('are asked for again after a failure', async () => {
    const { url } = await endpoint((n) =>
      n === 1 ? { status: 503, body: '' } : { body: { access_token: 'later', expires_in: 60 } },
    );
    const source = createTokenSource({ ...GRANT, tokenUrl: url }, manualClock(0));
    await expect(source()).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    expect(await source()).toEqual({ value: 'later' });
  });

  test.each([
    [
      'refuses us',
      { status: 401, body: { error: 'invalid_client', s: 's3cr:t' } },
      'CONFIG_INVALID',
      /: invalid_client\.$/,
    ],
    ['refuses without a reason', { status: 404, body: 's3cr:t' }, 'CONFIG_INVALID', /: status 404\.$/],
    ['gives no token', { body: { token: 's3cr:t' } }, 'CONFIG_INVALID', /answers without a token/],
    ['answers with a page', { body: '<html>s3cr:t</html>' }, 'CONFIG_INVALID', /answers without a token/],
    ['is in trouble', { status: 500, body: 's3cr:t' }, 'LOG_UNAVAILABLE', /answers with status 500/],
  ])('an endpoint that %s', async (_, answer, code, sentence) => {
    const { url } = await endpoint(() => answer);
    const error = await createTokenSource(
      { ...GRANT, tokenUrl: `${url}?tenant=s3cr:t` },
      manualClock(0),
    )().catch((failed: unknown) => failed);
    expect(error).toMatchObject({ code, message: expect.stringMatching(sentence) });
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain('s3cr:t');
  });

  test('an endpoint that is not there', async () => {
    const { url } = await endpoint(() => ({ body: {} }));
    for (const close of closing.splice(0)) await close();
    await expect(createTokenSource({ ...GRANT, tokenUrl: url }, manualClock(0))()).rejects.toMatchObject({
      code: 'LOG_UNAVAILABLE',
      message: `The token endpoint ${url} cannot be reached.`,
    });
  });
});
