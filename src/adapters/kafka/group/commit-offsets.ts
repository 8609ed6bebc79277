/** Has offsets committed in the name of a membership: tried again for as long as the partitions are certainly ours. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Coordinator } from './coordinator.ts';
import { FENCED } from './heartbeats.ts';
import { protocolErrorOf } from '../client/kafka-errors.ts';
import type { Lease } from './lease.ts';
import { protocolError } from '../client/kafkajs-inner.ts';
import type { Membership, PartitionOffset } from '../client/protocol.ts';
import { Attempts } from '../client/retrying.ts';
import type { Retrying } from '../client/retrying.ts';

/** Rejects with the refusal when the group has given the partitions to others, or may have. */
export async function commitOffsets(parts: {
  readonly coordinator: Coordinator;
  readonly retrying: Retrying;
  readonly membership: Membership;
  readonly lease: Lease;
  /** Topics as on the wire. */
  readonly offsets: readonly (PartitionOffset & { readonly metadata: string })[];
  readonly refusal: () => Error;
}): Promise<void> {
  const { coordinator, membership, lease, offsets } = parts;
  const attempts = new Attempts(parts.retrying, 'committing offsets');
  try {
    while (lease.lasts(performance.now())) {
      try {
        const answers = await coordinator.ask((broker) => broker.offsetCommit(membership, offsets));
        const failed = answers.find(({ error }) => error !== null);
        if (failed === undefined) return;
        throw protocolError(failed.error ?? '');
      } catch (error) {
        if (isOver(error)) lease.lose();
        else await delay(attempts.failed(error).delayMs);
      }
    }
  } finally {
    attempts.succeeded();
  }
  throw parts.refusal();
}

/** While the group shares out anew, only those who have joined again are members. */
function isOver(error: unknown): boolean {
  const type = protocolErrorOf(error) ?? '';
  return FENCED.has(type) || type === 'REBALANCE_IN_PROGRESS';
}
