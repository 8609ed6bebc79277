/**
 * How the open buckets will end: what has been sold so far plus what is still expected, for the series whose sales
 * changed and, in turn, for the others, because time alone changes what remains.
 */
import { HOUR_MS } from '../sales/durations.ts';
import type { NodeKey } from '../hierarchy/nodes.ts';
import { nowcast } from '../models/nowcast.ts';
import type { StoreCalendar } from '../sales/calendar.ts';
import { dayBounds, businessDateOfBucket, hourSlot } from '../sales/calendar.ts';
import type { Granularity, Measure } from '../sales/series.ts';
import { LEVELS, MEASURES } from '../sales/series.ts';
import { BUCKET_MS } from './bucket-length.ts';
import type { OpenSales } from './open-sales.ts';
import type { SeriesTable } from './series-table.ts';

/** Steps ahead for which the published means are kept: the open buckets lie within them. */
export const NEAR_STEPS = 4;

/** Published means of the next few buckets, per node and measure. */
export type NearMeans = Map<number, Float64Array>;

/** Keeps the first of a series' published means. */
export function keepNear(near: NearMeans, node: number, measure: Measure, means: Float64Array): void {
  let kept = near.get(node);
  if (kept === undefined) near.set(node, (kept = new Float64Array(MEASURES.length * NEAR_STEPS)));
  kept.set(means.subarray(0, NEAR_STEPS), MEASURES.indexOf(measure) * NEAR_STEPS);
}

export type NowcastPoint = {
  readonly node: number;
  readonly measure: Measure;
  readonly bucketMs: number;
  /** In units of the measure; `total === sold + remaining`. */
  readonly sold: number;
  readonly remaining: number;
  readonly total: number;
  readonly quantiles: Float64Array;
};

export type NowcastContext = {
  readonly tables: Readonly<Record<Granularity, SeriesTable>>;
  readonly near: Readonly<Record<Granularity, NearMeans>>;
  readonly open: OpenSales;
  readonly calendarOf: (store: string | undefined) => StoreCalendar;
  readonly minorPerUnit: number;
  /** Up to where sales are known, UTC milliseconds of event time. */
  readonly asOfMs: number;
};

/** Nowcasts of one node: every open bucket that has begun, both measures. Empty when the series has not begun. */
export function nowcastNode(granularity: Granularity, node: number, context: NowcastContext): NowcastPoint[] {
  const table = context.tables[granularity];
  const means = context.near[granularity].get(node);
  const place = table.records.places[node];
  if (means === undefined || place === undefined || place === -1 || table.nextBucketMs === null) return [];
  if (table.engine.count(table.records.slab, place) === 0) return [];
  const points: NowcastPoint[] = [];
  for (let step = 0; step < NEAR_STEPS; step += 1) {
    const bucketMs = table.nextBucketMs + step * BUCKET_MS[granularity];
    const share = elapsedShare(granularity, node, bucketMs, context);
    if (share === null) break;
    for (const [m, measure] of MEASURES.entries()) {
      const unit = measure === 'units' ? 1000 : context.minorPerUnit;
      const sold = context.open.sold(granularity, bucketMs, node, measure) / unit;
      const quantiles = new Float64Array(table.engine.spec.probabilities.length);
      const result = nowcast(
        {
          sold,
          expected: means[m * NEAR_STEPS + step] as number,
          elapsedShare: share,
          dispersion: table.engine.dispersion(table.records.slab, place + m * table.engine.words),
          probabilities: table.engine.spec.probabilities,
        },
        quantiles,
      );
      points.push({ node, measure, bucketMs, sold, quantiles, ...result });
    }
  }
  return points;
}

