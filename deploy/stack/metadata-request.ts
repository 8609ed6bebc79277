/**
 * Asks a Kafka broker for its cluster over a bare socket. It counts as ready when it names a broker: one that has only
 * opened its port names none, because the controller still fences it.
 *
 * Wire format: https://kafka.apache.org/protocol.html, Metadata version 1.
 */
import { connect } from 'node:net';

const METADATA = 3;
const VERSION = 1;
const ANSWER_MS_MAX = 5_000;
/** Size, correlation id, count of brokers. */
const ANSWER_BYTES_MIN = 12;

/** False when it refuses, says nothing in time, or names no broker. */
export function answersMetadata(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    let answer = Buffer.alloc(0);
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(metadataRequest()));
    const end = (isReady: boolean): void => {
      socket.destroy();
      resolve(isReady);
    };
    socket.setTimeout(ANSWER_MS_MAX, () => end(false));
    socket.on('error', () => end(false));
    socket.on('close', () => end(false));
    socket.on('data', (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length >= ANSWER_BYTES_MIN) end(answer.readInt32BE(8) > 0);
    });
  });
}

/** Header (API, version, correlation id, no client id) and an empty list of topics. */
function metadataRequest(): Buffer {
  const bytes = Buffer.alloc(4 + 2 + 2 + 4 + 2 + 4);
  bytes.writeInt32BE(bytes.length - 4, 0);
  bytes.writeInt16BE(METADATA, 4);
  bytes.writeInt16BE(VERSION, 6);
  bytes.writeInt32BE(1, 8);
  bytes.writeInt16BE(-1, 12);
  bytes.writeInt32BE(0, 14);
  return bytes;
}
