/** Where a page ended, as an opaque text. */
import { ForetillError } from '../../errors.ts';

export function encodeCursor(last: string): string {
  return Buffer.from(last).toString('base64url');
}

/** Refuses (USAGE) what `encodeCursor` did not make. */
export function decodeCursor(cursor: string): string {
  const last = Buffer.from(cursor, 'base64url').toString();
  if (last !== '' && encodeCursor(last) === cursor) return last;
  throw new ForetillError('USAGE', 'The cursor is not one of this API.', {
    remedy: 'Use `next` of the page before, unchanged; leave it out for the first page.',
  });
}
