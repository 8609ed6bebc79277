import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { ClientOptions } from 'ws';
import { acceptFeed } from '../../src/adapters/http/accept-feed.ts';
import { createAccess } from '../../src/adapters/http/access.ts';
import type { ListenOptions } from '../../src/adapters/http/access.ts';
import { createFeed } from '../../src/adapters/websocket/feed.ts';
import { createLatest } from '../../src/adapters/websocket/latest.ts';
import { DEFAULT_CONFIG } from '../../src/config.ts';
import type { Config } from '../../src/config.ts';
import type { ForecastMessage } from '../../src/pipeline/messages.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';
import { forecastMessage, nowcastMessage, storeSeries } from '../adapters/websocket/forecast-messages.ts';

const DEADLINE_MS = 15_000;
const TOKEN = 'correct-horse-battery';

type Message = { readonly type: string; readonly seq: number; readonly [key: string]: unknown };

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function startFeed(overrides: Partial<Config['feed']> = {}, listen: Partial<ListenOptions> = {}) {
  const telemetry = createTelemetry({ level: 'silent' });
  const latest = createLatest({ seriesMax: 10_000, onDropped: () => {} });
  const feed = createFeed({ config: { ...DEFAULT_CONFIG.feed, ...overrides }, telemetry, latest });
  const server = createServer();
  const access = createAccess({ host: '127.0.0.1', port: 0, ...listen });
  acceptFeed(server, { feed, access, telemetry });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  closing.push(() => new Promise((resolve) => void server.close(resolve)));
  closing.push(() => feed.close());
  const publish = (message: ForecastMessage) => {
    const change = latest.apply(message);
    if (change === null) throw new Error('the message changed nothing');
    const { series } = change.entry;
    const key = change.kind === 'forecast' ? series.series : `${series.series} ${change.bucket}`;
    feed.publish({ type: change.kind, series, key, body: change.json });
  };
  const metric = async (name: string) => {
    const { text } = await telemetry.metrics.exposition();
    const lines = text.split('\n').filter((line) => line.startsWith(name));
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  };
  return { feed, latest, publish, metric, port };
}

async function until(condition: () => boolean | Promise<boolean>, what: string) {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => void setTimeout(resolve, 5));
  }
}

