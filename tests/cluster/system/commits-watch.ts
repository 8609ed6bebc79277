/** Looks, over and over, how far groups and checkpoints have come: only a process that is behind the times could bring them back. */
import { setTimeout as delay } from 'node:timers/promises';
import { readCheckpoint } from '../../../src/adapters/clickhouse/model-state-table.ts';
import { shardLayout } from '../../../src/pipeline/shard.ts';
import { TOPICS } from '../../../src/pipeline/topics.ts';
import { FORECAST_GROUP } from '../../../src/roles/forecast/forecast.ts';
import { INGEST_GROUP } from '../../../src/roles/ingest/ingest.ts';
import type { ClusterSystem } from './cluster-system.ts';

export type CommitsWatch = {
  /** Ends the watch: what stood further back than before, in words. */
  wentBack(): Promise<readonly string[]>;
};

const EVERY_MS = 300;

export function watchCommits(system: ClusterSystem): CommitsWatch {
  const furthest = new Map<string, number>();
  const back: string[] = [];
  const end = new AbortController();

  function see(what: string, place: number): void {
    const before = furthest.get(what) ?? -1;
    if (place < before) back.push(`${what} was at ${before} and is at ${place}`);
    furthest.set(what, Math.max(before, place));
  }

  async function watch(): Promise<void> {
    while (!end.signal.aborted) {
      for (const { what, place } of await placesOf(system)) see(what, place);
      await delay(EVERY_MS, undefined, { signal: end.signal }).catch(() => {});
    }
  }
  const watching = watch();
  watching.catch(() => {});

  return {
    async wentBack() {
      end.abort();
      await watching;
      return back;
    },
  };
}

async function placesOf({
  platform,
  config,
}: ClusterSystem): Promise<{ readonly what: string; readonly place: number }[]> {
  const groups = [
    [INGEST_GROUP, TOPICS.transactions],
    [FORECAST_GROUP, TOPICS.buckets],
  ] as const;
  const committed = await Promise.all(
    groups.map(async ([group, topic]) =>
      [...(await platform.log.committed(group, topic))].map(([partition, { offset }]) => ({
        what: `${group} in partition ${partition}`,
        place: offset,
      })),
    ),
  );
  const layout = shardLayout(config);
  const checkpoints = await Promise.all(
    [...Array(config.shards).keys()].map(async (shard) => ({
      what: `the checkpoint of shard ${shard}`,
      place: (await readCheckpoint(platform.store, { shard, layout }))?.nextOffset,
    })),
  );
  // One that has just given way to the next may be missed.
  return [...committed.flat(), ...checkpoints].flatMap(({ what, place }) =>
    place === undefined ? [] : { what, place },
  );
}
