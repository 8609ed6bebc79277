/**
 * The ingest step: one batch of a source partition in, effects out. Pure but for `state`, which it changes: when an
 * effect fails the state is thrown away and rebuilt from what was committed, never patched.
 *
 * The role performs the effects in this order: insert, amend, close, publish, commit. Each is safe to repeat, so a
 * crash between any two leads to the same tables and messages.
 */
import { HOUR_MS } from '../sales/durations.ts';
import { dayBucketMs } from '../sales/calendar.ts';
import type { Granularity } from '../sales/series.ts';
import type { LeafAmount, OpenLeaf, OpenTicket, OpenTotals } from '../windows/open-totals.ts';
import type { Watermark } from '../windows/watermark.ts';
import { idle, observe } from '../windows/watermark.ts';
import type { Transaction, TransactionLine } from '../sales/transaction.ts';
import type { BucketMessage, OpenTotal } from './messages.ts';
import { GRANULARITY_SYMBOLS } from './messages.ts';

/** A parsed ticket with its place in time and its identity. */
export type PlacedTicket = {
  readonly transaction: Transaction;
  /** ticketVersion of the ticket as it was sent. */
  readonly version: bigint;
  readonly hourMs: number;
  readonly dayEndMs: number;
  /** The category that a line counts in. */
  readonly categoryOf: (line: TransactionLine) => string;
  readonly recordTimestampMs: number;
};

export type SourceState = {
  readonly topic: string;
  readonly partition: number;
  watermark: Watermark;
  readonly open: OpenTotals;
};

export type IngestInput = {
  readonly tickets: readonly PlacedTicket[];
  /** True when every record written to the partition has been read: only then may silence move the watermark. */
  readonly caughtUp: boolean;
  /** The furthest watermark of the partitions read beside this one, which a silent partition follows. */
  readonly leadMs: number | null;
  readonly nowMs: number;
};

export type IngestLimits = {
  readonly allowedLatenessMs: number;
  readonly futureSkewMsMax: number;
  readonly idleAfterMs: number;
  /** A revision may name a business date this many days off the day on which it replaces something. */
  readonly businessDateSkewDaysMax: number;
  readonly messageEntriesMax: number;
};

export type AmendTargets = {
  readonly hours: readonly { readonly storeId: string; readonly hourMs: number }[];
  readonly days: readonly { readonly storeId: string; readonly businessDate: string }[];
};

export type BucketCounts = Readonly<Record<Granularity, number>>;

export type IngestEffects = {
  readonly insert: readonly PlacedTicket[];
  readonly amend: AmendTargets;
  /** Close every bucket with `afterMs < end ≤ untilMs` of the partition's stores. */
  readonly close: { readonly afterMs: number; readonly untilMs: number } | null;
  readonly messages: readonly BucketMessage[];
  readonly watermarkMs: number | null;
  /** `late`: tickets of buckets that had been closed; a duplicate of one is taken for late, as nothing is known of it. */
  readonly counts: { readonly duplicates: number; readonly late: number };
  /** How many buckets, counted per store. */
  readonly closed: BucketCounts;
  readonly amended: BucketCounts;
};

export function ingestStep(state: SourceState, input: IngestInput, limits: IngestLimits): IngestEffects {
  const before = state.watermark.ms;
  state.watermark = nextWatermark(state.watermark, input, limits);
  const after = state.watermark.ms;
  // A partition's first tickets: nothing before their own buckets is this partition's to close.
  const afterMs = before ?? firstEndMs(input.tickets) - 1;

  let duplicates = 0;
  for (const ticket of input.tickets) if (!state.open.add(openTicket(ticket))) duplicates += 1;
  const amend = new AmendedBuckets(limits.businessDateSkewDaysMax);
  let late = 0;
  if (before !== null) {
    for (const ticket of input.tickets) if (amend.touch(ticket, before)) late += 1;
  }

  const closed = after === null ? [] : state.open.close(after);
  const amended = amend.buckets();
  return {
    insert: input.tickets,
    amend: amend.targets(),
    close: closed.length === 0 || after === null ? null : { afterMs, untilMs: after },
    // First closes are announced too: the forecast may have gone past them before it knew of this partition or zone.
    messages: bucketMessages(state, input, [...amended, ...closed], before, limits.messageEntriesMax),
    watermarkMs: after,
    counts: { duplicates, late },
    closed: countBuckets(closed),
    amended: countBuckets(amended),
  };
}

function nextWatermark(watermark: Watermark, input: IngestInput, limits: IngestLimits): Watermark {
  if (input.tickets.length === 0)
    return input.caughtUp ? idle(watermark, { ...limits, ...input }) : watermark;
  const latestMs = input.tickets.reduce((max, { transaction }) => Math.max(max, transaction.endTimeMs), 0);
  // A producer whose clock is wrong stamps record and ticket alike: our own clock has the last word on what time it is.
  const maxEndMs = Math.min(latestMs, input.nowMs + limits.futureSkewMsMax);
  return observe(watermark, { maxEndMs, nowMs: input.nowMs, allowedLatenessMs: limits.allowedLatenessMs });
}

function countBuckets(buckets: readonly AnnouncedBucket[]): BucketCounts {
  const hour = buckets.filter(({ granularity }) => granularity === 'hour').length;
  return { hour, day: buckets.length - hour };
}

/** The earliest end of a bucket that one of the tickets counts in: a business date may be over before the hour. */
function firstEndMs(tickets: readonly PlacedTicket[]): number {
  return tickets.reduce(
    (first, { hourMs, dayEndMs }) => Math.min(first, hourMs + HOUR_MS, dayEndMs),
    Number.POSITIVE_INFINITY,
  );
}

