import { gzipSync, zstdCompressSync } from 'node:zlib';
import kafkajs from 'kafkajs';
import { beforeAll, describe, expect, test } from 'vitest';
import { COMPRESSION, registerCodecs } from '../../../src/adapters/kafka/client/codecs.ts';

type Codec = {
  compress(encoder: { buffer: Buffer }): Promise<Buffer>;
  decompress(packed: Buffer): Promise<Buffer>;
};

const CODECS = kafkajs.CompressionCodecs as Record<number, () => Codec>;
const codec = (name: keyof typeof COMPRESSION): Codec => CODECS[COMPRESSION[name]]?.() as Codec;
const TEXT = Buffer.from('bread and butter '.repeat(10_000));
const TOO_MUCH_BYTES = 257 * 1_048_576;

beforeAll(registerCodecs);

describe.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('%s', (name) => {
  test.each([
    ['nothing', Buffer.alloc(0)],
    ['a byte', Buffer.from('b')],
    ['more than one block', TEXT],
  ])('unpacks what it packed: %s', async (_, text) => {
    const packed = await codec(name).compress({ buffer: text });
    expect((await codec(name).decompress(packed)).equals(text)).toBe(true);
  });

  test('packs what repeats itself', async () => {
    expect((await codec(name).compress({ buffer: TEXT })).length).toBeLessThan(TEXT.length / 10);
  });

  test('rejects what it did not pack', async () => {
    await expect(
      codec(name).decompress(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1])),
    ).rejects.toThrow();
  });
});

test('Snappy reads Java’s frames too', async () => {
  const raw = async (text: string): Promise<Buffer> =>
    codec('snappy').compress({ buffer: Buffer.from(text) });
  const header = Buffer.from([0x82, ...Buffer.from('SNAPPY'), 0, 0, 0, 0, 1, 0, 0, 0, 1]);
  const blocks = await Promise.all(['bread ', 'and ', 'butter'].map(raw));
  const framed = blocks.flatMap((block) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(block.length);
    return [length, block];
  });
  const read = await codec('snappy').decompress(Buffer.concat([header, ...framed]));
  expect(read.toString()).toBe('bread and butter');
});

test.each([
  ['gzip', () => gzipSync(Buffer.alloc(TOO_MUCH_BYTES), { level: 1 })],
  ['zstd', () => zstdCompressSync(Buffer.alloc(TOO_MUCH_BYTES))],
] as const)('%s that unpacks to more than 256 MiB is refused', async (name, pack) => {
  await expect(codec(name).decompress(pack())).rejects.toThrow(/larger than/);
});
