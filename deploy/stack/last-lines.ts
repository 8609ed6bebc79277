/** The end of a log file, however long the file. */
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';

const BYTES_MAX = 16_384;

/** At most `count` lines of the last 16 KiB; empty when there is no such file. */
export function lastLines(file: string, count: number): string {
  if (!existsSync(file)) return '';
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const bytes = Buffer.alloc(Math.min(size, BYTES_MAX));
    readSync(descriptor, bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString('utf8').trimEnd().split('\n').slice(-count).join('\n');
  } finally {
    closeSync(descriptor);
  }
}
