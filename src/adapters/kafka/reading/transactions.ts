/** Which batches of a fetch are anybody's to read: not the markers that end transactions, and not what was given up. */
import type { AbortedTransaction } from '../client/fetch-answer.ts';
import { isAbort } from './record-batch.ts';
import type { RecordBatch } from './record-batch.ts';

/**
 * `aborted` are the transactions given up that reach into these batches: from its first offset on, all of the producer's
 * transactional batches are dropped, up to the marker that ends it.
 */
export function readable(
  batches: readonly RecordBatch[],
  aborted: readonly AbortedTransaction[],
): ReadonlySet<RecordBatch> {
  const coming = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  const under = new Set<bigint>();
  const kept = new Set<RecordBatch>();
  for (const batch of batches) {
    for (let next = coming[0]; next !== undefined && next.firstOffset <= batch.lastOffset; next = coming[0]) {
      under.add(next.producerId);
      coming.shift();
    }
    if (batch.control) {
      if (under.has(batch.producerId) && isAbort(batch)) under.delete(batch.producerId);
    } else if (!batch.transactional || !under.has(batch.producerId)) kept.add(batch);
  }
  return kept;
}
