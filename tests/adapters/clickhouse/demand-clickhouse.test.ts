import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createSocketServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../../src/adapters/clickhouse/client.ts';
import { demandClickHouse } from '../../../src/adapters/clickhouse/demand-clickhouse.ts';
import { DEFAULT_CONFIG } from '../../../src/config.ts';

const LIMITS = { pingMsMax: 2_000 };

/** Answers everything with the same; counts. */
async function startServer(status: number, body: string): Promise<{ url: string; asked: () => number }> {
  let asked = 0;
  const server = createServer((_request, response) => {
    asked += 1;
    response.writeHead(status, { location: '/elsewhere' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked: () => asked };
}

test.each([
  ['a page', 200, '<html>', 'HTTP status 200 and something else than "Ok."'],
  ['nothing', 200, '', 'HTTP status 200 and something else than "Ok."'],
  ['a page not found', 404, '', 'HTTP status 404'],
  ['the port of another protocol', 400, 'Port 9000 is for clickhouse-client program', 'HTTP status 400'],
  ['another address', 301, '', 'HTTP status 301'],
])('who answers with %s is no ClickHouse', async (_name, status, body, said) => {
  const { url } = await startServer(status, body);
  await expect(demandClickHouse(url, LIMITS)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: `What answers at ${url} is no ClickHouse: to /ping it says ${said}.`,
    remedy: expect.stringContaining('--store-url'),
  });
});

test.each([
  ['ClickHouse does', 200, 'Ok.\n'],
  ['a proxy does whose server is only starting', 503, ''],
  ['a proxy does that wants to know us', 401, ''],
])('who answers as %s may be one', async (_name, status, body) => {
  const { url, asked } = await startServer(status, body);
  await demandClickHouse(url, LIMITS);
  expect(asked()).toBe(1);
});

test('who does not answer may be one that is only starting', async () => {
  const sockets = createSocketServer((socket) => socket.on('error', () => {}).resume());
  await new Promise<void>((resolve) => sockets.listen(0, '127.0.0.1', resolve));
  const { port } = sockets.address() as AddressInfo;
  onTestFinished(() => void sockets.close());
  await demandClickHouse(`http://127.0.0.1:${port}`, { pingMsMax: 50 });
  await demandClickHouse('http://127.0.0.1:1', LIMITS);
});

test('a store that is no ClickHouse is told of without a second try', async () => {
  const { url, asked } = await startServer(404, '');
  const retries: number[] = [];
  const opening = openStore({
    url,
    limits: DEFAULT_CONFIG.store,
    onRetry: ({ attempt }) => retries.push(attempt),
  });
  await expect(opening).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('is no ClickHouse'),
  });
  expect([asked(), retries]).toEqual([1, []]);
});

test('at the start nothing is said of what was sent: there is nothing yet', async () => {
  const { url } = await startServer(503, '');
  // The pause before a second attempt would be longer than all attempts may take.
  const limits = {
    ...DEFAULT_CONFIG.store,
    requestsMsMax: 4_000,
    retryDelayMs: 60_000,
    retryDelayMsMax: 60_000,
  };
  await expect(openStore({ url, limits })).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringMatching(/the last: an answer without a word\.$/),
    remedy: 'Check that it runs and can be reached at this address (CLICKHOUSE_URL or --store-url).',
  });
});
