/**
 * The last messages of the feed, numbered from 1 without a gap. Clients that are behind read on from here, so a slow
 * client costs a number and no memory of its own. A message that a later one with the same key replaces stays for
 * those who resume, and is marked for those who only want to catch up.
 */
import type { SeriesView } from './forecast-view.ts';

export type FeedMessage = {
  readonly seq: number;
  /** Null: concerns every subscriber. */
  readonly series: SeriesView | null;
  /** UTF-8 text of the whole message, the same for all clients. */
  readonly bytes: () => Buffer;
  replaced: boolean;
};

export type FeedRing = {
  append(message: {
    type: string;
    series: SeriesView | null;
    key: string | null;
    body: () => string;
  }): FeedMessage;
  /** Undefined when it has left the ring or is not there yet. */
  at(seq: number): FeedMessage | undefined;
  readonly lastSeq: number;
};

/** `body` gives a JSON object; type and number are put before its fields. */
export function createFeedRing(messagesMax: number): FeedRing {
  const slots: (FeedMessage | undefined)[] = [];
  const latestOfKey = new Map<string, FeedMessage>();
  const keys: (string | null)[] = [];
  let lastSeq = 0;

  return {
    append({ type, series, key, body }) {
      lastSeq += 1;
      const seq = lastSeq;
      const slot = seq % messagesMax;
      forget(slot);
      let bytes: Buffer | null = null;
      const message: FeedMessage = {
        seq,
        series,
        bytes: () => (bytes ??= Buffer.from(`{"type":"${type}","seq":${seq},${body().slice(1)}`)),
        replaced: false,
      };
      slots[slot] = message;
      keys[slot] = key;
      if (key !== null) {
        const earlier = latestOfKey.get(key);
        if (earlier !== undefined) earlier.replaced = true;
        latestOfKey.set(key, message);
      }
      return message;
    },
    at(seq) {
      const message = slots[seq % messagesMax];
      return message?.seq === seq ? message : undefined;
    },
    get lastSeq() {
      return lastSeq;
    },
  };

  function forget(slot: number): void {
    const key = keys[slot];
    if (key !== null && key !== undefined && latestOfKey.get(key) === slots[slot]) latestOfKey.delete(key);
  }
}
