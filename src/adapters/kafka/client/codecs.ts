/**
 * All of Kafka's compression codecs. kafkajs has only gzip by itself: one batch that another producer packed otherwise
 * would stop a consumer. A batch that does not unpack, or unpacks to more than the maximum, is an error of that batch.
 */
import { promisify } from 'node:util';
import { gunzip, gzip, zstdCompress, zstdDecompress } from 'node:zlib';
import kafkajs from 'kafkajs';
import type { CompressionTypes as CompressionType } from 'kafkajs';
import snappy from 'kafkajs-snappy';
import { compressFrame, decompressFrame } from 'lz4-napi';
import type { KafkaLimits } from '../../../config.ts';

const { CompressionCodecs, CompressionTypes } = kafkajs;

type Codec = {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(packed: Buffer): Promise<Buffer>;
};

/** A batch of 1 MiB of zeros would otherwise unpack to a gigabyte. Snappy and LZ4 cannot pack that densely. */
const UNPACKED_BYTES_MAX = 256 * 1_048_576;
const zlibMax = { maxOutputLength: UNPACKED_BYTES_MAX };

const gzipCodec: Codec = {
  compress: ({ buffer }) => promisify(gzip)(buffer),
  decompress: (packed) => promisify(gunzip)(packed, zlibMax),
};
const lz4Codec: Codec = {
  compress: ({ buffer }) => compressFrame(buffer),
  decompress: (packed) => decompressFrame(packed),
};
const zstdCodec: Codec = {
  compress: ({ buffer }) => promisify(zstdCompress)(buffer),
  decompress: (packed) => promisify(zstdDecompress)(packed, zlibMax),
};

/** For every client of this process. Doing it again changes nothing. */
export function registerCodecs(): void {
  CompressionCodecs[CompressionTypes.GZIP] = () => gzipCodec;
  // Reads both of Snappy's forms: raw, and framed by Java's xerial library.
  CompressionCodecs[CompressionTypes.Snappy] = snappy;
  CompressionCodecs[CompressionTypes.LZ4] = () => lz4Codec;
  CompressionCodecs[CompressionTypes.ZSTD] = () => zstdCodec;
}

/** kafkajs's number of a codec. */
export const COMPRESSION: Readonly<Record<KafkaLimits['compression'], CompressionType>> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
};
