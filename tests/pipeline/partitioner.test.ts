import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { murmur2, partitionForKey } from '../../src/pipeline/partitioner.ts';

describe('murmur2', () => {
  // org.apache.kafka.common.utils.UtilsTest.testMurmur2, and the empty to three-byte tails.
  it.each([
    ['', 275646681],
    ['a', -1563381124],
    ['ab', 316155434],
    ['abc', 479470107],
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['1', -1993445489],
    ['12', 126087238],
    ['123', -267702483],
    ['1234', -1614185708],
    ['12345', -1188365604],
  ])('of "%s" is Kafka’s %i', (key, expected) => {
    expect(murmur2(Buffer.from(key))).toBe(expected);
  });
});

describe('partitionForKey', () => {
  it.each([
    ['rule', 473888304],
    ['monkey', 385264353],
    ['hover', 164653822],
    ['guest', 1235690374],
    ['necklace', 1631936446],
    ['storm', 393248174],
    ['paint', 493731830],
    ['agony', 989421259],
    ['foobar', 1357151166],
  ] as const)('takes the remainder of the positive hash of "%s"', (key, hash) => {
    for (const partitions of [1, 2, 3, 4, 7, 64]) {
      expect(partitionForKey(Buffer.from(key), partitions)).toBe(hash % partitions);
    }
  });

  it('is a partition of the topic, for any bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        fc.integer({ min: 1, max: 1000 }),
        (bytes, partitions) => {
          const partition = partitionForKey(Buffer.from(bytes), partitions);
          expect(Number.isInteger(partition) && partition >= 0 && partition < partitions).toBe(true);
        },
      ),
    );
  });
});
