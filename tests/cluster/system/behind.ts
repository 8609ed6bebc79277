/** How far ingest is behind. */
import { TOPICS } from '../../../src/pipeline/topics.ts';
import { INGEST_GROUP } from '../../../src/roles/ingest/ingest.ts';
import type { ClusterSystem } from './cluster-system.ts';

/** Partitions of the transaction topic of which not everything is committed, with the offset that is. */
export async function behind({ platform: { log } }: ClusterSystem): Promise<Map<number, number>> {
  const committed = await log.committed(INGEST_GROUP, TOPICS.transactions);
  const waiting = new Map<number, number>();
  for (const [partition, { end }] of await log.offsets(TOPICS.transactions)) {
    const offset = committed.get(partition)?.offset ?? 0;
    if (offset < end) waiting.set(partition, offset);
  }
  return waiting;
}