/** The share of the bucket's expected sales that lies behind; null when the bucket has not begun. */
function elapsedShare(
  granularity: Granularity,
  node: number,
  bucketMs: number,
  context: NowcastContext,
): number | null {
  const key = context.tables[granularity].nodes.keys[node] as NodeKey;
  if (granularity === 'hour') {
    const share = (context.asOfMs - bucketMs) / HOUR_MS;
    return share < 0 ? null : Math.min(share, 1);
  }
  const calendar = context.calendarOf(key.store);
  const { startMs, endMs } = dayBounds(businessDateOfBucket(bucketMs), calendar);
  if (context.asOfMs < startMs) return null;
  return shareOfDay({ key, startMs, endMs, timeZone: calendar.timeZone }, context);
}

type Day = {
  readonly key: NodeKey;
  readonly startMs: number;
  readonly endMs: number;
  readonly timeZone: string;
};

/** By the hourly series of the same node, or of the next wider one there is; by the clock where there is none. */
function shareOfDay(day: Day, context: NowcastContext): number {
  const { asOfMs } = context;
  const place = profilePlace(day.key, context);
  const { engine, records } = context.tables.hour;
  let behind = 0;
  let whole = 0;
  for (let hourMs = day.startMs; hourMs < day.endMs; hourMs += HOUR_MS) {
    const slot = hourSlot(hourMs, day.timeZone);
    const expected = place === null ? 1 : Math.max(0, engine.slotMean(records.slab, place, slot));
    behind += expected * Math.min(1, Math.max(0, (asOfMs - hourMs) / HOUR_MS));
    whole += expected;
  }
  if (whole > 0) return Math.min(1, behind / whole);
  return Math.min(1, (asOfMs - day.startMs) / (day.endMs - day.startMs));
}

function profilePlace(key: NodeKey, context: NowcastContext): number | null {
  const { nodes, records, engine } = context.tables.hour;
  for (const candidate of widening(key)) {
    const node = nodes.find(candidate);
    const place = node === undefined ? undefined : records.places[node];
    if (place !== undefined && place !== -1 && engine.count(records.slab, place) > 0) return place;
  }
  return null;
}

function widening(key: NodeKey): NodeKey[] {
  const wider: NodeKey[] = [key];
  if (key.store !== undefined) wider.push({ level: 'store', store: key.store });
  wider.push({ level: 'total' });
  return wider;
}

/**
 * Chooses whose nowcasts to publish: changed series, the widest levels first, then some of the rest in turn. No level
 * takes more than half of what room the wider ones have left while a narrower one waits, so that a busy chain's
 * narrow series get their turn too; within a level who has waited longest comes first.
 */
export function createNowcastQueue(limits: { seriesMax: number; refreshMax: number }) {
  const waiting: Record<Granularity, Set<number>[]> = { hour: LEVELS.map(newSet), day: LEVELS.map(newSet) };
  const turn: Record<Granularity, number> = { hour: 0, day: 0 };
  return {
    add(granularity: Granularity, nodes: Iterable<number>, table: SeriesTable): void {
      for (const node of nodes) {
        const { level } = table.nodes.keys[node] as NodeKey;
        (waiting[granularity][LEVELS.indexOf(level)] as Set<number>).add(node);
      }
    },
    take(granularity: Granularity, table: SeriesTable): number[] {
      const levels = waiting[granularity];
      const chosen = new Set<number>();
      for (const level of levels) takeFrom(level, Math.ceil((limits.seriesMax - chosen.size) / 2), chosen);
      for (const level of levels) takeFrom(level, limits.seriesMax - chosen.size, chosen);
      const count = table.nodes.keys.length;
      const free = Math.min(limits.refreshMax, limits.seriesMax - chosen.size, count);
      for (let i = 0; i < free; i += 1) {
        chosen.add(turn[granularity] % count);
        turn[granularity] = (turn[granularity] + 1) % count;
      }
      return [...chosen];
    },
  };
}

function newSet(): Set<number> {
  return new Set();
}

function takeFrom(waiting: Set<number>, count: number, chosen: Set<number>): void {
  let left = count;
  for (const node of waiting) {
    if (left === 0) return;
    waiting.delete(node);
    chosen.add(node);
    left -= 1;
  }
}
