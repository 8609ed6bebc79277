/** Tickets for tests: made by hand, or at random from a seed. */
import { DAY_MS, HOUR_MS } from '../../../src/sales/durations.ts';
import type { Transaction, TransactionLine, TransactionType } from '../../../src/sales/transaction.ts';

export type Placed = {
  readonly transaction: Transaction;
  readonly hourMs: number;
  readonly dayEndMs: number;
};

export type TicketOutline = {
  readonly transactionId: string;
  readonly hourMs: number;
  /** sku (its category is its first letter), quantity, amount, voided */
  readonly lines: readonly (readonly [string, number, number, boolean?])[];
  readonly storeId?: string;
  readonly businessDate?: string;
  readonly revision?: number;
  readonly type?: TransactionType;
  readonly voids?: string;
  readonly training?: boolean;
  readonly eventId?: string;
};

export function ticket(outline: TicketOutline): Placed {
  const businessDate = outline.businessDate ?? new Date(outline.hourMs).toISOString().slice(0, 10);
  const endTimeMs = outline.hourMs + 1_234_567;
  return {
    hourMs: outline.hourMs,
    dayEndMs: Date.parse(businessDate) + DAY_MS,
    transaction: {
      eventId: outline.eventId ?? `${outline.transactionId}/${outline.revision ?? 0}`,
      transactionId: outline.transactionId,
      revision: outline.revision ?? 0,
      originalTransactionId: outline.voids ?? null,
      type: outline.type ?? 'SALE',
      training: outline.training ?? false,
      storeId: outline.storeId ?? '1',
      registerId: '3',
      channel: 'STORE',
      beginTimeMs: endTimeMs - 60_000,
      endTimeMs,
      timeZone: 'UTC',
      businessDate,
      currency: 'USD',
      lines: outline.lines.map(toLine),
      tenders: [{ kind: 'CASH', amountMinor: 100 }],
      attributes: { lane: 'left' },
    },
  };
}

function toLine(
  [sku, quantityThousandths, netAmountMinor, voided]: TicketOutline['lines'][number],
  i: number,
): TransactionLine {
  return {
    lineId: String(i + 1),
    sku,
    gtin: null,
    categoryPath: ['ALL', sku.slice(0, 1)],
    quantityThousandths,
    unitOfMeasure: 'EA',
    unitPriceMinor: null,
    listPriceMinor: 500,
    discounts: [{ promotionId: 'P1', couponId: null, amountMinor: 5 }],
    netAmountMinor,
    voided: voided ?? false,
  };
}

/**
 * About four days of tickets of six stores: revisions (some of them at another hour), voids, returns, training,
 * voided lines, contents that differ under one revision, and sales before the business day began. Revisions come after
 * what they replace.
 */
export function randomTickets(options: { seed: number; tickets: number }): Placed[] {
  const random = generator(options.seed);
  const below = (n: number): number => Math.floor(random() * n);
  const firstMs = Date.UTC(2026, 1, 26);
  const placed: Placed[] = [];
  for (let i = 0; i < options.tickets; i++) {
    const hourMs = firstMs + below(96) * HOUR_MS;
    const previous = placed[below(placed.length)];
    const kind = random();
    const lines = Array.from({ length: below(5) }, (): [string, number, number, boolean] => [
      `${'ABC'[below(3)]}${below(4)}`,
      below(5_000) - 500,
      below(2_000) - 200,
      random() < 0.1,
    ]);
    const fresh = {
      transactionId: `T${i}`,
      storeId: String(100 + below(6)),
      hourMs,
      lines,
      // Shops that sell past midnight.
      businessDate: new Date(hourMs - below(2) * 3 * HOUR_MS).toISOString().slice(0, 10),
    };
    if (kind < 0.25 && previous !== undefined) placed.push(revisionOf(previous, lines, random));
    else if (kind < 0.35 && previous !== undefined)
      placed.push(voidOf(previous, `T${i}`, hourMs, random() < 0.2));
    else if (kind < 0.45) placed.push(ticket({ ...fresh, type: 'RETURN' }));
    else placed.push(ticket({ ...fresh, training: random() < 0.1 }));
  }
  return placed;
}

function revisionOf(previous: Placed, lines: TicketOutline['lines'], random: () => number): Placed {
  const { transaction: t, hourMs } = previous;
  return ticket({
    transactionId: t.transactionId,
    storeId: t.storeId,
    businessDate: t.businessDate,
    type: t.type,
    training: t.training,
    ...(t.originalTransactionId === null ? {} : { voids: t.originalTransactionId }),
    hourMs: random() < 0.3 ? hourMs + HOUR_MS : hourMs,
    revision: t.revision + (random() < 0.2 ? 0 : 1),
    lines,
  });
}

function voidOf(previous: Placed, transactionId: string, hourMs: number, training: boolean): Placed {
  const { storeId, businessDate, transactionId: voids } = previous.transaction;
  return ticket({ transactionId, storeId, businessDate, type: 'VOID', voids, training, hourMs, lines: [] });
}

export function shuffled<T>(items: readonly T[], seed: number): T[] {
  const random = generator(seed + 1);
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** mulberry32 */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
