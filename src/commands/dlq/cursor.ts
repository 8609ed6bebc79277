/**
 * Where a page of letters ended: an offset for each partition, as `topic/partition/offset`, several with commas between
 * them. Newest first the next page has the letters before these offsets, oldest first those at and after them;
 * a partition that is not named is read from its end or beginning.
 */
import { InvalidArgumentError } from 'commander';

/** Offsets by `topic/partition`. */
export type Cursor = ReadonlyMap<string, number>;

export function formatCursor(cursor: Cursor): string {
  return [...cursor].map(([place, offset]) => `${place}/${offset}`).join(',');
}

/** For commander's option parsers. */
export function parseCursor(text: string): Cursor {
  return new Map(
    text.split(',').map((part) => {
      const match = /^([\w.-]+\/\d{1,9})\/(\d{1,15})$/.exec(part);
      if (match === null)
        throw new InvalidArgumentError(
          'It must be the place of a letter: topic/partition/offset, as a list ends with.',
        );
      return [match[1] as string, Number(match[2])];
    }),
  );
}
