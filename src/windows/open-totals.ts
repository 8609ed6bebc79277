/**
 * Running totals of the buckets that are still open, per leaf (store, category, product), for the nowcast.
 *
 * Exact under duplicates, revisions and voids, in whatever order they come: each ticket's part is remembered until its
 * buckets close, and taken out again when a higher version or a void replaces it. The memory of tickets is bounded;
 * beyond the bound the oldest is forgotten (counted in `forgotten`) but stays in the totals, and the close of its bucket
 * puts right what a later duplicate of it adds.
 */
import { HOUR_MS } from '../sales/durations.ts';
import { dayBucketMs } from '../sales/calendar.ts';
import type { Granularity } from '../sales/series.ts';

/** One leaf's part of a ticket, signed integers. */
export type LeafAmount = {
  readonly category: string;
  readonly sku: string;
  readonly unitsThousandths: number;
  readonly revenueMinor: number;
};

export type OpenTicket = {
  readonly storeId: string;
  readonly businessDate: string;
  readonly transactionId: string;
  /** Rises with the revision; equal for duplicates. */
  readonly version: bigint;
  readonly hourMs: number;
  readonly dayEndMs: number;
  /** The ticket this one voids, of the same store and business date. */
  readonly voids: string | null;
  /** What counts: empty for voids, training and wholly voided tickets. */
  readonly amounts: readonly LeafAmount[];
};

export type OpenLeaf = {
  readonly granularity: Granularity;
  readonly bucketMs: number;
  readonly storeId: string;
  readonly category: string;
  readonly sku: string;
  readonly unitsThousandths: number;
  readonly revenueMinor: number;
};

export type ClosedBucket = {
  readonly granularity: Granularity;
  readonly bucketMs: number;
  readonly endMs: number;
  readonly storeId: string;
};

export type OpenTotals = {
  /** Takes a ticket in; false when it is a duplicate or older than what is known. */
  add(ticket: OpenTicket): boolean;
  /** Leaves changed since the last call, with their totals now. */
  takeChanged(): OpenLeaf[];
  /** Forgets buckets that end at or before the watermark and returns them, one entry per bucket and store. */
  close(watermarkMs: number): ClosedBucket[];
  /** Tickets forgotten while their buckets were open. */
  forgotten(): number;
};

/** Of one store. */
type Bucket = ClosedBucket & { readonly leaves: Map<string, Map<string, Leaf>> };
type Leaf = {
  readonly bucket: Bucket;
  readonly category: string;
  readonly sku: string;
  unitsThousandths: number;
  revenueMinor: number;
  isChanged: boolean;
  /** The same product in the hour that was written last: most tickets are of one hour. */
  hour: Leaf | null;
};
type LeafName = Pick<Leaf, 'category' | 'sku'>;

/** The open buckets of a store, by their beginning. */
type StoreBuckets = Readonly<Record<Granularity, Map<number, Bucket>>>;

/** What is remembered of a ticket: there are many, so the texts are those of the leaves, and the amounts lie flat. */
type Counted = Pick<OpenTicket, 'version' | 'hourMs' | 'dayEndMs' | 'voids'> & {
  readonly names: readonly LeafName[];
  /** Thousandths and minor units of the n-th name at 2n and 2n + 1. */
  readonly amounts: readonly number[];
};

/** A ticket counts while no other voids it. Null: one that was voided before it came. */
type Known = { readonly ticket: Counted | null; voiders: number };

/** The tickets of one store and business date: what replaces or voids one of them is among them. */
type Day = {
  readonly storeId: string;
  readonly bucketMs: number;
  readonly tickets: Map<string, Known>;
  endMs: number;
};

