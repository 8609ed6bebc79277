import { describe, expect, it } from 'vitest';
import { findBatches } from '../../../src/adapters/kafka/reading/record-batch.ts';
import { readable } from '../../../src/adapters/kafka/reading/transactions.ts';
import { encodeMarker, encodeNumbers } from './encode-batch.ts';

/** A batch of one record: plain, of a producer's transaction, or the end of one. */
type Step = 'plain' | `${number}` | `${number} commits` | `${number} aborts`;

async function batchesOf(steps: readonly Step[]): Promise<Buffer> {
  const encoded = steps.map((step, baseOffset) => {
    if (step === 'plain') return encodeNumbers(baseOffset, 1);
    const producerId = Number.parseInt(step, 10);
    return step.includes(' ')
      ? encodeMarker({ baseOffset, producerId, abort: step.endsWith('aborts') })
      : encodeNumbers(baseOffset, 1, { producerId, transactional: true });
  });
  return Buffer.concat(await Promise.all(encoded));
}

type Aborted = readonly (readonly [producerId: number, firstOffset: number])[];

const CASES: readonly (readonly [string, readonly Step[], Aborted, readonly number[]])[] = [
  ['no transaction', ['plain', 'plain'], [], [0, 1]],
  ['one that is committed', ['1', 'plain', '1', '1 commits', 'plain'], [], [0, 1, 2, 4]],
  ['one that is given up', ['1', 'plain', '1', '1 aborts', 'plain'], [[1, 0]], [1, 4]],
  ['the same producer again', ['1', '1 aborts', '1', '1 commits'], [[1, 0]], [2]],
  [
    'two given up one after the other',
    ['1', '1 aborts', '1', '1 aborts', 'plain'],
    [
      [1, 0],
      [1, 2],
    ],
    [4],
  ],
  [
    'two at once, told out of order',
    ['2', '1', '2 commits', '1 aborts', '2', '2 aborts'],
    [
      [2, 4],
      [1, 1],
    ],
    [0],
  ],
  ['one that begins before what was fetched', ['1', '1 aborts', 'plain'], [[1, -7]], [2]],
  ['one whose end was not fetched', ['plain', '1', '1'], [[1, 1]], [0]],
];

describe('of a fetch is readable', () => {
  it.each(CASES)('what %s leaves', async (_, steps, aborted, expected) => {
    const { batches } = findBatches(await batchesOf(steps));
    const kept = readable(
      batches,
      aborted.map(([producerId, firstOffset]) => ({ producerId: BigInt(producerId), firstOffset })),
    );
    expect(batches.filter((batch) => kept.has(batch)).map(({ baseOffset }) => baseOffset)).toEqual(expected);
  });
});
