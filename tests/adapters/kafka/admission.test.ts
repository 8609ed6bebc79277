import { describe, expect, test } from 'vitest';
import { createAdmission } from '../../../src/adapters/kafka/writing/admission.ts';

/** Work of the given sizes asks to begin, in this order; `begun` says which did. */
function ask(
  bytesMax: number,
  sizes: readonly number[],
): { begun: number[]; end(index: number): Promise<void> } {
  const admission = createAdmission(bytesMax);
  const begun: number[] = [];
  sizes.forEach((bytes, index) => void admission.enter(bytes).then(() => begun.push(index)));
  return {
    begun,
    async end(index) {
      admission.leave(sizes[index] ?? 0);
      await Promise.resolve();
    },
  };
}

describe('admission', () => {
  test('lets in what fits, and the next as others leave, in order', async () => {
    const { begun, end } = ask(100, [60, 40, 30, 10]);
    await Promise.resolve();
    expect(begun).toEqual([0, 1]);
    await end(1);
    expect(begun).toEqual([0, 1, 2, 3]);
  });

  test('does not let what is small go before what has waited longer', async () => {
    const { begun, end } = ask(100, [60, 60, 1]);
    await Promise.resolve();
    expect(begun).toEqual([0]);
    await end(0);
    expect(begun).toEqual([0, 1, 2]);
  });

  test('lets in alone what is larger than all', async () => {
    const { begun, end } = ask(100, [1, 500, 1]);
    await Promise.resolve();
    expect(begun).toEqual([0]);
    await end(0);
    expect(begun).toEqual([0, 1]);
    await end(1);
    expect(begun).toEqual([0, 1, 2]);
  });
});
