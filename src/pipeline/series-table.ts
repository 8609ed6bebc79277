/**
 * All series of one granularity in one shard: a record of the engine's words per series in one slab, and the first
 * bucket that has not been folded yet. `fold` is the only thing that changes a record, live and when recomputing.
 */
import type { StoreCalendar } from '../sales/calendar.ts';
import { calendarWindow } from '../sales/calendar.ts';
import type { LeafTotals } from '../sales/leaf-totals.ts';
import type { Granularity, Measure } from '../sales/series.ts';
import { MEASURES } from '../sales/series.ts';
import type { Nodes } from '../hierarchy/nodes.ts';
import type { CalendarWindow, Engine, ScoredBuffer } from '../models/engine.ts';
import { createScoredBuffer } from '../models/engine.ts';
import type { Slab } from '../stats/slab.ts';
import { createSlab, growSlab } from '../stats/slab.ts';
import { BUCKET_MS } from './bucket-length.ts';

/** Where records lie: the live table's, or those of some nodes in a scratch slab. Nodes beyond the end are absent. */
export type Records = {
  slab: Slab;
  /** Per node the place of its first record; the second measure's follows. -1: not here. */
  places: number[];
  /** Records in use. */
  used: number;
};

export type SeriesTable = {
  readonly granularity: Granularity;
  readonly engine: Engine;
  readonly nodes: Nodes;
  readonly records: Records;
  /** Null until there is a first bucket. */
  nextBucketMs: number | null;
};

/** A bucket's leaves without products, and the same of the products that have series of their own. */
export type Totals = { readonly leaves: LeafTotals; readonly products: LeafTotals | null };

export type FoldContext = {
  readonly calendarOf: (store: string | undefined) => StoreCalendar;
  /** Minor units of one unit of the currency, e.g. 100. */
  readonly minorPerUnit: number;
  readonly onScored?: (scored: ScoredBucket) => void;
};

/** What the forecasts issued for one bucket of one series were worth. `buffer` is reused: read it at once. */
export type ScoredBucket = {
  readonly table: SeriesTable;
  node: number;
  measure: Measure;
  bucketMs: number;
  actual: number;
  /** Bit b: band b was scored. */
  bands: number;
  readonly buffer: ScoredBuffer;
};

export function createRecords(): Records {
  return { slab: createSlab(0), places: [], used: 0 };
}

/** Gives the node records in their first state, when it has none. */
export function ensureRecords(records: Records, engine: Engine, node: number): void {
  while (records.places.length <= node) records.places.push(-1);
  if (records.places[node] !== -1) return;
  const place = records.used * engine.words;
  const needed = place + MEASURES.length * engine.words;
  if (records.slab.f64.length < needed) {
    records.slab = growSlab(records.slab, Math.max(needed, 2 * records.slab.f64.length));
  }
  for (let m = 0; m < MEASURES.length; m += 1) engine.init(records.slab, place + m * engine.words);
  records.places[node] = place;
  records.used += MEASURES.length;
}

/** Gives every node of the table records, in the order of the nodes. */
export function ensureAllRecords(table: SeriesTable): void {
  for (let node = table.records.used / MEASURES.length; node < table.nodes.keys.length; node += 1) {
    ensureRecords(table.records, table.engine, node);
  }
}

/** Nodes stepped between two pauses: some milliseconds of work. */
const NODES_PER_PAUSE = 256;

/**
 * Folds the buckets `fromMs ≤ bucket < beforeMs` into the records of the nodes that `records` holds. `totals` are of
 * exactly these buckets. A generator, so that the caller can let others run meanwhile (but not touch the table): it
 * yields each bucket once folded, and null in the middle of one. A series begins with its first bucket that has sales.
 */
export function* fold(
  table: SeriesTable,
  records: Records,
  range: { readonly fromMs: number; readonly beforeMs: number; readonly totals: Totals },
  context: FoldContext,
): Generator<number | null, void> {
  const sums = createSums();
  const leaves = createCursor(range.totals.leaves);
  const products = range.totals.products === null ? null : createCursor(range.totals.products);
  const lengthMs = BUCKET_MS[table.granularity];
  const step = createStepper(table, records, context);
  for (let bucketMs = range.fromMs; bucketMs < range.beforeMs; bucketMs += lengthMs) {
    sums.clear(table.nodes.keys.length);
    leaves.upTo(bucketMs + lengthMs, (totals, i) =>
      sums.add(table.nodes.ofLeaf(...leafOf(totals, i)), totals, i),
    );
    products?.upTo(bucketMs + lengthMs, (totals, i) =>
      sums.add(table.nodes.ofProduct(totals.storeId[i] as string, totals.sku[i] as string), totals, i),
    );
    yield* step(bucketMs, sums);
    yield bucketMs;
  }
}

