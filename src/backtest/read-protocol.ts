/** Protocol files from disk, and the check that the data are those that they were written for. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ForetillError } from '../errors.ts';
import { basedOn, parsePrequential, parseProtocol } from './protocol.ts';
import type { Protocol } from './protocol.ts';

/** Also reads the plain protocol of the same set, beside a prequential one. */
export async function readProtocol(path: string): Promise<Protocol> {
  const name = basename(path);
  const text = await readText(path);
  const base = basedOn(text, name);
  if (base === null) return parseProtocol(text, name);
  const basePath = join(dirname(path), `protocol_${base}.json`);
  return parsePrequential(text, name, parseProtocol(await readText(basePath), basename(basePath)));
}

/** Throws INPUT_INVALID when the file is another than the protocol's: its figures could not be compared. */
export async function demandSameData(path: string, sha256: string | null): Promise<void> {
  if (sha256 === null) return;
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const found = hash.digest('hex');
  if (found === sha256) return;
  throw new ForetillError('INPUT_INVALID', `${path} is not the file that the protocol was measured on.`, {
    remedy: `Its SHA-256 is ${found.slice(0, 12)}…, the protocol names ${sha256.slice(0, 12)}…: get the right file, or give its options by hand.`,
  });
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new ForetillError('INPUT_NOT_FOUND', `There is no protocol ${path} that this user can read.`, {
      remedy: 'Check the path; a prequential protocol also needs protocol_<set>.json beside it.',
      cause: error,
    });
  }
}
