/**
 * One client of the feed. While it takes what it is sent it is `live` and costs nothing but the sends. When more than
 * the allowed bytes wait in its socket, nothing more is written; once they are gone it catches up from the ring with
 * the latest of each series, or with a fresh snapshot when the ring has moved on. What it does not take in time ends
 * its connection. Nothing is ever queued for a client.
 */
import type { WebSocket } from 'ws';
import type { FeedDropReason } from '../../telemetry/events.ts';
import type { FeedFilter } from './feed-protocol.ts';
import { matches } from './feed-protocol.ts';
import type { FeedMessage, FeedRing } from './feed-ring.ts';

type Subscription = {
  readonly filter: FeedFilter;
  /** What its snapshot contains; only later messages concern it. */
  readonly fromSeq: number;
};

export type FeedClient = {
  readonly subscriptions: ReadonlyMap<string, Subscription>;
  /** A message that concerns this client has just been put into the ring. */
  offer(message: FeedMessage): void;
  /** Sends `opening` (a snapshot, or what was missed), then what came since. Replaces a subscription of this id. */
  subscribe(id: string, filter: FeedFilter, opening: Iterator<Buffer>): void;
  unsubscribe(id: string): void;
  /** An answer to this client alone. */
  reply(text: string): void;
  /** The socket has room again. */
  drained(): void;
  /** Called every second: ends the connection of a client that takes nothing. */
  check(nowMs: number): void;
  drop(reason: FeedDropReason): void;
};

export type FeedClientDeps = {
  readonly ws: WebSocket;
  readonly ring: FeedRing;
  readonly bufferedBytesMax: number;
  readonly stallMsMax: number;
  readonly nowMs: () => number;
  readonly snapshot: (id: string, filter: FeedFilter) => Iterator<Buffer>;
  readonly onSent: (bytes: number) => void;
  readonly onCoalesced: () => void;
  readonly onResync: () => void;
  readonly onDropped: (reason: FeedDropReason, bufferedBytes: number) => void;
};

/** Close codes of our own; the standard ones are in RFC 6455. */
const CLOSE_CODES: Readonly<Record<FeedDropReason, number>> = {
  too_slow: 4008,
  no_pong: 4000,
  shutdown: 1001,
  protocol: 1008,
};
const RESYNCS_MAX = 3;
const CLOSE_GRACE_MS = 1_000;

export function createFeedClient(deps: FeedClientDeps): FeedClient {
  const { ws, ring } = deps;
  const subscriptions = new Map<string, Subscription>();
  let openings: Iterator<Buffer>[] = [];
  let live = true;
  let slow = false;
  let cursor = 0;
  let offeredSeq = 0;
  let stalledSinceMs: number | null = null;
  let resyncs = 0;

  const hasRoom = () => ws.readyState === ws.OPEN && ws.bufferedAmount < deps.bufferedBytesMax;

  const send = (bytes: Buffer) => {
    ws.send(bytes, { binary: false });
    deps.onSent(bytes.length);
  };

  const fallBehind = (fromSeq: number) => {
    live = false;
    slow = true;
    cursor = fromSeq;
    stalledSinceMs ??= deps.nowMs();
  };

  const wants = (message: FeedMessage): boolean => {
    const { series, seq } = message;
    for (const { filter, fromSeq } of subscriptions.values())
      if (seq > fromSeq && (series === null || matches(filter, series))) return true;
    return false;
  };

  const resync = () => {
    resyncs += 1;
    if (resyncs > RESYNCS_MAX) return drop('too_slow');
    deps.onResync();
    cursor = ring.lastSeq;
    openings = [];
    for (const [id, { filter }] of subscriptions) {
      subscriptions.set(id, { filter, fromSeq: cursor });
      openings.push(deps.snapshot(id, filter));
    }
  };

  const nextOpening = (opening: Iterator<Buffer>) => {
    const { done, value } = opening.next();
    if (done === true) openings.shift();
    else send(value);
  };

  const goLive = () => {
    live = true;
    slow = false;
    resyncs = 0;
  };

  const nextFromRing = () => {
    const message = ring.at(cursor + 1);
    if (message === undefined) return resync();
    cursor += 1;
    if (!wants(message)) return;
    if (slow && message.replaced) deps.onCoalesced();
    else send(message.bytes());
  };

  const pump = () => {
    while (hasRoom()) {
      const opening = openings[0];
      if (opening !== undefined) nextOpening(opening);
      else if (cursor < ring.lastSeq) nextFromRing();
      else return goLive();
    }
    if (ws.readyState === ws.OPEN) fallBehind(cursor);
  };

  const drop = (reason: FeedDropReason) => {
    deps.onDropped(reason, ws.bufferedAmount);
    live = false;
    subscriptions.clear();
    ws.close(CLOSE_CODES[reason], reason);
    setTimeout(() => ws.terminate(), CLOSE_GRACE_MS).unref();
  };

  return {
    subscriptions,
    offer(message) {
      if (!live || offeredSeq === message.seq) return;
      offeredSeq = message.seq;
      if (hasRoom()) send(message.bytes());
      else fallBehind(message.seq - 1);
    },
    subscribe(id, filter, opening) {
      subscriptions.set(id, { filter, fromSeq: ring.lastSeq });
      openings.push(opening);
      if (live) {
        live = false;
        cursor = ring.lastSeq;
      }
      pump();
    },
    unsubscribe: (id) => void subscriptions.delete(id),
    reply(text) {
      if (ws.readyState === ws.OPEN) ws.send(text);
    },
    drained() {
      stalledSinceMs = null;
      if (!live) pump();
    },
    check(nowMs) {
      if (stalledSinceMs !== null && nowMs - stalledSinceMs > deps.stallMsMax) {
        stalledSinceMs = null;
        drop('too_slow');
      }
    },
    drop,
  };
}
