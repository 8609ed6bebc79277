/** Tells the forecast role that an import has changed `sales`: what is complete now, and what to learn again. */
import { randomUUID } from 'node:crypto';
import { eventHeaders } from '../pipeline/cloud-events.ts';
import type { AmendedBucket } from '../pipeline/messages.ts';
import { TOPICS } from '../pipeline/topics.ts';
import type { Platform } from '../platform.ts';

/**
 * Goes to every shard. Series of these stores are learned again from the earliest bucket that changed; where nothing
 * has been learned yet, all of history will be, and naming buckets would only make it learn them twice.
 */
export async function announceHistory(
  deps: Pick<Platform, 'log' | 'codec' | 'config' | 'clock' | 'store'>,
  history: { readonly watermarkMs: number; readonly amended: readonly AmendedBucket[] },
): Promise<void> {
  const learned = (await deps.store.query('SELECT 1 FROM model_state LIMIT 1')).length > 0;
  const value = deps.codec.encode(TOPICS.buckets, {
    source_topic: TOPICS.transactions,
    source_partition: 0,
    watermark_ms: history.watermarkMs,
    kind: 'HISTORY',
    open: [],
    amended: learned ? history.amended : [],
    last_event_ms: null,
  });
  const headers = eventHeaders(TOPICS.buckets, 'import')(randomUUID(), deps.clock.nowMs());
  const shards = Array.from({ length: deps.config.shards }, (_, partition) => partition);
  await deps.log.append(
    TOPICS.buckets,
    shards.map((partition) => ({ key: null, value, headers, partition })),
  );
}
