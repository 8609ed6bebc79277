/**
 * Running totals of the buckets that are still open, per leaf (store, category, product), for the nowcast.
 *
 * Exact under duplicates, revisions and voids: each ticket's part is remembered until its buckets close, and taken
 * out again when a higher version or a void replaces it. The memory of tickets is bounded; a ticket beyond the bound
 * is added without being remembered (counted in `forgotten`), and the close of its bucket puts right what a later
 * duplicate of it adds.
 */
import { HOUR_MS } from '../config.ts';
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
  readonly endMs: number;
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
  /** Tickets that could not be remembered. */
  forgotten(): number;
};

type Remembered = { version: bigint; voided: boolean; ticket: OpenTicket | null; untilMs: number };

export function createOpenTotals(limits: { ticketsMax: number }): OpenTotals {
  const leaves = new Map<string, OpenLeaf>();
  const tickets = new Map<string, Remembered>();
  let changed = new Set<OpenLeaf>();
  let closedUntilMs = Number.NEGATIVE_INFINITY;
  let forgotten = 0;

  function apply(ticket: OpenTicket, sign: 1 | -1): void {
    for (const amount of ticket.amounts) {
      if (ticket.hourMs + HOUR_MS > closedUntilMs) {
        change(ticket, amount, sign, 'hour', ticket.hourMs, ticket.hourMs + HOUR_MS);
      }
      if (ticket.dayEndMs > closedUntilMs) {
        change(ticket, amount, sign, 'day', dayBucketMs(ticket.businessDate), ticket.dayEndMs);
      }
    }
  }

  function change(
    ticket: OpenTicket,
    amount: LeafAmount,
    sign: 1 | -1,
    granularity: Granularity,
    bucketMs: number,
    endMs: number,
  ): void {
    const key = `${granularity}|${bucketMs}|${ticket.storeId}|${amount.category}|${amount.sku}`;
    let leaf = leaves.get(key);
    if (leaf === undefined) {
      leaf = {
        granularity,
        bucketMs,
        endMs,
        storeId: ticket.storeId,
        category: amount.category,
        sku: amount.sku,
        unitsThousandths: 0,
        revenueMinor: 0,
      };
      leaves.set(key, leaf);
    }
    leaf.unitsThousandths += sign * amount.unitsThousandths;
    leaf.revenueMinor += sign * amount.revenueMinor;
    changed.add(leaf);
  }

  function remember(key: string, entry: Remembered): void {
    if (tickets.size < limits.ticketsMax || tickets.has(key)) tickets.set(key, entry);
    else forgotten += 1;
  }

  function voidTicket(key: string, untilMs: number): void {
    const known = tickets.get(key);
    if (known?.voided === true) return;
    if (known?.ticket) apply(known.ticket, -1);
    remember(key, { version: known?.version ?? -1n, voided: true, ticket: known?.ticket ?? null, untilMs });
  }

  return {
    add(ticket) {
      const untilMs = Math.max(ticket.dayEndMs, ticket.hourMs + HOUR_MS);
      const key = ticketKey(ticket, ticket.transactionId);
      const known = tickets.get(key);
      if (known !== undefined && known.version >= ticket.version) return false;
      const voided = known?.voided === true;
      if (known?.ticket && !voided) apply(known.ticket, -1);
      if (!voided) apply(ticket, 1);
      remember(key, { version: ticket.version, voided, ticket, untilMs });
      if (ticket.voids !== null) voidTicket(ticketKey(ticket, ticket.voids), untilMs);
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
      const closed = new Map<string, ClosedBucket>();
      for (const [key, leaf] of leaves) {
        if (leaf.endMs > watermarkMs) continue;
        leaves.delete(key);
        changed.delete(leaf);
        const { granularity, bucketMs, endMs, storeId } = leaf;
        closed.set(`${granularity}|${bucketMs}|${storeId}`, { granularity, bucketMs, endMs, storeId });
      }
      for (const [key, ticket] of tickets) if (ticket.untilMs <= watermarkMs) tickets.delete(key);
      return [...closed.values()];
    },
    forgotten: () => forgotten,
  };
}

function ticketKey(ticket: OpenTicket, transactionId: string): string {
  return `${ticket.businessDate}|${ticket.storeId}|${transactionId}`;
}
