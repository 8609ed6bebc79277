/** Undoes a batch's compression. */
import kafkajs from 'kafkajs';
import type { RecordBatch } from './record-batch.ts';

type Codec = { decompress(packed: Buffer): Promise<Buffer> };

const codecs = kafkajs.CompressionCodecs as unknown as Readonly<Record<number, (() => Codec) | undefined>>;

/** The records' bytes; an error when they cannot be had. */
export async function unpack({ codec, body }: RecordBatch): Promise<Buffer | Error> {
  if (codec === 0) return body;
  const create = codecs[codec];
  if (create === undefined) return new Error(`they are packed by codec ${codec}, which is none of Kafka’s`);
  try {
    return await create().decompress(body);
  } catch (error) {
    return new Error(`they cannot be unpacked (${error instanceof Error ? error.message : String(error)})`);
  }
}