export function createOpenTotals(limits: { ticketsMax: number }): OpenTotals {
  const stores = new Map<string, StoreBuckets>();
  /** In the order in which they began to be sold in. */
  const buckets = new Set<Bucket>();
  const days = new Map<string, Day>();
  let changed: Leaf[] = [];
  let closedUntilMs = Number.NEGATIVE_INFINITY;
  let remembered = 0;
  let forgotten = 0;

  /**
   * A ticket that does not count (sign 0) leaves its leaves behind too: they were touched, and are to be announced.
   * Returns what the ticket is remembered by.
   */
  function apply(day: Day, ticket: Omit<Counted, 'version' | 'voids'>, sign: 1 | 0 | -1): LeafName[] {
    const { hourMs, dayEndMs, names, amounts } = ticket;
    const hour =
      hourMs + HOUR_MS > closedUntilMs ? bucketOf('hour', hourMs, hourMs + HOUR_MS, day.storeId) : null;
    const whole = dayEndMs > closedUntilMs ? bucketOf('day', day.bucketMs, dayEndMs, day.storeId) : null;
    return names.map((name, at) => {
      const units = sign * amounts[2 * at]!;
      const revenue = sign * amounts[2 * at + 1]!;
      const inDay = whole === null ? null : leafOf(whole, name);
      const inHour = hour === null ? null : inDay?.hour?.bucket === hour ? inDay.hour : leafOf(hour, name);
      if (inHour !== null) add(inHour, units, revenue);
      if (inDay === null) return inHour ?? name;
      add(inDay, units, revenue);
      inDay.hour = inHour;
      return inDay;
    });
  }

  function add(leaf: Leaf, unitsThousandths: number, revenueMinor: number): void {
    leaf.unitsThousandths += unitsThousandths;
    leaf.revenueMinor += revenueMinor;
    if (leaf.isChanged) return;
    leaf.isChanged = true;
    changed.push(leaf);
  }

  function bucketOf(granularity: Granularity, bucketMs: number, endMs: number, storeId: string): Bucket {
    let store = stores.get(storeId);
    if (store === undefined) stores.set(storeId, (store = { hour: new Map(), day: new Map() }));
    let bucket = store[granularity].get(bucketMs);
    if (bucket === undefined) {
      bucket = { granularity, bucketMs, endMs, storeId, leaves: new Map() };
      store[granularity].set(bucketMs, bucket);
      buckets.add(bucket);
    }
    return bucket;
  }

  function forgetBucket({ storeId, granularity, bucketMs }: Bucket): void {
    const store = stores.get(storeId);
    store?.[granularity].delete(bucketMs);
    if (store?.hour.size === 0 && store.day.size === 0) stores.delete(storeId);
  }

  function dayOf({ businessDate, storeId }: OpenTicket, untilMs: number): Day {
    const name = `${businessDate}\u0000${storeId}`;
    let day = days.get(name);
    if (day === undefined) {
      day = { storeId, bucketMs: dayBucketMs(businessDate), tickets: new Map(), endMs: untilMs };
      days.set(name, day);
    }
    day.endMs = Math.max(day.endMs, untilMs);
    return day;
  }

  function remember(day: Day, transactionId: string, known: Known): void {
    if (!day.tickets.has(transactionId)) remembered += 1;
    day.tickets.set(transactionId, known);
  }

  /** The oldest first: a duplicate or a correction comes soon, if it comes. */
  function forgetBeyondLimit(): void {
    for (const [name, { tickets }] of days) {
      for (const transactionId of tickets.keys()) {
        if (remembered <= limits.ticketsMax) return;
        tickets.delete(transactionId);
        remembered -= 1;
        forgotten += 1;
      }
      days.delete(name);
    }
  }

  function changeVoiders(day: Day, transactionId: string, by: 1 | -1): void {
    const known = day.tickets.get(transactionId) ?? { ticket: null, voiders: 0 };
    const counted = known.voiders === 0;
    known.voiders += by;
    const counts = known.voiders === 0;
    if (known.ticket !== null && counted !== counts) apply(day, known.ticket, counts ? 1 : -1);
    remember(day, transactionId, known);
  }

  return {
    add(ticket) {
      const { transactionId, version, hourMs, dayEndMs, voids } = ticket;
      const untilMs = Math.max(dayEndMs, hourMs + HOUR_MS);
      if (untilMs <= closedUntilMs) return true;
      const day = dayOf(ticket, untilMs);
      const { ticket: before = null, voiders = 0 } = day.tickets.get(transactionId) ?? {};
      if (before !== null && before.version >= version) return false;
      if (before !== null && voiders === 0) apply(day, before, -1);
      const amounts = ticket.amounts.flatMap(({ unitsThousandths, revenueMinor }) => [
        unitsThousandths,
        revenueMinor,
      ]);
      const names = apply(day, { hourMs, dayEndMs, names: ticket.amounts, amounts }, voiders === 0 ? 1 : 0);
      remember(day, transactionId, { ticket: { version, hourMs, dayEndMs, voids, names, amounts }, voiders });
      if (before?.voids) changeVoiders(day, before.voids, -1);
      if (voids !== null) changeVoiders(day, voids, 1);
      forgetBeyondLimit();
      return true;
    },
    takeChanged() {
      const taken = changed;
      changed = [];
      for (const leaf of taken) leaf.isChanged = false;
      return taken.filter(({ bucket }) => bucket.endMs > closedUntilMs).map(openLeaf);
    },
    close(watermarkMs) {
      if (watermarkMs <= closedUntilMs) return [];
      closedUntilMs = watermarkMs;
      const closed: ClosedBucket[] = [];
      for (const bucket of buckets) {
        const { leaves, ...each } = bucket;
        if (bucket.endMs > watermarkMs) continue;
        buckets.delete(bucket);
        forgetBucket(bucket);
        if (leaves.size > 0) closed.push(each);
      }
      for (const [name, { endMs, tickets }] of days) {
        if (endMs > watermarkMs) continue;
        days.delete(name);
        remembered -= tickets.size;
      }
      return closed;
    },
    forgotten: () => forgotten,
  };
}

function leafOf(bucket: Bucket, { category, sku }: LeafName): Leaf {
  let products = bucket.leaves.get(category);
  if (products === undefined) bucket.leaves.set(category, (products = new Map()));
  let leaf = products.get(sku);
  if (leaf === undefined) {
    leaf = { bucket, category, sku, unitsThousandths: 0, revenueMinor: 0, isChanged: false, hour: null };
    products.set(sku, leaf);
  }
  return leaf;
}

function openLeaf({ bucket, category, sku, unitsThousandths, revenueMinor }: Leaf): OpenLeaf {
  const { granularity, bucketMs, storeId } = bucket;
  return { granularity, bucketMs, storeId, category, sku, unitsThousandths, revenueMinor };
}
