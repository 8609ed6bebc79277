/** What answers in the place of a registry, and how it is called. */
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { RegistryFailure } from '../../../src/adapters/schema-registry/failure.ts';
import { createRegistryApi } from '../../../src/adapters/schema-registry/registry-api.ts';
import type { RegistryApi } from '../../../src/adapters/schema-registry/registry-api.ts';
import { createSendRequest } from '../../../src/adapters/schema-registry/request.ts';
import { DEFAULT_CONFIG } from '../../../src/config.ts';
import { CERTIFICATE, KEY } from './self-signed.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) (server as ReturnType<typeof createServer>).closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function api(
  url: string,
  more: { password?: string; signal?: AbortSignal; requestMsMax?: number } = {},
): RegistryApi {
  const { password, signal, requestMsMax = 20_000 } = more;
  return createRegistryApi(
    createSendRequest({
      address: { url, ...(password === undefined ? {} : { username: 'ann', password }) },
      limits: { ...DEFAULT_CONFIG.schemaRegistry, requestMsMax, responseBytesMax: 1_000 },
      signal,
    }),
  );
}

async function answering(listener: RequestListener): Promise<RegistryApi> {
  return api(`http://127.0.0.1:${await listen(createServer(listener))}`);
}

async function failureOf(work: Promise<unknown>): Promise<RegistryFailure> {
  const error: unknown = await work.then(
    () => new Error('it was answered'),
    (reason: unknown) => reason,
  );
  if (error instanceof RegistryFailure) return error;
  throw error;
}

describe('what answers is no registry, or one that cannot', () => {
  test.each<[string, number, string, boolean, RegExp]>([
    ['a page', 200, '<html>hello</html>', true, /is no schema registry.*no JSON object/],
    ['JSON of another kind', 200, '{"hello":"world"}', true, /is no schema registry.*without a schema/],
    ['the JSON null', 200, 'null', true, /is no schema registry/],
    ['a list', 200, '[1]', true, /is no schema registry/],
    ['nothing', 204, '', true, /is no schema registry/],
    ['too much', 200, `{"schema":"${'x'.repeat(2_000)}"}`, true, /more than 1000 bytes/],
    ['404 for everything', 404, '', true, /is no schema registry: it answered with status 404/],
    ['404 with JSON of its own', 404, '{"message":"No such route"}', true, /status 404 and no error code/],
    ['a redirect', 302, '', true, /sends us elsewhere/],
    ['401', 401, '', true, /does not know us/],
    [
      '403',
      403,
      '{"error_code":40301,"message":"Not\\u0000 for \\n you"}',
      true,
      /status 403\): Not for you$/,
    ],
    ['500 with the JSON null', 500, 'null', false, /cannot answer now \(status 500\)$/],
    ['503 without a body', 503, '', false, /cannot answer now \(status 503\)/],
    ['503 with a page', 503, '<h1>busy</h1>', false, /cannot answer now \(status 503\)$/],
    ['429', 429, '{"error_code":42901,"message":"slower"}', false, /status 429\): slower/],
    ['an error of its own', 422, '{"error_code":42201,"message":"bad"}', true, /refused.*42201\): bad/],
    ['a conflict', 409, '{"error_code":0,"message":"already exists"}', false, /already exists/],
  ])('%s', async (_, status, body, lasting, words) => {
    const registry = await answering((_request, answer) => {
      answer.writeHead(status, status === 302 ? { location: 'http://127.0.0.1:1/' } : {});
      answer.end(body);
    });
    const failure = await failureOf(registry.schemaOf(1));
    expect({ lasting: failure.lasting, message: failure.message }).toEqual({
      lasting,
      message: expect.stringMatching(words) as string,
    });
    expect(failure.remedy).toMatch(/SCHEMA_REGISTRY_/);
  });

  test.each<[string, string]>([
    ['no id', '{}'],
    ['a text for it', '{"id":"7"}'],
    ['one beyond the wire format', '{"id":2147483648}'],
    ['zero', '{"id":0}'],
  ])('a registration answered with %s', async (_, body) => {
    const registry = await answering((_request, answer) => void answer.end(body));
    expect((await failureOf(registry.register('s', 'string'))).message).toContain('is no schema registry');
  });

  test.each<[string, RequestListener]>([
    [
      'in the middle of its answer',
      (_, answer) => {
        answer.writeHead(200, { 'content-length': 500 });
        answer.write('{"schema":', () => answer.destroy());
      },
    ],
    ['before its answer', (_, answer) => void answer.destroy()],
  ])('it closes the connection %s', async (_, listener) => {
    const failure = await failureOf((await answering(listener)).schemaOf(1));
    expect({ lasting: failure.lasting, message: failure.message }).toEqual({
      lasting: false,
      message: 'closed the connection before it had answered',
    });
  });

  test.each<[string, RequestListener]>([
    ['never answers', () => {}],
    ['never ends its answer', (_, answer) => void answer.write('{')],
  ])('it %s', async (_, listener) => {
    const port = await listen(createServer(listener));
    const failure = await failureOf(api(`http://127.0.0.1:${port}`, { requestMsMax: 50 }).schemaOf(1));
    expect({ lasting: failure.lasting, message: failure.message }).toEqual({
      lasting: false,
      message: 'did not answer within 50 ms',
    });
  });

  test('it does not speak HTTP', async () => {
    const port = await listen(createTcpServer((socket) => void socket.resume().end('SSH-2.0-OpenSSH\r\n')));
    const failure = await failureOf(api(`http://127.0.0.1:${port}`).schemaOf(1));
    expect(failure).toMatchObject({ lasting: true, message: expect.stringContaining('HTTP') as string });
  });

  test('nobody listens', async () => {
    const port = await listen(createServer());
    await new Promise((resolve) => servers.pop()?.close(resolve));
    const failure = await failureOf(api(`http://127.0.0.1:${port}`).schemaOf(1));
    expect(failure).toMatchObject({ lasting: false, message: 'refuses the connection' });
  });

  test('nobody has the name', async () => {
    const failure = await failureOf(api('http://registry.invalid').schemaOf(1));
    expect(failure).toMatchObject({
      lasting: false,
      message: expect.stringContaining('host name') as string,
    });
  });
});

