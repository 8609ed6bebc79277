/**
 * Copies of a table's records at a few past buckets, close together near now and further apart before, so that an
 * amendment of a recent bucket folds hours again instead of a year. They are a shortcut, never needed to be right: what
 * is folded from a copy is what would be folded from the beginning.
 */
import { BUCKET_MS } from './bucket-length.ts';
import type { Records, SeriesTable } from './series-table.ts';

export type Snapshot = { readonly nextBucketMs: number; readonly words: Float64Array };

export type Snapshots = {
  readonly list: Snapshot[];
  readonly bytesMax: number;
  readonly countMax: number;
  /** The first bucket of the history; null before the first copy. */
  originMs: number | null;
};

export function createSnapshots(limits: { bytesMax: number; countMax: number }): Snapshots {
  return { list: [], ...limits, originMs: null };
}

/** Keeps a copy of the table as it is now. */
export function take(snapshots: Snapshots, table: SeriesTable): void {
  if (table.nextBucketMs === null) return;
  const words = table.records.used * table.engine.words;
  const room = Math.min(snapshots.countMax, Math.floor(snapshots.bytesMax / Math.max(8 * words, 1)));
  snapshots.originMs ??= originOf(table, table.nextBucketMs);
  while (snapshots.list.length > 0 && snapshots.list.length >= room) thin(snapshots, table.nextBucketMs);
  if (room === 0) return;
  snapshots.list.push({
    nextBucketMs: table.nextBucketMs,
    words: table.records.slab.f64.slice(0, words),
  });
}

function originOf({ granularity, engine, records }: SeriesTable, nextBucketMs: number): number {
  let buckets = 0;
  for (const place of records.places) {
    if (place !== -1) buckets = Math.max(buckets, engine.count(records.slab, place));
  }
  return nextBucketMs - buckets * BUCKET_MS[granularity];
}

/**
 * Drops the copy without which the one before it has to stand in for buckets that are least older, in proportion, than
 * what it would have stood in for; never the latest. Left are ages of about one ratio each to the next: of 12 copies a
 * year of hours is folded again in at most some 3 times as many steps as the amended bucket is old.
 */
function thin({ list, originMs }: Snapshots, nowMs: number): void {
  const ageOf = (i: number): number => nowMs - (list[i]?.nextBucketMs ?? (originMs as number));
  let least = 0;
  let leastRatio = Number.POSITIVE_INFINITY;
  for (let i = 0; i < list.length - 1; i += 1) {
    const ratio = ageOf(i - 1) / ageOf(i + 1);
    if (ratio >= leastRatio) continue;
    leastRatio = ratio;
    least = i;
  }
  list.splice(least, 1);
}

/** The latest copy from which everything from `bucketMs` on can be folded again. */
export function before(snapshots: Snapshots, bucketMs: number): Snapshot | undefined {
  return snapshots.list.findLast((snapshot) => snapshot.nextBucketMs <= bucketMs);
}

/** The node's records as they were; false when it had none then: it begins later. */
export function copyFrom(
  snapshot: Snapshot,
  live: Records,
  to: Records,
  place: { readonly node: number; readonly words: number },
): boolean {
  const at = placeIn(snapshot, live, place);
  const target = to.places[place.node];
  if (at === null || target === undefined || target === -1) return false;
  to.slab.f64.set(snapshot.words.subarray(at, at + place.words), target);
  return true;
}

/**
 * While buckets are folded again: puts the nodes' new records into the copies that stand at this bucket. A copy that
 * has no place for one of them is dropped.
 */
export function refresh(
  snapshots: Snapshots,
  nextBucketMs: number,
  live: Records,
  again: {
    readonly records: Records;
    readonly nodes: Iterable<number>;
    readonly words: number;
    /** Whether the record at this place has begun: one that has not needs no place. */
    readonly began: (place: number) => boolean;
  },
): void {
  const i = snapshots.list.findIndex((snapshot) => snapshot.nextBucketMs === nextBucketMs);
  const snapshot = snapshots.list[i];
  if (snapshot === undefined) return;
  for (const node of again.nodes) {
    const from = again.records.places[node] as number;
    const at = placeIn(snapshot, live, { node, words: again.words });
    if (at === null) {
      if (!again.began(from)) continue;
      snapshots.list.splice(i, 1);
      return;
    }
    snapshot.words.set(again.records.slab.f64.subarray(from, from + again.words), at);
  }
}

function placeIn(
  snapshot: Snapshot,
  live: Records,
  place: { readonly node: number; readonly words: number },
): number | null {
  const at = live.places[place.node];
  return at === undefined || at === -1 || at + place.words > snapshot.words.length ? null : at;
}
