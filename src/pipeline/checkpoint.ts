/**
 * A shard's state as bytes and back: a length, a JSON header, then the records of every table as they lie in memory.
 * Open buckets are left out: what was sold in them is read from the store.
 */
import type { NodeKey } from '../hierarchy/nodes.ts';
import type { Granularity } from '../sales/series.ts';
import { GRANULARITIES } from '../sales/series.ts';
import type { ToldDrift } from './drift-alerts.ts';
import { ensureAllRecords } from './series-table.ts';
import type { Shard } from './shard.ts';

type Header = {
  readonly nextOffset: number;
  readonly historyMs: number | null;
  readonly sources: readonly (readonly [string, number])[];
  readonly tracked: readonly string[];
  /** The zone that each store's series were learned in. */
  readonly zones: Readonly<Record<string, string>>;
  readonly drifts: Readonly<Record<Granularity, readonly (readonly [number, ToldDrift])[]>>;
  readonly tables: Readonly<
    Record<Granularity, { nextBucketMs: number | null; nodes: readonly NodeKey[]; words: number }>
  >;
};

export function encodeCheckpoint(shard: Shard, zoneOf: (store: string) => string): Buffer {
  const table = (granularity: Granularity) => {
    ensureAllRecords(shard.tables[granularity]);
    const { nextBucketMs, nodes, records, engine } = shard.tables[granularity];
    return { nextBucketMs, nodes: [...nodes.keys], words: records.used * engine.words };
  };
  const header: Header = {
    nextOffset: shard.nextOffset,
    historyMs: shard.historyMs,
    sources: [...shard.sources],
    tracked: [...shard.tracked],
    zones: Object.fromEntries(storesOf(shard).map((store) => [store, zoneOf(store)])),
    drifts: { hour: [...shard.drifts.hour], day: [...shard.drifts.day] },
    tables: { hour: table('hour'), day: table('day') },
  };
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  const slabs = GRANULARITIES.map((granularity) => {
    const { f64 } = shard.tables[granularity].records.slab;
    return Buffer.from(f64.buffer, f64.byteOffset, 8 * header.tables[granularity].words);
  });
  return Buffer.concat([length, json, ...slabs]);
}

function storesOf({ tables }: Shard): string[] {
  const stores = new Set<string>();
  for (const { nodes } of Object.values(tables))
    for (const { store } of nodes.keys) if (store !== undefined) stores.add(store);
  return [...stores];
}

/**
 * Fills a fresh shard with what `encodeCheckpoint` wrote under the same layout. False, and nothing done, when a store
 * has been moved to another zone since: its series were learned by another calendar.
 */
export function restoreCheckpoint(shard: Shard, bytes: Buffer, zoneOf: (store: string) => string): boolean {
  const headerEnd = 4 + bytes.readUInt32LE(0);
  const header = JSON.parse(bytes.toString('utf8', 4, headerEnd)) as Header;
  if (Object.entries(header.zones).some(([store, zone]) => zoneOf(store) !== zone)) return false;
  shard.nextOffset = header.nextOffset;
  shard.historyMs = header.historyMs;
  for (const [source, watermarkMs] of header.sources) shard.sources.set(source, watermarkMs);
  for (const sku of header.tracked) shard.tracked.add(sku);
  let at = headerEnd;
  for (const granularity of GRANULARITIES) {
    const table = shard.tables[granularity];
    const { nextBucketMs, nodes, words } = header.tables[granularity];
    for (const [id, told] of header.drifts[granularity]) shard.drifts[granularity].set(id, told);
    table.nextBucketMs = nextBucketMs;
    for (const key of nodes) table.nodes.add(key);
    ensureAllRecords(table);
    if (table.records.used * table.engine.words !== words) throw new Error('checkpoint of another layout');
    const { buffer, byteOffset, byteLength } = table.records.slab.f64;
    bytes.copy(Buffer.from(buffer, byteOffset, byteLength), 0, at, at + 8 * words);
    at += 8 * words;
  }
  if (at !== bytes.length) throw new Error(`checkpoint of ${bytes.length} bytes instead of ${at}`);
  return true;
}
