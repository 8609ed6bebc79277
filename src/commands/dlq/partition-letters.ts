/** The letters of one partition one by one, newest or oldest first, reading no more of it than is asked for. */
import type { Log, OffsetRange } from '../../pipeline/log.ts';
import type { LetterFilter } from './filter.ts';
import { readLetter } from './letter.ts';
import type { Letter } from './letter.ts';
import { scan } from './scan.ts';

export type Order = 'newest' | 'oldest';

/** A letter without its buffers: what a list needs of it, small however large the letter is. */
export type LetterEntry = Omit<Letter, 'key' | 'value' | 'headers'> & {
  /** Cut to 256 characters; null: without a key. */
  readonly key: string | null;
  /** Null: without a value. */
  readonly valueBytes: number | null;
};

type Source = {
  readonly log: Pick<Log, 'tail' | 'offsets'>;
  readonly topic: string;
  readonly partition: number;
  readonly range: OffsetRange;
  /** All partitions of the topic: a tail must be told of each where to begin. */
  readonly partitions: readonly number[];
  readonly filter: LetterFilter;
  readonly order: Order;
  /** No more than this many will be asked for. */
  readonly entriesMax: number;
  readonly onRead: (records: number) => void;
};

/** A log is read forwards only: newest first means stretch by stretch, the last one first. */
const STRETCH_OFFSETS = 1_000;
/** Where nothing is found the stretches get longer, up to this. */
const STRETCH_OFFSETS_MAX = 256_000;
const KEY_CHARACTERS_MAX = 256;

export async function* partitionLetters(source: Source): AsyncGenerator<LetterEntry, void, void> {
  const { order, entriesMax } = source;
  let { start, end } = source.range;
  let length = STRETCH_OFFSETS;
  for (let given = 0; start < end && given < entriesMax;) {
    const stretch =
      order === 'newest'
        ? { start: Math.max(start, end - length), end }
        : { start, end: Math.min(end, start + length) };
    const entries = await readStretch(source, stretch, entriesMax - given);
    yield* entries;
    given += entries.length;
    if (order === 'newest') end = stretch.start;
    else start = stretch.end;
    length = entries.length === 0 ? Math.min(4 * length, STRETCH_OFFSETS_MAX) : STRETCH_OFFSETS;
  }
}

async function readStretch(source: Source, range: OffsetRange, entriesMax: number): Promise<LetterEntry[]> {
  const { log, topic, partition, partitions, filter, order, onRead } = source;
  const nothing = { start: range.end, end: range.end };
  const ranges = new Map(partitions.map((each) => [each, each === partition ? range : nothing]));
  let entries: LetterEntry[] = [];
  await scan(
    log,
    { topic, ranges },
    (place, records) => {
      for (const record of records) {
        const letter = readLetter(place, record);
        if (filter(letter)) entries.push(entryOf(letter));
      }
      if (order === 'oldest') return entries.length < entriesMax;
      entries = entries.slice(-entriesMax);
      return true;
    },
    { onRead },
  );
  return order === 'newest' ? entries.reverse() : entries.slice(0, entriesMax);
}

function entryOf(letter: Letter): LetterEntry {
  const {
    topic,
    partition,
    offset,
    refusedAtMs,
    key,
    value,
    origin,
    stage,
    reason,
    error,
    omitted,
    replays,
  } = letter;
  const shown = key?.toString('utf8', 0, 4 * KEY_CHARACTERS_MAX).slice(0, KEY_CHARACTERS_MAX) ?? null;
  const place = { topic, partition, offset, refusedAtMs };
  return {
    ...place,
    origin,
    stage,
    reason,
    error,
    omitted,
    replays,
    key: shown,
    valueBytes: value?.length ?? null,
  };
}
