/** One page of letters of several topics, in the order of the times at which they were refused. */
import type { Log, OffsetRange } from '../../pipeline/log.ts';
import { formatCursor } from './cursor.ts';
import type { Cursor } from './cursor.ts';
import type { LetterFilter } from './filter.ts';
import { partitionLetters } from './partition-letters.ts';
import type { LetterEntry, Order } from './partition-letters.ts';
import type { Stretch } from './scan.ts';

export type PageRequest = {
  readonly order: Order;
  readonly limit: number;
  readonly filter: LetterFilter;
  /** Where the page before ended; null: from the newest, or from the oldest. */
  readonly cursor: Cursor | null;
  readonly onRead?: (records: number) => void;
};

export type Page = {
  readonly letters: readonly LetterEntry[];
  /** Goes on where this page ends: for `--before`, or for `--after` when the oldest come first. Null: that was all. */
  readonly next: string | null;
};

type Line = {
  readonly place: string;
  readonly letters: AsyncGenerator<LetterEntry, void, void>;
  head: LetterEntry | null;
  /** Where the next page goes on. */
  at: number;
};

export async function readPage(
  log: Pick<Log, 'tail' | 'offsets'>,
  topics: readonly Stretch[],
  request: PageRequest,
): Promise<Page> {
  const { order, limit } = request;
  const lines = topics.flatMap((stretch) => linesOf(log, stretch, request));
  for (const line of lines) await pull(line);
  const letters: LetterEntry[] = [];
  while (letters.length < limit) {
    const line = first(lines, order);
    if (line?.head === null || line === null) break;
    letters.push(line.head);
    line.at = order === 'newest' ? line.head.offset : line.head.offset + 1;
    await pull(line);
  }
  const more = lines.some(({ head }) => head !== null);
  const cursor = new Map(lines.map(({ place, at }) => [place, at]));
  return { letters, next: more ? formatCursor(cursor) : null };
}

function linesOf(
  log: Pick<Log, 'tail' | 'offsets'>,
  { topic, ranges }: Stretch,
  { order, limit, filter, cursor, onRead = () => {} }: PageRequest,
): Line[] {
  return [...ranges].flatMap(([partition, whole]) => {
    const place = `${topic}/${partition}`;
    const range = rest(whole, cursor?.get(place), order);
    if (range.start >= range.end) return [];
    const partitions = [...ranges.keys()];
    // One more than the page: whether there is another page is then known.
    const source = { log, topic, partition, range, partitions, filter, order, entriesMax: limit + 1, onRead };
    const at = order === 'newest' ? range.end : range.start;
    return [{ place, letters: partitionLetters(source), head: null, at }];
  });
}

function rest({ start, end }: OffsetRange, at: number | undefined, order: Order): OffsetRange {
  if (at === undefined) return { start, end };
  return order === 'newest' ? { start, end: Math.min(end, at) } : { start: Math.max(start, at), end };
}

async function pull(line: Line): Promise<void> {
  const { value, done } = await line.letters.next();
  line.head = done === true ? null : value;
}

/** Among equal times the first place counts: the same on every page. */
function first(lines: readonly Line[], order: Order): Line | null {
  let best: Line | null = null;
  for (const line of lines) {
    if (line.head === null) continue;
    const ahead = line.head.refusedAtMs - (best?.head?.refusedAtMs ?? line.head.refusedAtMs);
    if (best === null || (order === 'newest' ? ahead > 0 : ahead < 0)) best = line;
  }
  return best;
}
