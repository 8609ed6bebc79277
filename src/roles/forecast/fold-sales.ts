/** Folds closed buckets out of `sales` into a shard's tables: forward as buckets close, and again after an amendment. */
import type { Store } from '../../adapters/clickhouse/client.ts';
import { bucketRange, readTotals } from '../../adapters/clickhouse/sales-table.ts';
import type { Granularity } from '../../sales/series.ts';
import { MEASURES } from '../../sales/series.ts';
import { bucketEndMs } from '../../sales/calendar.ts';
import { BUCKET_MS } from '../../pipeline/bucket-length.ts';
import type { FoldContext, Records, SeriesTable, Totals } from '../../pipeline/series-table.ts';
import {
  addNodes,
  createRecords,
  ensureAllRecords,
  ensureRecords,
  fold,
} from '../../pipeline/series-table.ts';
import type { Shard } from '../../pipeline/shard.ts';
import { before, copyFrom, refresh, take } from '../../pipeline/snapshots.ts';
import type { Calendars } from '../calendars.ts';
import { runSliced } from '../sliced.ts';

export type FoldDeps = {
  readonly store: Store;
  readonly calendars: Calendars;
  readonly chunkBuckets: number;
  /** Told of each bucket that was closed: how far a warm start has come. */
  readonly onBucket: (granularity: Granularity, bucketMs: number, untilMs: number) => void;
  /** Asked now and then: what it returns is waited for, and what it throws ends the work. */
  readonly pause: () => Promise<void> | undefined;
};

/** Closes every bucket of the table that has ended everywhere by the watermark; returns how many. */
export async function closeUpTo(
  shard: Shard,
  granularity: Granularity,
  watermarkMs: number,
  context: FoldContext,
  deps: FoldDeps,
): Promise<number> {
  const table = shard.tables[granularity];
  table.nextBucketMs ??= (await bucketRange(deps.store, granularity))?.firstMs ?? null;
  if (table.nextBucketMs === null) return 0;
  const fromMs = table.nextBucketMs;
  const untilMs = firstOpenBucket(granularity, fromMs, watermarkMs, deps.calendars);
  for (let at = fromMs; at < untilMs; at = table.nextBucketMs) {
    const chunk = chunkAt(granularity, at, untilMs, deps);
    const totals = await readChunk(shard, granularity, chunk, deps);
    addNodes(table, totals);
    ensureAllRecords(table);
    await runSliced(fold(table, table.records, { ...chunk, totals }, context), (bucketMs) => {
      if (bucketMs === null) return deps.pause();
      table.nextBucketMs = bucketMs + BUCKET_MS[granularity];
      deps.onBucket(granularity, bucketMs, untilMs);
      return deps.pause();
    });
    take(shard.snapshots[granularity], table);
  }
  shard.open.forgetBefore(granularity, untilMs);
  return Math.max(0, (untilMs - fromMs) / BUCKET_MS[granularity]);
}

/** The first bucket that has not ended in every zone of the chain. */
function firstOpenBucket(
  granularity: Granularity,
  fromMs: number,
  watermarkMs: number,
  calendars: Calendars,
): number {
  let bucketMs = fromMs;
  while (endsBy(granularity, bucketMs, watermarkMs, calendars)) bucketMs += BUCKET_MS[granularity];
  return bucketMs;
}

function endsBy(
  granularity: Granularity,
  bucketMs: number,
  watermarkMs: number,
  calendars: Calendars,
): boolean {
  if (granularity === 'hour') return bucketMs + BUCKET_MS.hour <= watermarkMs;
  return calendars.all().every((calendar) => bucketEndMs('day', bucketMs, calendar) <= watermarkMs);
}

type Range = { readonly fromMs: number; readonly beforeMs: number };

function chunkAt(granularity: Granularity, fromMs: number, untilMs: number, deps: FoldDeps): Range {
  return { fromMs, beforeMs: Math.min(untilMs, fromMs + deps.chunkBuckets * BUCKET_MS[granularity]) };
}

async function readChunk(
  shard: Shard,
  granularity: Granularity,
  range: Range,
  deps: FoldDeps,
): Promise<Totals> {
  const wanted = { granularity, ...range };
  const leaves = await readTotals(deps.store, { ...wanted, products: 'summed' });
  if (leaves.storeId.some((storeId) => deps.calendars.known(storeId) === undefined))
    await deps.calendars.load();
  if (!wantsProducts(shard, granularity)) return { leaves, products: null };
  return { leaves, products: await readTotals(deps.store, { ...wanted, products: [...shard.tracked] }) };
}

function wantsProducts(shard: Shard, granularity: Granularity): boolean {
  return shard.tracked.size > 0 && shard.tables[granularity].nodes.hasLevel('product', 'store-product');
}

/** What is to be folded again: the nodes, and the first bucket that changed. */
export type Amendment = { readonly fromMs: number; readonly concerns: (node: number) => boolean };

/**
 * Recomputes series from the last copy before the amended bucket (or from the beginning) up to where the table stands,
 * in memory of their own, and puts them in place at the end. Returns the nodes recomputed.
 */
export async function refold(
  shard: Shard,
  granularity: Granularity,
  amendment: Amendment,
  context: FoldContext,
  deps: FoldDeps,
): Promise<ReadonlySet<number>> {
  const table = shard.tables[granularity];
  const range = await bucketRange(deps.store, granularity);
  const recomputed = new Set<number>();
  if (table.nextBucketMs === null || range === null) return recomputed;
  const base = before(shard.snapshots[granularity], amendment.fromMs);
  const scratch = createRecords();
  const words = MEASURES.length * table.engine.words;
  const began = (place: number) => table.engine.count(scratch.slab, place) > 0;
  const again = { records: scratch, nodes: recomputed, words, began };
  for (let at = base?.nextBucketMs ?? firstOfGrid(table, range.firstMs); at < table.nextBucketMs;) {
    const chunk = chunkAt(granularity, at, table.nextBucketMs, deps);
    const totals = await readChunk(shard, granularity, chunk, deps);
    addNodes(table, totals);
    ensureAllRecords(table);
    for (let node = 0; node < table.nodes.keys.length; node += 1) {
      if (recomputed.has(node) || !amendment.concerns(node)) continue;
      recomputed.add(node);
      ensureRecords(scratch, table.engine, node);
      if (base !== undefined) copyFrom(base, table.records, scratch, { node, words });
    }
    await runSliced(fold(table, scratch, { ...chunk, totals }, context), (bucketMs) => {
      if (bucketMs !== null) {
        refresh(shard.snapshots[granularity], bucketMs + BUCKET_MS[granularity], table.records, again);
      }
      return deps.pause();
    });
    at = chunk.beforeMs;
  }
  putInPlace(table, scratch, recomputed, words);
  return recomputed;
}

/** The bucket of the table's own grid that holds this one: zones may differ by a fraction of an hour. */
function firstOfGrid(table: SeriesTable, firstMs: number): number {
  const lengthMs = BUCKET_MS[table.granularity];
  const nextMs = table.nextBucketMs as number;
  return nextMs - Math.ceil((nextMs - firstMs) / lengthMs) * lengthMs;
}

function putInPlace(table: SeriesTable, scratch: Records, nodes: ReadonlySet<number>, words: number): void {
  for (const node of nodes) {
    const from = scratch.places[node] as number;
    table.records.slab.f64.set(scratch.slab.f64.subarray(from, from + words), table.records.places[node]);
  }
}
