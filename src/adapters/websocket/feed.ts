/**
 * The WebSocket feed: `subscribe` → `snapshot` in parts, then `forecast`, `nowcast`, `alert` and `status` messages
 * with a rising `seq`. A message is made into bytes once, whoever gets it; clients with the same filter are matched
 * together. `seq` counts the messages of this process, whose name is the `epoch`: with both a client resumes.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import type { Config } from '../../config.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import { createFeedClient } from './feed-client.ts';
import type { FeedClient } from './feed-client.ts';
import { matches, parseClientMessage } from './feed-protocol.ts';
import type { ClientMessage, FeedErrorCode, FeedFilter } from './feed-protocol.ts';
import { createFeedRing } from './feed-ring.ts';
import type { FeedMessage } from './feed-ring.ts';
import type { SeriesView } from './forecast-view.ts';
import type { Latest } from './latest.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';
import { replayOf, snapshotOf } from './feed-opening.ts';

export type FeedDeps = {
  readonly config: Config['feed'];
  readonly telemetry: Telemetry;
  readonly latest: Latest;
};

export type OutgoingFeedMessage = {
  readonly type: 'forecast' | 'nowcast' | 'score' | 'alert' | 'status';
  /** Whom it concerns; null: everyone. */
  readonly series: SeriesView | null;
  /** A later message with the same key makes this one worthless; null: never. */
  readonly key: string | null;
  /** A JSON object with at least one field. */
  readonly body: () => string;
};

