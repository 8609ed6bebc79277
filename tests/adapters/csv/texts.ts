/** Texts and files for the CSV tests. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const dir = mkdtempSync(join(tmpdir(), 'foretill-csv-'));
let count = 0;
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** The path of a new file with these contents. */
export function fileOf(contents: string | Buffer, name = 'rows.csv'): string {
  count += 1;
  const path = join(dir, `${count}-${name}`);
  writeFileSync(path, contents);
  return path;
}

/** The text in pieces of a given length. */
export async function* chunksOf(text: string, length = text.length): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += length) yield text.slice(at, at + length);
}

export async function all<T>(batches: AsyncIterable<readonly T[]>): Promise<T[]> {
  const found: T[] = [];
  for await (const batch of batches) found.push(...batch);
  return found;
}
