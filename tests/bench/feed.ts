/**
 * Fan-out of the feed to 1,000 clients, against a bare `ws` broadcast of the same bytes in the same run: what matching,
 * numbering and looking after slow clients cost. The clients are in a process of their own.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { createFeed } from '../../src/adapters/websocket/feed.ts';
import { forecastView } from '../../src/adapters/websocket/forecast-view.ts';
import { createLatest } from '../../src/adapters/websocket/latest.ts';
import { DEFAULT_CONFIG } from '../../src/config.ts';
import { HOUR_MS } from '../../src/sales/durations.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';
import { forecastMessage } from '../adapters/websocket/forecast-messages.ts';
import type { ClientsOrder } from './feed-clients.ts';

const CLIENTS = 1_000;
/** Small enough that nobody falls behind: all clients get all messages, as in the bare broadcast. */
const MESSAGES_PER_ROUND = 4;
const HORIZON = 48;
const REPEATS = 3;

type Broadcast = {
  readonly port: number;
  /** Sends one message to all; returns its length. */
  send(): number;
  close(): Promise<void>;
};

export async function benchFanOut({ quick }: { readonly quick: boolean }): Promise<void> {
  const rounds = quick ? 10 : 50;
  const clients = fork(fileURLToPath(new URL('feed-clients.ts', import.meta.url)));
  try {
    const rates: { bare: number[]; feed: number[] } = { bare: [], feed: [] };
    for (let n = 0; n < REPEATS; n += 1) {
      rates.bare.push(await measure(clients, await bareBroadcast(), { rounds, subscribe: false }));
      rates.feed.push(await measure(clients, await feedBroadcast(), { rounds, subscribe: true }));
    }
    const [bare, feed] = [median(rates.bare), median(rates.feed)];
    const shown = (rate: number) => `${Math.round(rate).toLocaleString('en')} messages/s delivered`;
    console.log(
      `feed: ${CLIENTS} clients, forecasts of ${HORIZON} steps (${message().length} bytes), median of ${REPEATS}`,
    );
    console.log(`  bare ws broadcast   ${shown(bare)}`);
    console.log(`  the feed            ${shown(feed)}`);
    console.log(`  ratio               ${(feed / bare).toFixed(2)} (goal: at least 0.80)`);
  } finally {
    clients.kill();
  }
}

/** Messages delivered a second, all clients together. */
async function measure(
  clients: ChildProcess,
  broadcast: Broadcast,
  options: { rounds: number; subscribe: boolean },
): Promise<number> {
  await order(clients, {
    do: 'connect',
    port: broadcast.port,
    clients: CLIENTS,
    subscribe: options.subscribe,
  });
  const round = async () => {
    let bytes = 0;
    for (let n = 0; n < MESSAGES_PER_ROUND; n += 1) bytes += framed(broadcast.send());
    await order(clients, { do: 'await', bytes: bytes * CLIENTS });
  };
  await round();
  const startMs = performance.now();
  for (let n = 0; n < options.rounds; n += 1) await round();
  const seconds = (performance.now() - startMs) / 1000;
  await broadcast.close();
  return (options.rounds * MESSAGES_PER_ROUND * CLIENTS) / seconds;
}

async function order(clients: ChildProcess, what: ClientsOrder): Promise<void> {
  const answer = once(clients, 'message');
  clients.send(what);
  await answer;
}

async function feedBroadcast(): Promise<Broadcast> {
  const latest = createLatest({ seriesMax: 10, onDropped: () => {} });
  const telemetry = createTelemetry({ level: 'silent' });
  const feed = createFeed({ config: { ...DEFAULT_CONFIG.feed, pingEveryMs: HOUR_MS }, telemetry, latest });
  const view = forecastView(forecastMessage({ horizon: HORIZON }));
  let seq = 0;
  const { port, close } = await serve((request, socket, head) => feed.accept(request, socket, head));
  return {
    port,
    send() {
      seq += 1;
      // As in life: every message is made into JSON once.
      feed.publish({ type: 'forecast', series: view, key: view.series, body: () => JSON.stringify(view) });
      return `{"type":"forecast","seq":${seq},`.length + message().length - 1;
    },
    async close() {
      await feed.close();
      await close();
    },
  };
}

async function bareBroadcast(): Promise<Broadcast> {
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const text = message();
  const { port, close } = await serve((request, socket, head) =>
    server.handleUpgrade(request, socket, head, (ws) => server.emit('connection', ws, request)),
  );
  return {
    port,
    send() {
      const bytes = Buffer.from(text);
      for (const client of server.clients) client.send(bytes, { binary: false });
      return bytes.length;
    },
    async close() {
      for (const client of server.clients) client.terminate();
      await close();
    },
  };
}

async function serve(onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void) {
  const server = createServer();
  server.on('upgrade', onUpgrade);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, close: () => new Promise<void>((resolve) => void server.close(() => resolve())) };
}

function message(): string {
  return JSON.stringify(forecastView(forecastMessage({ horizon: HORIZON })));
}

/** Length on the wire: a frame's head has 2, 4 or 10 bytes. */
function framed(length: number): number {
  return length + (length < 126 ? 2 : length < 65_536 ? 4 : 10);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}
