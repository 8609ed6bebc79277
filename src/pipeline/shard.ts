/**
 * The state of one shard of series: tables per granularity, how far every source of sales has come, and what has been
 * sold in open buckets. Everything but the latter is a function of `sales`, and is what a checkpoint holds.
 */
import type { Config } from '../config.ts';
import type { NodeKey } from '../hierarchy/nodes.ts';
import { createNodes, nodeName } from '../hierarchy/nodes.ts';
import { createEngine } from '../models/engine.ts';
import type { Granularity } from '../sales/series.ts';
import { GRANULARITIES, MEASURES } from '../sales/series.ts';
import type { ToldDrifts } from './drift-alerts.ts';
import type { NearMeans } from './nowcasts.ts';
import type { OpenSales } from './open-sales.ts';
import { createOpenSales } from './open-sales.ts';
import { partitionForKey } from './partitioner.ts';
import type { SeriesTable } from './series-table.ts';
import { createRecords } from './series-table.ts';
import type { Snapshots } from './snapshots.ts';
import { createSnapshots } from './snapshots.ts';

/** The published quantiles: the 50, 80, 90 and 95 % intervals and the median. */
export const PROBABILITIES = [0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975] as const;

const SEASONS: Readonly<Record<Granularity, { season: number; shortSeason: number }>> = {
  hour: { season: 168, shortSeason: 24 },
  day: { season: 7, shortSeason: 7 },
};

export type Shard = {
  readonly index: number;
  readonly tables: Readonly<Record<Granularity, SeriesTable>>;
  readonly snapshots: Readonly<Record<Granularity, Snapshots>>;
  readonly near: Readonly<Record<Granularity, NearMeans>>;
  readonly drifts: Readonly<Record<Granularity, ToldDrifts>>;
  readonly open: OpenSales;
  /** Products with series of their own. */
  readonly tracked: Set<string>;
  /** Watermark per source partition. */
  readonly sources: Map<string, number>;
  /** Sales up to here were declared complete by an import or found in the store. */
  historyMs: number | null;
  /** Next offset of the bucket topic. */
  nextOffset: number;
};

export function createShard(index: number, config: Config): Shard {
  const tables = { hour: createTable('hour', index, config), day: createTable('day', index, config) };
  const tracked = new Set<string>();
  const snapshots = () =>
    createSnapshots({ bytesMax: config.snapshotBytesMax, countMax: config.snapshotsMax });
  return {
    index,
    tables,
    snapshots: { hour: snapshots(), day: snapshots() },
    near: { hour: new Map(), day: new Map() },
    drifts: { hour: new Map(), day: new Map() },
    open: createOpenSales(tables, (sku) => tracked.has(sku)),
    tracked,
    sources: new Map(),
    historyMs: null,
    nextOffset: 0,
  };
}

function createTable(granularity: Granularity, index: number, config: Config): SeriesTable {
  const { levels, horizon } = config.granularities[granularity];
  return {
    granularity,
    engine: createEngine({ granularity, ...SEASONS[granularity], horizon, probabilities: PROBABILITIES }),
    nodes: createNodes({
      levels,
      owns: (key) => shardOf(key, config.shards) === index,
      whole: config.shards === 1,
      nodesMax: Math.floor(config.seriesMax / (MEASURES.length * GRANULARITIES.length)),
    }),
    records: createRecords(),
    nextBucketMs: null,
  };
}

/** A store and all below it lie in one shard, so that a store is the sum of what lies beside it. */
function shardOf(key: NodeKey, shards: number): number {
  return shards === 1 ? 0 : partitionForKey(Buffer.from(key.store ?? nodeName(key)), shards);
}

/** No bucket that ends at or before this is still open anywhere; null while nothing is known. */
export function shardWatermark(shard: Shard): number | null {
  const live = shard.sources.size === 0 ? null : Math.min(...shard.sources.values());
  if (live === null) return shard.historyMs;
  return shard.historyMs === null ? live : Math.max(live, shard.historyMs);
}

/** Text that changes whenever a checkpoint can no longer be read as the state it was. */
export function shardLayout(config: Config): string {
  const shard = createShard(0, config);
  const tables = GRANULARITIES.map((granularity) => ({
    granularity,
    levels: config.granularities[granularity].levels,
    layout: shard.tables[granularity].engine.layout,
  }));
  const { shards, productsMax, timeZone, businessDayStartMinutes, currency } = config;
  return JSON.stringify({
    version: 2,
    shards,
    productsMax,
    timeZone,
    businessDayStartMinutes,
    currency,
    tables,
  });
}
