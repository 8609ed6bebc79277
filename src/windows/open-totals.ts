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
  unitsThousandths: number;
  revenueMinor: number;
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

type Bucket = ClosedBucket & { readonly leaves: Map<string, OpenLeaf> };

/** A ticket counts while no other voids it. Null: one that was voided before it came. */
type Known = { readonly ticket: OpenTicket | null; voiders: number };

/** The tickets of one store and business date: what replaces or voids one of them is among them. */
type Day = { readonly tickets: Map<string, Known>; endMs: number };

export function createOpenTotals(limits: { ticketsMax: number }): OpenTotals {
  const buckets = new Map<string, Bucket>();
  const days = new Map<string, Day>();
  let changed = new Set<OpenLeaf>();
  let closedUntilMs = Number.NEGATIVE_INFINITY;
  let remembered = 0;
  let forgotten = 0;

  /** A ticket that does not count (sign 0) leaves its leaves behind too: they were touched, and are to be announced. */
  function apply(ticket: OpenTicket, sign: 1 | 0 | -1): void {
    const { hourMs, dayEndMs, businessDate, storeId } = ticket;
    const open: Bucket[] = [];
    if (hourMs + HOUR_MS > closedUntilMs) open.push(bucketOf('hour', hourMs, hourMs + HOUR_MS, storeId));
    if (dayEndMs > closedUntilMs) open.push(bucketOf('day', dayBucketMs(businessDate), dayEndMs, storeId));
    for (const amount of ticket.amounts) {
      const name = `${amount.category}\u0000${amount.sku}`;
      for (const bucket of open) {
        const leaf = leafOf(bucket, name, amount);
        leaf.unitsThousandths += sign * amount.unitsThousandths;
        leaf.revenueMinor += sign * amount.revenueMinor;
        changed.add(leaf);
      }
    }
  }

  function bucketOf(granularity: Granularity, bucketMs: number, endMs: number, storeId: string): Bucket {
    const name = `${granularity}\u0000${bucketMs}\u0000${storeId}`;
    let bucket = buckets.get(name);
    if (bucket === undefined) {
      bucket = { granularity, bucketMs, endMs, storeId, leaves: new Map() };
      buckets.set(name, bucket);
    }
    return bucket;
  }

  function dayOf(ticket: OpenTicket, untilMs: number): Day {
    const name = `${ticket.businessDate}\u0000${ticket.storeId}`;
    let day = days.get(name);
    if (day === undefined) days.set(name, (day = { tickets: new Map(), endMs: untilMs }));
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
    if (known.ticket !== null && counted !== counts) apply(known.ticket, counts ? 1 : -1);
    remember(day, transactionId, known);
  }

  return {
    add(ticket) {
      const untilMs = Math.max(ticket.dayEndMs, ticket.hourMs + HOUR_MS);
      if (untilMs <= closedUntilMs) return true;
      const day = dayOf(ticket, untilMs);
      const { ticket: before = null, voiders = 0 } = day.tickets.get(ticket.transactionId) ?? {};
      if (before !== null && before.version >= ticket.version) return false;
      if (before !== null && voiders === 0) apply(before, -1);
      apply(ticket, voiders === 0 ? 1 : 0);
      remember(day, ticket.transactionId, { ticket, voiders });
      if (before?.voids) changeVoiders(day, before.voids, -1);
      if (ticket.voids !== null) changeVoiders(day, ticket.voids, 1);
      forgetBeyondLimit();
      return true;
    },
    takeChanged() {
      const taken = [...changed];
      changed = new Set();
      return taken;
    },
    close(watermarkMs) {
      if (watermarkMs <= closedUntilMs) return [];
      closedUntilMs = watermarkMs;
      const closed: ClosedBucket[] = [];
      for (const [name, { leaves, ...bucket }] of buckets) {
        if (bucket.endMs > watermarkMs) continue;
        buckets.delete(name);
        for (const leaf of leaves.values()) changed.delete(leaf);
        if (leaves.size > 0) closed.push(bucket);
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

function leafOf(
  { granularity, bucketMs, storeId, leaves }: Bucket,
  name: string,
  amount: LeafAmount,
): OpenLeaf {
  let leaf = leaves.get(name);
  if (leaf === undefined) {
    const { category, sku } = amount;
    leaf = { granularity, bucketMs, storeId, category, sku, unitsThousandths: 0, revenueMinor: 0 };
    leaves.set(name, leaf);
  }
  return leaf;
}
