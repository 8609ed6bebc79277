/** Whether both groups have committed all there is: what was told of it lies in the topics, what was learned in the store. */
import { TOPICS } from '../../src/pipeline/topics.ts';
import type { Platform } from '../../src/platform.ts';
import { FORECAST_GROUP } from '../../src/roles/forecast/forecast.ts';
import { INGEST_GROUP } from '../../src/roles/ingest/ingest.ts';

/** Records not committed yet, by group. Ingest is asked first: what it tells before it commits is then seen below it. */
export async function uncommitted({ log }: Pick<Platform, 'log'>): Promise<ReadonlyMap<string, number>> {
  const waiting = new Map<string, number>();
  for (const [group, topic] of [
    [INGEST_GROUP, TOPICS.transactions],
    [FORECAST_GROUP, TOPICS.buckets],
  ] as const) {
    const committed = await log.committed(group, topic);
    const ranges = await log.offsets(topic);
    const records = [...ranges].reduce(
      (sum, [partition, { end }]) => sum + Math.max(0, end - (committed.get(partition)?.offset ?? 0)),
      0,
    );
    waiting.set(group, records);
  }
  return waiting;
}

export async function isWorkedThrough(platform: Pick<Platform, 'log'>): Promise<boolean> {
  return [...(await uncommitted(platform)).values()].every((records) => records === 0);
}

/** The place up to which every partition that has had a ticket is closed for good; null while none is. */
export async function ingestedUpToMs({ log }: Pick<Platform, 'log'>): Promise<number | null> {
  const committed = await log.committed(INGEST_GROUP, TOPICS.transactions);
  const marks = [...committed.values()].flatMap(
    ({ metadata }) => (JSON.parse(metadata) as { watermark_ms: number | null }).watermark_ms ?? [],
  );
  return marks.length === 0 ? null : Math.min(...marks);
}
