/**
 * Which letters have been put back already. A group's committed offset cannot say it: a filter puts back one letter and
 * leaves out the next. So each append of letters is followed by one small record in a topic of its own: the dead-letter
 * topic as key, and partition, offsets and the time of the latest of these letters as value. Its topic keeps records for
 * twice as long as letters are kept, and what was put back without it being noted (a crash between the two) is put back
 * once more, which changes nothing. It is no topic of letters, because whoever counts or watches those counts refusals.
 *
 * In memory: one bit a letter.
 */
import { ForetillError } from '../../errors.ts';
import type { Log, OutgoingRecord } from '../../pipeline/log.ts';
import { REPLAYED_TOPIC } from '../../pipeline/topics.ts';
import type { Letter, Place } from './letter.ts';
import { scan } from './scan.ts';
import type { Stretch } from './scan.ts';

export type Replayed = { has(place: Place): boolean };

/** Offsets as `from-to` (both within) or a single one, in order: `0-499,502`. */
type Note = { readonly partition: number; readonly latestMs: number; readonly offsets: string };

const PAGE_BITS = 65_536;
/** 128 MiB of notes in memory, a thousand million letters. */
const PAGES_MAX = 16_384;

/** Letters of one append, all of one topic and partition. */
export function noteOf(letters: readonly Letter[]): OutgoingRecord {
  const [first] = letters;
  if (first === undefined) throw new Error('a note is of at least one letter');
  const note: Note = {
    partition: first.partition,
    latestMs: Math.max(...letters.map(({ refusedAtMs }) => refusedAtMs)),
    offsets: rangesOf(letters.map(({ offset }) => offset)),
  };
  return { key: Buffer.from(first.topic), value: Buffer.from(JSON.stringify(note)) };
}

/** `topics` are those whose letters will be asked for. */
export async function readReplayed(log: Log, topics: readonly Stretch[]): Promise<Replayed> {
  const pages = new Map<string, Uint8Array>();
  const oldest = await oldestTimes(log, topics);
  const ranges = await log.offsets(REPLAYED_TOPIC);
  await scan(log, { topic: REPLAYED_TOPIC, ranges }, (_, records) => {
    for (const { key, value } of records) {
      const note = value === null ? null : parseNote(value);
      if (note === null || key === null) continue;
      const place = `${key.toString()}/${note.partition}`;
      // Of letters that are gone: with a topic that was deleted and made anew, its offsets begin again.
      if (note.latestMs < (oldest.get(place) ?? Number.POSITIVE_INFINITY)) continue;
      for (const [from, to] of parseRanges(note.offsets)) mark(pages, place, from, to);
    }
  });
  return {
    has: ({ topic, partition, offset }) => {
      const page = pages.get(`${topic}/${partition}/${Math.floor(offset / PAGE_BITS)}`);
      const bit = offset % PAGE_BITS;
      return page !== undefined && ((page[bit >> 3] as number) & (1 << (bit & 7))) !== 0;
    },
  };
}

/** When the oldest letter of each partition was refused. */
async function oldestTimes(log: Log, topics: readonly Stretch[]): Promise<Map<string, number>> {
  const oldest = new Map<string, number>();
  for (const { topic, ranges } of topics) {
    for (const [partition, range] of ranges) {
      const only = new Map([...ranges].map(([each, { end }]) => [each, { start: end, end }]));
      await scan(
        log,
        { topic, ranges: only.set(partition, range) },
        (_, [first]) => {
          if (first !== undefined) oldest.set(`${topic}/${partition}`, first.timestampMs);
          return false;
        },
        { batchRecordsMax: 1 },
      );
    }
  }
  return oldest;
}

function mark(pages: Map<string, Uint8Array>, place: string, from: number, to: number): void {
  for (let offset = from; offset <= to; offset += 1) {
    const name = `${place}/${Math.floor(offset / PAGE_BITS)}`;
    let page = pages.get(name);
    if (page === undefined) {
      if (pages.size >= PAGES_MAX) throw tooMany();
      pages.set(name, (page = new Uint8Array(PAGE_BITS / 8)));
    }
    const bit = offset % PAGE_BITS;
    page[bit >> 3] = (page[bit >> 3] as number) | (1 << (bit & 7));
  }
}

function rangesOf(offsets: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const offset of offsets) {
    const last = ranges.at(-1);
    if (last !== undefined && offset === last[1] + 1) last[1] = offset;
    else ranges.push([offset, offset]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}

/** What is no note of ours is passed over: the letters it may have meant are put back once more. */
function parseNote(value: Buffer): Note | null {
  try {
    const note = JSON.parse(value.toString()) as Partial<Note> | null;
    const { partition, latestMs, offsets } = note ?? {};
    const whole =
      typeof partition === 'number' && typeof latestMs === 'number' && typeof offsets === 'string';
    return whole ? { partition, latestMs, offsets } : null;
  } catch {
    return null;
  }
}

function parseRanges(text: string): [number, number][] {
  return text.split(',').flatMap((range): [number, number][] => {
    const match = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(range);
    return match === null ? [] : [[Number(match[1]), Number(match[2] ?? match[1])]];
  });
}

function tooMany(): ForetillError {
  return new ForetillError(
    'INPUT_INVALID',
    'More letters have been put back than can be remembered at once.',
    {
      remedy: 'Name one topic with --topic, or leave the notes out with --again.',
    },
  );
}