/** The part of a ticket that counts, per line. */
function openTicket(placed: PlacedTicket): OpenTicket {
  const { transaction } = placed;
  return {
    storeId: transaction.storeId,
    businessDate: transaction.businessDate,
    transactionId: transaction.transactionId,
    version: placed.version,
    hourMs: placed.hourMs,
    dayEndMs: placed.dayEndMs,
    voids: transaction.type === 'VOID' && !transaction.training ? transaction.originalTransactionId : null,
    amounts: countedAmounts(placed),
  };
}

function countedAmounts({ transaction, categoryOf }: PlacedTicket): LeafAmount[] {
  if (transaction.training || transaction.type === 'VOID') return [];
  return transaction.lines
    .filter((line) => !line.voided)
    .map((line) => ({
      category: categoryOf(line),
      sku: line.sku,
      unitsThousandths: line.quantityThousandths,
      revenueMinor: line.netAmountMinor,
    }));
}

type AnnouncedBucket = {
  readonly granularity: Granularity;
  readonly bucketMs: number;
  readonly storeId: string;
};

/** Closed buckets that a batch changes, each once. */
class AmendedBuckets {
  private readonly skewDaysMax: number;
  private readonly hours = new Map<string, { storeId: string; hourMs: number }>();
  private readonly days = new Map<string, { storeId: string; businessDate: string }>();

  constructor(skewDaysMax: number) {
    this.skewDaysMax = skewDaysMax;
  }

  /** Notes what the ticket changes among buckets ended at or before the watermark; true when its own are among them. */
  touch(ticket: PlacedTicket, watermarkMs: number): boolean {
    const { storeId, businessDate } = ticket.transaction;
    const hourClosed = ticket.hourMs + HOUR_MS <= watermarkMs;
    const dayClosed = ticket.dayEndMs <= watermarkMs;
    if (dayClosed) this.days.set(`${storeId}|${businessDate}`, { storeId, businessDate });
    if (replacesAnother(ticket)) this.touchHoursOfDay(ticket, watermarkMs);
    else if (hourClosed) this.touchHour(storeId, ticket.hourMs);
    return hourClosed || dayClosed;
  }

  /** What a revision or void replaces may have counted in any hour of its business date. */
  private touchHoursOfDay(ticket: PlacedTicket, watermarkMs: number): void {
    const { storeId } = ticket.transaction;
    const reachHours = (2 * this.skewDaysMax + 1) * 24;
    for (let hours = -reachHours; hours <= reachHours; hours += 1) {
      const hourMs = ticket.hourMs + hours * HOUR_MS;
      if (hourMs + HOUR_MS <= watermarkMs) this.touchHour(storeId, hourMs);
    }
  }

  private touchHour(storeId: string, hourMs: number): void {
    this.hours.set(`${storeId}|${hourMs}`, { storeId, hourMs });
  }

  targets(): AmendTargets {
    return { hours: [...this.hours.values()], days: [...this.days.values()] };
  }

  buckets(): AnnouncedBucket[] {
    const hours = [...this.hours.values()].map(({ storeId, hourMs }) => ({
      granularity: 'hour' as const,
      bucketMs: hourMs,
      storeId,
    }));
    const days = [...this.days.values()].map(({ storeId, businessDate }) => ({
      granularity: 'day' as const,
      bucketMs: dayBucketMs(businessDate),
      storeId,
    }));
    return [...hours, ...days];
  }
}

function replacesAnother({ transaction }: PlacedTicket): boolean {
  return (
    transaction.revision > 0 || (transaction.type === 'VOID' && transaction.originalTransactionId !== null)
  );
}

/** Several messages when there is much to say; only the last carries the new watermark. */
function bucketMessages(
  state: SourceState,
  input: IngestInput,
  amended: readonly AnnouncedBucket[],
  beforeMs: number | null,
  entriesMax: number,
): BucketMessage[] {
  const open = state.open.takeChanged();
  if (open.length === 0 && amended.length === 0 && state.watermark.ms === beforeMs) return [];
  const lastEventMs = input.tickets.reduce<number | null>(
    (latest, { recordTimestampMs }) =>
      latest === null || recordTimestampMs > latest ? recordTimestampMs : latest,
    null,
  );
  const messages: BucketMessage[] = [];
  const parts = Math.max(1, Math.ceil(Math.max(open.length, amended.length) / entriesMax));
  for (let part = 0; part < parts; part += 1) {
    const slice = <T>(list: readonly T[]): T[] => list.slice(part * entriesMax, (part + 1) * entriesMax);
    messages.push({
      source_topic: state.topic,
      source_partition: state.partition,
      kind: 'LIVE',
      watermark_ms: part === parts - 1 ? state.watermark.ms : beforeMs,
      last_event_ms: lastEventMs,
      open: slice(open).map(openTotal),
      amended: slice(amended).map((bucket) => ({
        granularity: GRANULARITY_SYMBOLS[bucket.granularity],
        bucket_ms: bucket.bucketMs,
        store_id: bucket.storeId,
      })),
    });
  }
  return messages;
}

/** A leaf's running total as it is said in messages. */
export function openTotal(leaf: OpenLeaf): OpenTotal {
  return {
    granularity: GRANULARITY_SYMBOLS[leaf.granularity],
    bucket_ms: leaf.bucketMs,
    store_id: leaf.storeId,
    category: leaf.category,
    sku: leaf.sku,
    units_thousandths: leaf.unitsThousandths,
    revenue_minor: leaf.revenueMinor,
  };
}
