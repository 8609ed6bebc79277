/** A record of a dead-letter topic, read: what was refused, and what its headers say of it. */
import type { Headers, LogRecord, OutgoingRecord, TopicPartition } from '../../pipeline/log.ts';
import { LETTER_HEADERS, REPLAYS_HEADER } from '../../roles/dead-letter.ts';

/** Where a record lies. */
export type Place = TopicPartition & { readonly offset: number };

/** Its place is in the dead-letter topic, its `origin` where it was refused. Buffers may be views of a larger one. */
export type Letter = Place & {
  /** When it was refused. */
  readonly refusedAtMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Headers;
  /** What the headers do not say, or say in a way that is none, is null: others may write to the topic. */
  readonly origin: {
    readonly topic: string;
    readonly partition: number | null;
    readonly offset: number | null;
    readonly timestampMs: number | null;
  };
  readonly stage: string;
  readonly reason: string;
  readonly error: string;
  /** Why there is no value: `card_data`, `too_large`. Null: nothing is missing. */
  readonly omitted: string | null;
  /** How often it had been put back before it was refused this time. */
  readonly replays: number;
};

const UNKNOWN = 'unknown';

export function readLetter({ topic, partition }: TopicPartition, record: LogRecord): Letter {
  const { offset, timestampMs, key, value, headers } = record;
  const text = (name: string): string | null => headers[name]?.toString() ?? null;
  return {
    topic,
    partition,
    offset,
    refusedAtMs: timestampMs,
    key,
    value,
    headers,
    origin: {
      topic: text(LETTER_HEADERS.topic) ?? topic.replace(/\.dlq$/, ''),
      partition: numberOf(text(LETTER_HEADERS.partition)),
      offset: numberOf(text(LETTER_HEADERS.offset)),
      timestampMs: numberOf(text(LETTER_HEADERS.timestamp)),
    },
    stage: text(LETTER_HEADERS.stage) ?? UNKNOWN,
    reason: text(LETTER_HEADERS.reason) ?? UNKNOWN,
    error: text(LETTER_HEADERS.error) ?? '',
    omitted: text(LETTER_HEADERS.omitted),
    replays: numberOf(text(REPLAYS_HEADER)) ?? 0,
  };
}

/** The headers that the record had when it was refused. */
export function originalHeaders(headers: Headers): Headers {
  const added = new Set<string>(Object.values(LETTER_HEADERS));
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !added.has(name)));
}

/**
 * The refused record as it goes back, with one more `foretill-replays`. To the partition it was in (writers choose
 * theirs in their own ways), or where the topic no longer has that, to the one of its key. Its time is when it is put
 * back: whether a ticket's time is possible is judged by that, and so is how long it is kept.
 */
export function originalRecord(letter: Letter, partitions: number): OutgoingRecord {
  const { key, value, headers, replays, origin } = letter;
  const known = origin.partition !== null && origin.partition < partitions;
  return {
    key,
    value,
    headers: { ...originalHeaders(headers), [REPLAYS_HEADER]: Buffer.from(String(replays + 1)) },
    ...(known ? { partition: origin.partition } : {}),
  };
}

function numberOf(text: string | null): number | null {
  if (text === null || !/^\d{1,15}$/.test(text)) return null;
  return Number(text);
}
