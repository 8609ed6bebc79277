/**
 * Refused records on their way to their topic's dead letters, as schemas/topics/dead-letter-value.avsc describes them:
 * key, value and headers as they were, and in headers of our own where they came from and why they are here.
 */
import { ForetillError } from '../errors.ts';
import type { Headers, Log, LogRecord, OutgoingRecord, TopicPartition } from '../pipeline/log.ts';
import { holdsCardNumber } from '../sales/card-data.ts';

export type Refusal = {
  readonly stage: 'decode' | 'parse';
  readonly reason: string;
  readonly message: string;
};

/** The headers that a dead letter adds, by what they tell. */
export const LETTER_HEADERS = {
  topic: 'foretill-topic',
  partition: 'foretill-partition',
  offset: 'foretill-offset',
  timestamp: 'foretill-timestamp',
  stage: 'foretill-stage',
  reason: 'foretill-reason',
  error: 'foretill-error',
  /** Why the value is missing: `card_data` or `too_large`. */
  omitted: 'foretill-omitted',
  omittedBytes: 'foretill-omitted-bytes',
} as const;

/** How often a record has been put back from the dead letters; it stays with the record. */
export const REPLAYS_HEADER = 'foretill-replays';

/** What is cut at: with it our headers stay below 8 KiB. */
const ERROR_BYTES_MAX = 4_096;
/** A key longer than this is left out together with a value that is too large. */
const KEPT_KEY_BYTES_MAX = 1_024;

/**
 * Card numbers are the one thing that is not kept: such a letter has no value, and none of the keys and headers that
 * hold one too; it can be fetched again only from its sender.
 */
export function deadLetter(place: TopicPartition, record: LogRecord, refusal: Refusal): OutgoingRecord {
  const ours = ourHeaders(place, record, refusal);
  if (refusal.reason !== 'card_data')
    return { key: record.key, value: record.value, headers: { ...record.headers, ...ours } };
  return {
    key: record.key === null || holdsCardNumber(record.key.toString()) ? null : record.key,
    value: null,
    headers: { ...withoutCardNumbers(record.headers), ...ours, ...omission('card_data', record.value) },
  };
}

/**
 * Resolves when the letters are durable. A letter that its topic does not take because it is too large goes without its
 * value and the headers it came with: it still says where they lie (topic, partition, offset), as long as they do.
 */
export async function appendDeadLetters(
  log: Pick<Log, 'append'>,
  topic: string,
  letters: readonly OutgoingRecord[],
): Promise<void> {
  try {
    await log.append(topic, letters);
  } catch (error) {
    if (!(error instanceof ForetillError) || error.code !== 'INPUT_INVALID') throw error;
    const [only] = letters;
    if (letters.length > 1) for (const letter of letters) await appendDeadLetters(log, topic, [letter]);
    else if (only?.headers === undefined || LETTER_HEADERS.omitted in only.headers) throw error;
    else await log.append(topic, [withoutValue(only, only.headers)]);
  }
}

function withoutValue({ key, value }: OutgoingRecord, headers: Headers): OutgoingRecord {
  const names = new Set<string>([...Object.values(LETTER_HEADERS), REPLAYS_HEADER]);
  const ours = Object.fromEntries(Object.entries(headers).filter(([name]) => names.has(name)));
  return {
    key: key !== null && key.length <= KEPT_KEY_BYTES_MAX ? key : null,
    value: null,
    headers: { ...ours, ...omission('too_large', value) },
  };
}

function ourHeaders(
  { topic, partition }: TopicPartition,
  { offset, timestampMs }: LogRecord,
  { stage, reason, message }: Refusal,
): Headers {
  return {
    [LETTER_HEADERS.topic]: text(topic),
    [LETTER_HEADERS.partition]: text(partition),
    [LETTER_HEADERS.offset]: text(offset),
    [LETTER_HEADERS.timestamp]: text(timestampMs),
    [LETTER_HEADERS.stage]: text(stage),
    [LETTER_HEADERS.reason]: text(reason),
    [LETTER_HEADERS.error]: cut(text(message)),
  };
}

function omission(why: 'card_data' | 'too_large', value: Buffer | null): Headers {
  return {
    [LETTER_HEADERS.omitted]: text(why),
    [LETTER_HEADERS.omittedBytes]: text(value?.length ?? 0),
  };
}

function withoutCardNumbers(headers: Headers): Headers {
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name, value]) => !holdsCardNumber(name) && !holdsCardNumber(value.toString()),
    ),
  );
}

function text(value: string | number): Buffer {
  return Buffer.from(String(value));
}

/** Whole characters, and a sign that there was more. */
function cut(bytes: Buffer): Buffer {
  if (bytes.length <= ERROR_BYTES_MAX) return bytes;
  const more = Buffer.from('…');
  let end = ERROR_BYTES_MAX - more.length;
  while (((bytes[end] as number) & 0xc0) === 0x80) end -= 1;
  return Buffer.concat([bytes.subarray(0, end), more]);
}
