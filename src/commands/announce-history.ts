/** Tells the forecast role that an import has changed `sales`: what is complete now, and what to learn again. */
import type { Codec } from '../pipeline/codec.ts';
import type { Config } from '../config.ts';
import type { Log } from '../pipeline/log.ts';
import type { AmendedBucket } from '../pipeline/messages.ts';
import { TOPICS } from '../pipeline/topics.ts';

/** Goes to every shard. Series of these stores are learned again from the earliest bucket that changed. */
export async function announceHistory(
  deps: { readonly log: Log; readonly codec: Codec; readonly config: Config },
  history: { readonly watermarkMs: number; readonly amended: readonly AmendedBucket[] },
): Promise<void> {
  const value = deps.codec.encode(TOPICS.buckets, {
    source_topic: TOPICS.transactions,
    source_partition: 0,
    watermark_ms: history.watermarkMs,
    kind: 'HISTORY',
    open: [],
    amended: history.amended,
    last_event_ms: null,
  });
  const shards = Array.from({ length: deps.config.shards }, (_, partition) => partition);
  await deps.log.append(
    TOPICS.buckets,
    shards.map((partition) => ({ key: null, value, partition })),
  );
}