export type Feed = {
  publish(message: OutgoingFeedMessage): void;
  /** Takes over a connection that has been authorised. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  readonly clients: number;
  readonly epoch: string;
  close(): Promise<void>;
};

type Channel = { readonly filter: FeedFilter; readonly clients: Set<FeedClient> };
type Connection = { readonly ws: WebSocket; readonly client: FeedClient; alive: boolean; messages: number };

const CHECK_EVERY_MS = 1_000;

export function createFeed(deps: FeedDeps): Feed {
  const { config, latest } = deps;
  const { events } = deps.telemetry;
  const epoch = randomUUID();
  const ring = createFeedRing(config.resumeMessagesMax);
  const channels = new Map<string, Channel>();
  const connections = new Set<Connection>();
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: config.messageBytesMax,
  });
  const sent = { messages: 0, bytes: 0, coalesced: 0 };

  const report = () => {
    if (sent.messages > 0) events.feedSent({ messages: sent.messages, bytes: sent.bytes });
    if (sent.coalesced > 0) events.feedCoalesced({ messages: sent.coalesced });
    Object.assign(sent, { messages: 0, bytes: 0, coalesced: 0 });
  };

  const snapshot = (id: string, filter: FeedFilter) =>
    snapshotOf({ id, epoch, seq: ring.lastSeq, filter, latest });

  const enter = (client: FeedClient, filter: FeedFilter) => {
    const key = JSON.stringify(filter);
    const channel = channels.get(key) ?? { filter, clients: new Set() };
    channels.set(key, channel);
    channel.clients.add(client);
  };

  const leave = (client: FeedClient, filter: FeedFilter) => {
    const key = JSON.stringify(filter);
    const channel = channels.get(key);
    const isShared = [...client.subscriptions.values()].some((other) => JSON.stringify(other.filter) === key);
    if (channel === undefined || isShared) return;
    channel.clients.delete(client);
    if (channel.clients.size === 0) channels.delete(key);
  };

  const unsubscribe = (client: FeedClient, id: string) => {
    const subscription = client.subscriptions.get(id);
    client.unsubscribe(id);
    if (subscription !== undefined) leave(client, subscription.filter);
  };

  const subscribe = (client: FeedClient, message: Extract<ClientMessage, { type: 'subscribe' }>) => {
    const { id, filter, resume } = message;
    unsubscribe(client, id);
    if (client.subscriptions.size >= config.subscriptionsPerClientMax) {
      events.feedRefused({ reason: 'too_many_subscriptions' });
      const most = config.subscriptionsPerClientMax;
      client.reply(
        errorText('TOO_MANY_SUBSCRIPTIONS', `A connection has at most ${most} subscriptions.`, id),
      );
      return;
    }
    const canResume =
      resume !== null &&
      resume.epoch === epoch &&
      resume.seq <= ring.lastSeq &&
      (resume.seq === ring.lastSeq || ring.at(resume.seq + 1) !== undefined);
    const opening = canResume
      ? replayOf({ id, epoch, filter, ring, fromSeq: resume.seq, toSeq: ring.lastSeq })
      : snapshot(id, filter);
    enter(client, filter);
    client.subscribe(id, filter, opening);
  };

  const receive = (connection: Connection, data: Buffer, isBinary: boolean) => {
    connection.messages += 1;
    if (connection.messages > config.messagesPerSecondMax) return connection.client.drop('protocol');
    const parsed = parseClientMessage(isBinary ? '' : data.toString('utf8'));
    if (!parsed.ok) {
      events.feedRefused({ reason: 'bad_message' });
      connection.client.reply(errorText(parsed.code, parsed.message));
    } else if (parsed.message.type === 'subscribe') subscribe(connection.client, parsed.message);
    else unsubscribe(connection.client, parsed.message.id);
  };

  const connect = (ws: WebSocket, socket: Duplex) => {
    const client = createFeedClient({
      ws,
      ring,
      bufferedBytesMax: config.bufferedBytesMax,
      stallMsMax: config.stallMsMax,
      nowMs: () => performance.now(),
      snapshot,
      onSent(bytes) {
        sent.messages += 1;
        sent.bytes += bytes;
      },
      onCoalesced: () => void (sent.coalesced += 1),
      onResync: () => events.feedResynced(),
      onDropped: (reason, bufferedBytes) => events.feedClientDropped({ reason, bufferedBytes }),
    });
    const connection: Connection = { ws, client, alive: true, messages: 0 };
    connections.add(connection);
    events.feedClientsCounted({ clients: connections.size });
    socket.on('drain', () => client.drained());
    ws.on('pong', () => void (connection.alive = true));
    ws.on('message', (data, isBinary) => receive(connection, data as Buffer, isBinary));
    // A message that is too long or no WebSocket frame: ws closes with the standard's code by itself.
    ws.on('error', () => events.feedRefused({ reason: 'bad_message' }));
    ws.on('close', () => {
      for (const id of client.subscriptions.keys()) unsubscribe(client, id);
      for (const [key, channel] of channels)
        if (channel.clients.delete(client) && channel.clients.size === 0) channels.delete(key);
      connections.delete(connection);
      events.feedClientsCounted({ clients: connections.size });
    });
  };

  const checks = setInterval(() => {
    for (const connection of connections) {
      connection.messages = 0;
      connection.client.check(performance.now());
    }
    report();
  }, CHECK_EVERY_MS);
  const pings = setInterval(() => {
    for (const connection of connections) {
      if (!connection.alive) connection.client.drop('no_pong');
      connection.alive = false;
      connection.ws.ping();
    }
  }, config.pingEveryMs);

  return {
    publish(outgoing) {
      const message: FeedMessage = ring.append(outgoing);
      const { series } = outgoing;
      for (const { filter, clients } of channels.values())
        if (series === null || matches(filter, series)) for (const client of clients) client.offer(message);
    },
    accept(request, socket, head) {
      if (connections.size >= config.clientsMax) {
        events.feedRefused({ reason: 'too_many_clients' });
        refuseUpgrade(socket, 503, 'Service Unavailable');
        return;
      }
      server.handleUpgrade(request, socket, head, (ws) => connect(ws, socket));
    },
    get clients() {
      return connections.size;
    },
    epoch,
    async close() {
      clearInterval(checks);
      clearInterval(pings);
      const closed = [...connections].map(
        ({ ws }) => new Promise<void>((resolve) => void ws.once('close', () => resolve())),
      );
      for (const { client } of connections) client.drop('shutdown');
      await Promise.all(closed);
      report();
    },
  };
}

function errorText(code: FeedErrorCode, message: string, id?: string): string {
  return JSON.stringify({ type: 'error', code, message, ...(id === undefined ? {} : { id }) });
}