function leafOf(totals: LeafTotals, i: number): [store: string, category: string] {
  return [totals.storeId[i] as string, totals.category[i] as string];
}

/** Creates the nodes of all leaves, so that records can be made for them before they are folded. */
export function addNodes(table: SeriesTable, totals: Totals): void {
  for (let i = 0; i < totals.leaves.bucketMs.length; i += 1) table.nodes.ofLeaf(...leafOf(totals.leaves, i));
  const products = totals.products;
  if (products === null) return;
  for (let i = 0; i < products.bucketMs.length; i += 1) {
    table.nodes.ofProduct(products.storeId[i] as string, products.sku[i] as string);
  }
}

/** Learns one bucket: every series of the records that has begun, or begins with it. */
function createStepper(
  table: SeriesTable,
  records: Records,
  context: FoldContext,
): (bucketMs: number, sums: Sums) => Generator<null, void> {
  const { engine, nodes } = table;
  const buffer = createScoredBuffer(engine);
  const scored: ScoredBucket = { table, node: 0, measure: 'units', bucketMs: 0, actual: 0, bands: 0, buffer };
  const unitOf = { units: 1000, revenue: context.minorPerUnit };
  return function* step(bucketMs, sums) {
    const windows = createWindows(table, bucketMs, context);
    let steps = 0;
    for (let node = 0; node < records.places.length; node += 1) {
      const place = records.places[node] as number;
      if (place === -1) continue;
      const began = engine.count(records.slab, place) > 0;
      if (!began && !sums.present(node)) continue;
      const window = windows(nodes.keys[node]?.store);
      for (const [m, measure] of MEASURES.entries()) {
        const actual = (measure === 'units' ? sums.units(node) : sums.revenue(node)) / unitOf[measure];
        const bands = engine.step(records.slab, place + m * engine.words, actual, window, buffer);
        if (bands === 0 || context.onScored === undefined) continue;
        Object.assign(scored, { node, measure, bucketMs, actual, bands });
        context.onScored(scored);
      }
      steps += 1;
      if (steps % NODES_PER_PAUSE === 0) yield null;
    }
  };
}

/** Calendar windows of one bucket, one per zone. */
export function createWindows(
  table: Pick<SeriesTable, 'granularity' | 'engine'>,
  bucketMs: number,
  context: Pick<FoldContext, 'calendarOf'>,
): (store: string | undefined) => CalendarWindow {
  const windows = new Map<string, CalendarWindow>();
  return (store) => {
    const calendar = context.calendarOf(store);
    let window = windows.get(calendar.timeZone);
    if (window === undefined) {
      window = calendarWindow(table.granularity, bucketMs, calendar, table.engine.spec.horizon);
      windows.set(calendar.timeZone, window);
    }
    return window;
  };
}

type Sums = ReturnType<typeof createSums>;

/** Exact totals per node of one bucket: sums of integers below 2^53. */
function createSums() {
  let units = new Float64Array(0);
  let revenue = new Float64Array(0);
  let present = new Uint8Array(0);
  function grow(length: number): void {
    if (units.length >= length) return;
    units = grown(units, new Float64Array(2 * length));
    revenue = grown(revenue, new Float64Array(2 * length));
    const more = new Uint8Array(2 * length);
    more.set(present);
    present = more;
  }
  return {
    clear(length: number): void {
      grow(length);
      units.fill(0);
      revenue.fill(0);
      present.fill(0);
    },
    add(nodes: readonly number[], totals: LeafTotals, i: number): void {
      const u = totals.unitsThousandths[i] as number;
      const r = totals.revenueMinor[i] as number;
      if (u === 0 && r === 0) return;
      for (const node of nodes) {
        grow(node + 1);
        units[node] = (units[node] as number) + u;
        revenue[node] = (revenue[node] as number) + r;
        present[node] = 1;
      }
    },
    units: (node: number) => units[node] ?? 0,
    revenue: (node: number) => revenue[node] ?? 0,
    present: (node: number) => present[node] === 1,
  };
}

function grown(from: Float64Array<ArrayBuffer>, to: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  to.set(from);
  return to;
}

/** Walks columns sorted by bucket. */
function createCursor(totals: LeafTotals) {
  let at = 0;
  return {
    upTo(endMs: number, visit: (totals: LeafTotals, i: number) => void): void {
      while (at < totals.bucketMs.length && (totals.bucketMs[at] as number) < endMs) {
        visit(totals, at);
        at += 1;
      }
    },
  };
}
