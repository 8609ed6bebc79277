/** Opens a text file for streaming: plain or gzip, UTF-8 or UTF-16, with clear words for everything that is not. */
import { createReadStream } from 'node:fs';
import type { ReadStream, Stats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { ForetillError } from '../../errors.ts';

export type TextFile = {
  /** Decoded text in pieces of any length, without byte order mark. Rejects INPUT_INVALID for damaged gzip data. */
  readonly chunks: AsyncIterable<string>;
  /** Size on disk, and how much of it has been read: for progress. */
  readonly bytesTotal: number;
  bytesRead(): number;
};

const CHUNK_BYTES = 256 * 1024;

/** First bytes of formats that people mistake for CSV. */
const FOREIGN: readonly { readonly magic: string; readonly what: string; readonly remedy: string }[] = [
  { magic: '504b0304', what: 'a ZIP or Excel file', remedy: 'Unpack it, or save the sheet as CSV (UTF-8).' },
  { magic: 'd0cf11e0', what: 'an old Excel file', remedy: 'Save the sheet as CSV (UTF-8).' },
  {
    magic: '50415231',
    what: 'a Parquet file',
    remedy: 'Convert it to CSV first, e.g. with DuckDB or pandas.',
  },
  { magic: '425a68', what: 'a bzip2 file', remedy: 'Unpack it with bunzip2.' },
  { magic: 'fd377a58', what: 'an xz file', remedy: 'Unpack it with unxz.' },
  { magic: '28b52ffd', what: 'a zstd file', remedy: 'Unpack it with unzstd.' },
  { magic: '25504446', what: 'a PDF', remedy: 'Export the data as CSV (UTF-8).' },
];

/** Throws INPUT_NOT_FOUND or INPUT_INVALID when there is nothing that could be read as text. */
export async function openTextFile(path: string): Promise<TextFile> {
  const { size } = await statFile(path);
  const head = await firstBytes(path);
  const gzip = head[0] === 0x1f && head[1] === 0x8b;
  const encoding = gzip ? 'utf-8' : encodingOf(path, head);
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  return {
    chunks: gzip ? decode(path, gunzip(path, file), encoding) : decode(path, file, encoding),
    bytesTotal: size,
    bytesRead: () => file.bytesRead,
  };
}

async function statFile(path: string): Promise<Stats> {
  let found: Stats;
  try {
    found = await stat(path);
  } catch (error) {
    throw new ForetillError('INPUT_NOT_FOUND', `There is no file ${path} that this user can see.`, {
      remedy: 'Check the path; it is taken from the directory in which you started the command.',
      cause: error,
    });
  }
  if (!found.isFile()) throw invalid(`${path} is not a file.`, 'Name a .csv or .csv.gz file.');
  if (found.size === 0) throw invalid(`${path} is empty.`, 'Check how it was exported or downloaded.');
  return found;
}

async function firstBytes(path: string): Promise<Buffer> {
  const handle = await openForReading(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4096), 0, 4096, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function openForReading(path: string) {
  try {
    return await open(path, 'r');
  } catch (error) {
    throw new ForetillError('INPUT_NOT_FOUND', `${path} cannot be read by this user.`, {
      remedy: 'Change its rights (chmod u+r), or copy it to a place of your own.',
      cause: error,
    });
  }
}

function encodingOf(path: string, head: Buffer): string {
  const magic = head.toString('hex', 0, 4);
  const foreign = FOREIGN.find((format) => magic.startsWith(format.magic));
  if (foreign !== undefined) throw invalid(`${path} is ${foreign.what}, not CSV.`, foreign.remedy);
  if (path.toLowerCase().endsWith('.gz')) {
    throw invalid(
      `${path} is named .gz but is not gzip data.`,
      'Download it again, or rename it when it is plain CSV.',
    );
  }
  if (magic.startsWith('fffe')) return 'utf-16le';
  if (magic.startsWith('feff')) return 'utf-16be';
  if (head.includes(0)) throw invalid(`${path} is binary, not text.`, 'Name a .csv or .csv.gz file.');
  return 'utf-8';
}

/** Hands damage on as words: a download that broke off, or bytes that changed. */
async function* gunzip(path: string, file: ReadStream): AsyncGenerator<Buffer> {
  const unzip = createGunzip({ chunkSize: CHUNK_BYTES });
  const feeding = pipeline(file, unzip);
  // Its failure also ends the loop below, which is where it is reported.
  feeding.catch(() => {});
  try {
    for await (const chunk of unzip) yield chunk as Buffer;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code?.startsWith('Z_') !== true) throw error;
    const what = code === 'Z_BUF_ERROR' ? 'ends in the middle of its gzip data' : 'has damaged gzip data';
    throw invalid(`${path} ${what}.`, 'Download or copy it again; `gzip -t FILE` checks it.', error);
  } finally {
    file.destroy();
  }
}

async function* decode(
  path: string,
  source: AsyncIterable<Buffer>,
  encoding: string,
): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding);
  let empty = true;
  for await (const chunk of source) {
    const text = decoder.decode(chunk, { stream: true });
    if (text === '') continue;
    empty = false;
    yield text;
  }
  if (empty) throw invalid(`${path} holds no text.`, 'Check how it was exported or downloaded.');
}

function invalid(message: string, remedy: string, cause?: unknown): ForetillError {
  return new ForetillError('INPUT_INVALID', message, { remedy, cause });
}