/** Messages of the server in the order they came. */
async function connect(port: number, options: ClientOptions = {}) {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/feed`, options);
  const messages: Message[] = [];
  const state = { closeCode: null as number | null };
  ws.on('message', (data) => void messages.push(JSON.parse((data as Buffer).toString()) as Message));
  ws.on('close', (code) => void (state.closeCode = code));
  closing.push(async () => ws.terminate());
  await new Promise((resolve, reject) => {
    ws.once('open', resolve);
    ws.once('error', reject);
  });
  const say = (message: unknown) => ws.send(typeof message === 'string' ? message : JSON.stringify(message));
  const wait = async (count: number) => {
    await until(() => messages.length >= count, `${count} messages (there are ${messages.length})`);
    return messages;
  };
  return { ws, messages, state, say, wait };
}

const ORIGIN = Date.UTC(2017, 8, 1);
const storeForecast = (store: string, value = 100, minute = 0) =>
  forecastMessage({
    ...storeSeries(store),
    origin_ms: ORIGIN,
    issued_at_ms: ORIGIN + 86_400_000 + minute * 60_000,
    value,
  });
const of = (messages: readonly Message[], type: string) =>
  messages.filter((message) => message.type === type);

describe('a subscription', () => {
  test('begins with a snapshot and goes on with what matches, its seq rising', async () => {
    const { publish, port } = await startFeed();
    publish(storeForecast('1', 10));
    publish(nowcastMessage({ ...storeSeries('1'), origin_ms: ORIGIN }));
    publish(storeForecast('2', 20));
    const client = await connect(port);
    client.say({ type: 'subscribe', id: 'a', filter: { store: '1' } });
    const [snapshot] = await client.wait(1);
    expect(snapshot).toMatchObject({
      type: 'snapshot',
      id: 'a',
      seq: 3,
      final: true,
      forecasts: [{ series: 'day/revenue/store=1', mean: [10, 10, 10] }],
      nowcasts: [{ sold: 40, mean: 100 }],
    });
    publish(storeForecast('2', 21, 1));
    publish(storeForecast('1', 11, 1));
    publish(
      nowcastMessage({ ...storeSeries('1'), origin_ms: ORIGIN, soldSoFar: 50, issued_at_ms: ORIGIN * 2 }),
    );
    const messages = await client.wait(3);
    expect(messages.slice(1)).toMatchObject([
      { type: 'forecast', seq: 5, series: 'day/revenue/store=1', mean: [11, 11, 11] },
      { type: 'nowcast', seq: 6, sold: 50, mean: 110 },
    ]);
  });

  test('that overlaps another gives each message once', async () => {
    const { publish, feed, port } = await startFeed();
    const client = await connect(port);
    client.say({ type: 'subscribe', id: 'a', filter: {} });
    client.say({ type: 'subscribe', id: 'b', filter: { store: '1' } });
    await client.wait(2);
    publish(storeForecast('1'));
    feed.publish({ type: 'status', series: null, key: 'status', body: () => '{"ok":true}' });
    const messages = await client.wait(4);
    expect(messages.slice(2).map(({ type, seq }) => [type, seq])).toEqual([
      ['forecast', 1],
      ['status', 2],
    ]);
  });

  test('ends with unsubscribe, and under the same id is replaced', async () => {
    const { publish, feed, port } = await startFeed();
    const client = await connect(port);
    client.say({ type: 'subscribe', id: 'a', filter: { store: '1' } });
    client.say({ type: 'subscribe', id: 'a', filter: { store: '2' } });
    client.say({ type: 'subscribe', id: 'b', filter: { store: '3' } });
    client.say({ type: 'unsubscribe', id: 'b' });
    await client.wait(3);
    client.say({ type: 'subscribe', id: 'end', filter: { series: [] } });
    await client.wait(4);
    for (const store of ['1', '2', '3']) publish(storeForecast(store));
    feed.publish({ type: 'status', series: null, key: null, body: () => '{"ok":true}' });
    const messages = await client.wait(6);
    expect(messages.slice(4)).toMatchObject([{ type: 'forecast', store: '2' }, { type: 'status' }]);
  });

  test('of much comes in parts, all of it', async () => {
    const { publish, port } = await startFeed();
    const stores = Array.from({ length: 400 }, (_, index) => String(index));
    for (const store of stores) publish(forecastMessage({ ...storeSeries(store), horizon: 28 }));
    const client = await connect(port);
    client.say({ type: 'subscribe', id: 'a', filter: {} });
    await until(() => client.messages.at(-1)?.['final'] === true, 'the last part');
    const parts = of(client.messages, 'snapshot');
    expect(parts.length).toBeGreaterThan(3);
    expect(parts.map(({ part }) => part)).toEqual(parts.map((_part, index) => index));
    expect(new Set(parts.map(({ seq }) => seq))).toEqual(new Set([400]));
    const names = parts.flatMap(({ forecasts }) =>
      (forecasts as { store: string }[]).map(({ store }) => store),
    );
    expect(names.sort((a, b) => Number(a) - Number(b))).toEqual(stores);
  });
});

describe('resuming', () => {
  async function missed(options: { ring: number; messages: number; seenSeq: number; epoch?: string }) {
    const { publish, feed, port } = await startFeed({ resumeMessagesMax: options.ring });
    for (let n = 1; n <= options.messages; n += 1) publish(storeForecast(n % 2 === 0 ? '2' : '1', n, n));
    const client = await connect(port);
    const resume = { epoch: options.epoch ?? feed.epoch, seq: options.seenSeq };
    client.say({ type: 'subscribe', id: 'a', filter: { store: '1' }, resume });
    client.say({ type: 'subscribe', id: 'end', filter: { series: [] } });
    await until(() => client.messages.some(({ id }) => id === 'end'), 'the end');
    publish(storeForecast('1', 999, 999));
    await until(() => client.messages.at(-1)?.seq === options.messages + 1, 'the next message');
    return client.messages.filter(({ id }) => id !== 'end');
  }

  test('within the ring gives every message missed, then goes on', async () => {
    const messages = await missed({ ring: 100, messages: 9, seenSeq: 4 });
    expect(messages.map(({ type, seq }) => [type, seq])).toEqual([
      ['resumed', 9],
      ['forecast', 5],
      ['forecast', 7],
      ['forecast', 9],
      ['forecast', 10],
    ]);
  });

  const cases: [string, Parameters<typeof missed>[0], string][] = [
    ['where nothing was missed', { ring: 100, messages: 9, seenSeq: 9 }, 'resumed'],
    ['at the very edge of the ring', { ring: 5, messages: 9, seenSeq: 4 }, 'resumed'],
    ['just outside of it: a snapshot', { ring: 5, messages: 9, seenSeq: 3 }, 'snapshot'],
    ['of another process: a snapshot', { ring: 100, messages: 9, seenSeq: 4, epoch: 'other' }, 'snapshot'],
    ['in the future: a snapshot', { ring: 100, messages: 9, seenSeq: 40 }, 'snapshot'],
  ];
  test.each(cases)('%s', async (_, options, type) => {
    expect((await missed(options))[0]?.type).toBe(type);
  });
});

describe('a slow client', () => {
  /** Fills the sockets' own buffers, so that bytes wait on our side. */
  const BIG = forecastMessage({ ...storeSeries('big'), horizon: 2_000 });
  async function stalled(overrides: Partial<Config['feed']>) {
    const started = await startFeed({ bufferedBytesMax: 65_536, ...overrides });
    const client = await connect(started.port);
    client.say({ type: 'subscribe', id: 'a', filter: {} });
    await client.wait(1);
    client.ws.pause();
    let minute = 0;
    const publish = (store: string) => {
      minute += 1;
      started.publish({ ...BIG, ...storeSeries(store), issued_at_ms: ORIGIN + minute * 60_000 });
    };
    return { ...started, client, publish };
  }

  test('gets the latest of each series once it reads on, and what it did not get is counted', async () => {
    const { client, publish, latest, metric } = await stalled({});
    for (let n = 0; n < 100; n += 1) publish(String(n % 3));
    client.ws.resume();
    const lastOf = (store: string) =>
      of(client.messages, 'forecast')
        .filter((message) => message['store'] === store)
        .at(-1)?.['issued_at'];
    const newest = (store: string) => latest.get(`day/revenue/store=${store}`)?.forecast?.view.issued_at;
    await until(
      () => ['0', '1', '2'].every((store) => lastOf(store) === newest(store)),
      'the latest of each',
    );
    expect(of(client.messages, 'forecast').length).toBeLessThan(100);
    const seqs = of(client.messages, 'forecast').map(({ seq }) => seq);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    await until(async () => (await metric('foretill_feed_coalesced_total')) > 0, 'the count');
    expect(client.state.closeCode).toBeNull();
  });

  test('gets a snapshot when the ring has moved on', async () => {
    const { client, publish, metric } = await stalled({ resumeMessagesMax: 20 });
    for (let n = 0; n < 100; n += 1) publish(String(n % 3));
    client.ws.resume();
    await until(
      () => of(client.messages, 'snapshot').filter(({ final }) => final).length === 2,
      'a snapshot',
    );
    const snapshots = of(client.messages, 'snapshot').slice(1);
    expect(snapshots.flatMap(({ forecasts }) => forecasts as unknown[])).toHaveLength(3);
    expect(await metric('foretill_feed_resyncs_total')).toBe(1);
  });

  test('that takes nothing is dropped, and the others do not wait for it', async () => {
    const { client, publish, port, metric, feed } = await stalled({ stallMsMax: 500 });
    const quick = await connect(port);
    quick.say({ type: 'subscribe', id: 'a', filter: {} });
    await quick.wait(1);
    for (let n = 0; n < 100; n += 1) {
      publish(String(n % 3));
      await quick.wait(n + 2);
    }
    expect(of(quick.messages, 'forecast')).toHaveLength(100);
    const dropped = 'foretill_feed_dropped_clients_total{reason="too_slow"}';
    await until(async () => (await metric(dropped)) === 1, 'the drop');
    await until(() => feed.clients === 1, 'one client left');
    client.ws.resume();
    await until(() => client.state.closeCode !== null, 'the close');
    expect(quick.state.closeCode).toBeNull();
  });
});

describe('limits', () => {
  test('bad messages are answered with a code, and do not end the connection', async () => {
    const { port } = await startFeed();
    const client = await connect(port);
    client.say('{');
    client.say({ type: 'subscribe', id: 'a', filter: { granularity: 'week' } });
    client.ws.send(Buffer.from([1, 2, 3]), { binary: true });
    client.say({ type: 'subscribe', id: 'a' });
    const messages = await client.wait(4);
    expect(messages.map(({ type, code }) => [type, code])).toEqual([
      ['error', 'BAD_JSON'],
      ['error', 'BAD_FILTER'],
      ['error', 'BAD_JSON'],
      ['snapshot', undefined],
    ]);
  });

  test('subscriptions beyond the most are refused, the others stay', async () => {
    const { publish, port } = await startFeed({ subscriptionsPerClientMax: 1 });
    const client = await connect(port);
    client.say({ type: 'subscribe', id: 'a', filter: { store: '1' } });
    client.say({ type: 'subscribe', id: 'b', filter: {} });
    const messages = await client.wait(2);
    expect(messages[1]).toMatchObject({ type: 'error', code: 'TOO_MANY_SUBSCRIPTIONS', id: 'b' });
    publish(storeForecast('1'));
    expect((await client.wait(3))[2]).toMatchObject({ type: 'forecast', store: '1' });
  });

  test('a message that is too long ends the connection with 1009', async () => {
    const { port } = await startFeed();
    const client = await connect(port);
    client.say('x'.repeat(16_385));
    await until(() => client.state.closeCode !== null, 'the close');
    expect(client.state.closeCode).toBe(1009);
  });

  test('messages without end end the connection with 1008', async () => {
    const { port } = await startFeed({ messagesPerSecondMax: 10 });
    const client = await connect(port);
    for (let n = 0; n < 50; n += 1) client.say({ type: 'unsubscribe', id: 'a' });
    await until(() => client.state.closeCode !== null, 'the close');
    expect(client.state.closeCode).toBe(1008);
  });

  test('a client that answers no ping is dropped, one that does stays', async () => {
    const { port, feed } = await startFeed({ pingEveryMs: 100 });
    const deaf = await connect(port, { autoPong: false });
    const well = await connect(port);
    await until(() => deaf.state.closeCode !== null, 'the drop');
    expect(well.state.closeCode).toBeNull();
    await until(() => feed.clients === 1, 'one client left');
  });

  const refused: [string, Partial<Config['feed']>, Partial<ListenOptions>, ClientOptions, number][] = [
    ['too many clients', { clientsMax: 0 }, {}, {}, 503],
    ['a page of another origin', {}, {}, { origin: 'http://evil.example' }, 403],
    ['a page without an origin of its own', {}, {}, { origin: 'null' }, 403],
    ['another host name (DNS rebinding)', {}, {}, { headers: { host: 'evil.example' } }, 403],
    ['no token where one is set', {}, { token: TOKEN }, {}, 401],
    ['another token', {}, { token: TOKEN }, { headers: { authorization: 'Bearer no' } }, 401],
  ];
  test.each(refused)('%s: refused', async (_, overrides, listen, options, status) => {
    const { port } = await startFeed(overrides, listen);
    await expect(connect(port, options)).rejects.toThrow(`Unexpected server response: ${status}`);
  });

  const welcome: [string, Partial<ListenOptions>, (port: number) => ClientOptions][] = [
    ['a page of this server', {}, (port) => ({ origin: `http://127.0.0.1:${port}` })],
    ['a program without an origin', {}, () => ({})],
    ['the token', { token: TOKEN }, () => ({ headers: { authorization: `Bearer ${TOKEN}` } })],
  ];
  test.each(welcome)('%s: welcome', async (_, listen, options) => {
    const { port } = await startFeed({}, listen);
    const client = await connect(port, options(port));
    client.say({ type: 'subscribe', id: 'a' });
    expect((await client.wait(1))[0]?.type).toBe('snapshot');
  });

  test('closing tells the clients with 1001', async () => {
    const { feed, port } = await startFeed();
    const client = await connect(port);
    await feed.close();
    await until(() => client.state.closeCode !== null, 'the close');
    expect(client.state.closeCode).toBe(1001);
  });
});