describe('over TLS', () => {
  test.each<[string, () => Server, RegExp]>([
    [
      'a certificate nobody vouches for',
      () => createTlsServer({ cert: CERTIFICATE, key: KEY }),
      /SELF_SIGNED_CERT/,
    ],
    ['no TLS at all', () => createServer(), /TLS \(ERR_SSL_|EPROTO/],
  ])('%s', async (_, server, words) => {
    const failure = await failureOf(api(`https://127.0.0.1:${await listen(server())}`).schemaOf(1));
    expect(failure).toMatchObject({
      lasting: true,
      message: expect.stringMatching(words) as string,
      remedy: expect.stringContaining('NODE_EXTRA_CA_CERTS') as string,
    });
  });
});

test('what the registry repeats of our password is not told', async () => {
  const url = `http://127.0.0.1:${await listen(
    createServer((request, answer) => {
      answer.writeHead(403);
      const token = request.headers.authorization ?? '';
      const said = `${token} ${Buffer.from(token.slice(6), 'base64').toString()}`;
      answer.end(JSON.stringify({ error_code: 40301, message: said }));
    }),
  )}`;
  const { message } = await failureOf(api(url, { password: 's3cret' }).schemaOf(1));
  expect(message).toContain('Basic *** ann:***');
});

test('stopped, it does not wait for the answer', async () => {
  const stop = new AbortController();
  const port = await listen(createServer(() => stop.abort()));
  const failure = await failureOf(api(`http://127.0.0.1:${port}`, { signal: stop.signal }).schemaOf(1));
  expect(failure.message).toBe('was not waited for any longer');
});

test('a schema that refers to others is not taken for a whole one', async () => {
  const body = { schema: '{}', references: [{ name: 'a', subject: 'b', version: 1 }] };
  const registry = await answering((_, answer) => void answer.end(JSON.stringify(body)));
  expect(await registry.schemaOf(1)).toEqual({ unreadable: expect.stringContaining('refers') as string });
});

test('the short form of a schema is read', async () => {
  const registry = await answering((_, answer) => void answer.end(JSON.stringify({ schema: '"string"' })));
  expect(await registry.schemaOf(1)).toEqual({ schema: 'string' });
});
