/**
 * The partition of a key, bit for bit as in Kafka's default partitioner, so that a till's records lie in the same
 * partition whichever client wrote them: `(murmur2(key) & 0x7fffffff) % partitions`.
 *
 * Source: org.apache.kafka.common.utils.Utils.murmur2 and BuiltInPartitioner.partitionForKey (Kafka 4).
 *
 * @example partitionForKey(Buffer.from('foobar'), 4) // 2: murmur2 is −790332482
 */
export function partitionForKey(key: Buffer, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/** MurmurHash2, 32 bits, little endian, with Kafka's seed; signed like Java's `int`. */
export function murmur2(bytes: Buffer): number {
  const length = bytes.length;
  const tail = length & ~3;
  let h = SEED ^ length;
  for (let i = 0; i < tail; i += 4) {
    let k = Math.imul(bytes.readInt32LE(i), M);
    k ^= k >>> 24;
    h = Math.imul(h, M) ^ Math.imul(k, M);
  }
  if (tail < length) {
    for (let i = length - 1; i >= tail; i--) h ^= bytes.readUInt8(i) << ((i - tail) * 8);
    h = Math.imul(h, M);
  }
  h ^= h >>> 13;
  h = Math.imul(h, M);
  return h ^ (h >>> 15);
}
