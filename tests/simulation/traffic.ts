/**
 * A seeded stretch of till traffic with everything that goes wrong in it: tickets sent twice, late, out of order,
 * corrected, voided, returned, rung up in training, from a till whose clock is years ahead, and bytes that are no
 * ticket at all. What the totals must come to is worked out beside it, from the tickets alone.
 */
import type { TransactionMessage } from '../../src/sales/transaction-message.ts';
import { createRandom } from '../../src/simulator/random.ts';

const HOUR_MS = 3_600_000;

export type Sent = {
  readonly store: string;
  readonly message: TransactionMessage | null;
  readonly arrivalMs: number;
};

export type TrafficOptions = {
  readonly seed: string;
  readonly startMs: number;
  readonly hours: number;
  readonly perHour: number;
  /** Local minutes after midnight at which the business day begins. */
  readonly dayStartMinutes: number;
};

const STORES = [
  { id: '292', timeZone: 'America/New_York' },
  { id: '381', timeZone: 'America/New_York' },
  { id: '406', timeZone: 'America/New_York' },
  { id: '9', timeZone: 'America/Los_Angeles' },
] as const;
const CATEGORIES = ['BREAD', 'DAIRY', 'MEAT/FISH'] as const;

/** In the order of arrival; a null message stands for bytes that cannot be read. */
export function makeTraffic(options: TrafficOptions): Sent[] {
  const random = createRandom('traffic', options.seed);
  const below = (n: number): number => Math.floor(random.uniform() * n);
  const chance = (p: number): boolean => random.uniform() < p;
  const sent: Sent[] = [];
  let serial = 0;

  const lines = (): TransactionMessage['lines'] =>
    Array.from({ length: 1 + below(4) }, (_, i) => {
      const sku = below(8);
      return {
        line_id: String(i + 1),
        sku: `sku-${sku}`,
        gtin: null,
        category_path: [CATEGORIES[sku % CATEGORIES.length] as string],
        quantity_thousandths: chance(0.2) ? 1 + below(3_000) : 1_000 * (1 + below(3)),
        unit_of_measure: 'each',
        unit_price_minor: null,
        list_price_minor: null,
        discounts: [],
        net_amount_minor: below(2_000),
        voided: chance(0.03),
      };
    });

  function send(message: TransactionMessage | null, store: string, arrivalMs: number): void {
    sent.push({ store, message, arrivalMs });
    if (chance(0.08)) sent.push({ store, message, arrivalMs: arrivalMs + below(5 * HOUR_MS) });
  }

  for (let hour = 0; hour < options.hours; hour += 1) {
    for (let i = 0; i < options.perHour; i += 1) {
      const store = STORES[below(STORES.length)] as (typeof STORES)[number];
      const endMs = options.startMs + hour * HOUR_MS + below(HOUR_MS);
      const delayMs = chance(0.06) ? below(9 * HOUR_MS) : below(90_000);
      serial += 1;
      const base: TransactionMessage = {
        event_id: `event-${serial}`,
        transaction_id: `ticket-${serial}`,
        revision: 0,
        original_transaction_id: null,
        type: chance(0.03) ? 'RETURN' : 'SALE',
        training: chance(0.02),
        store_id: store.id,
        register_id: '1',
        channel: 'store',
        begin_time: null,
        end_time: endMs,
        time_zone: store.timeZone,
        business_date: businessDate(endMs, store.timeZone, options.dayStartMinutes),
        currency: 'USD',
        lines: lines(),
        tenders: [],
        attributes: {},
      };
      send(base, store.id, endMs + delayMs);
      if (chance(0.04)) {
        const moved = chance(0.3)
          ? Math.min(endMs + below(2 * HOUR_MS), lastOfDay(endMs, store.timeZone, options.dayStartMinutes))
          : endMs;
        const revised = {
          ...base,
          event_id: `event-${serial}-r`,
          revision: 1,
          end_time: moved,
          lines: lines(),
        };
        // Now and then the correction comes before what it corrects.
        send(revised, store.id, Math.max(endMs, moved) + below(6 * HOUR_MS));
      }
      if (chance(0.03)) {
        const id = `void-${serial}`;
        const voids = {
          ...base,
          event_id: id,
          transaction_id: id,
          type: 'VOID' as const,
          original_transaction_id: base.transaction_id,
          training: false,
        };
        send(voids, store.id, endMs + delayMs + below(6 * HOUR_MS));
      }
      if (chance(0.01)) send(null, store.id, endMs);
      if (chance(0.01)) {
        const ahead = {
          ...base,
          event_id: `ahead-${serial}`,
          transaction_id: `ahead-${serial}`,
          end_time: endMs + 100 * 365 * 24 * HOUR_MS,
          business_date: null,
        };
        send(ahead, store.id, endMs);
      }
    }
  }
  return sent.sort((a, b) => a.arrivalMs - b.arrivalMs);
}

/** A ticket per store that counts for nothing but brings every watermark to the same place beyond the end. */
export function lastTickets(
  sent: readonly Sent[],
  end: { readonly untilMs: number; readonly allowedLatenessMs: number; readonly arrivalMs: number },
): Sent[] {
  const messages = new Map(
    sent.flatMap(({ store, message }) => (message === null ? [] : [[store, message]])),
  );
  return [...messages].map(([store, message]) => ({
    store,
    arrivalMs: end.arrivalMs,
    message: {
      ...message,
      event_id: `last-${store}`,
      transaction_id: `last-${store}`,
      original_transaction_id: null,
      type: 'SALE' as const,
      training: true,
      revision: 0,
      end_time: end.untilMs + end.allowedLatenessMs + HOUR_MS / 4,
      business_date: null,
    },
  }));
}

export type ExpectedLeaf = { units: number; revenue: number };

/** Bytes that are no ticket, and tickets from a clock that is far ahead: they go to the dead letters. */
export function isRefused({ message, arrivalMs }: Sent): boolean {
  return message === null || message.end_time > arrivalMs + HOUR_MS;
}

/** The ticket that stands of all that were sent with its number, by `business date|store|number`. */
function standing(sent: readonly Sent[]): Map<string, TransactionMessage> {
  const latest = new Map<string, TransactionMessage>();
  for (const each of sent) {
    const { message } = each;
    if (message === null || isRefused(each)) continue;
    const key = `${message.business_date}|${message.store_id}|${message.transaction_id}`;
    const known = latest.get(key);
    if (known === undefined || message.revision > known.revision) latest.set(key, message);
  }
  return latest;
}

/** What the table of tickets must hold: `store|number` with its revision, each once. */
export function expectedTickets(sent: readonly Sent[]): Map<string, string> {
  return new Map(
    [...standing(sent).values()].map(({ store_id, transaction_id, revision }) => [
      `${store_id}|${transaction_id}`,
      ticketText({ revision, times: 1 }),
    ]),
  );
}

export function ticketText({ revision, times }: { revision: number; times: number }): string {
  return `revision ${revision}, ${times} times`;
}

/** Totals per `granularity|bucketMs|store|category|sku`, worked out from the tickets without any of the system's code. */
export function expectedTotals(sent: readonly Sent[]): Map<string, ExpectedLeaf> {
  const latest = standing(sent);
  const voided = new Set<string>();
  for (const message of latest.values())
    if (message.type === 'VOID')
      voided.add(`${message.business_date}|${message.store_id}|${message.original_transaction_id}`);
  const totals = new Map<string, ExpectedLeaf>();
  for (const [key, message] of latest) {
    if (message.training || message.type === 'VOID' || voided.has(key)) continue;
    const sign = message.type === 'RETURN' ? -1 : 1;
    for (const line of message.lines) {
      if (line.voided) continue;
      for (const bucket of bucketsOf(message)) {
        const leaf = `${bucket}|${message.store_id}|${line.category_path[0]}|${line.sku}`;
        const total = totals.get(leaf) ?? { units: 0, revenue: 0 };
        total.units += sign * line.quantity_thousandths;
        total.revenue += sign * line.net_amount_minor;
        totals.set(leaf, total);
      }
    }
  }
  for (const [leaf, total] of totals) if (total.units === 0 && total.revenue === 0) totals.delete(leaf);
  return totals;
}

function bucketsOf(message: TransactionMessage): string[] {
  const hourMs = Math.floor(message.end_time / HOUR_MS) * HOUR_MS;
  return [`hour|${hourMs}`, `day|${Date.parse(`${message.business_date}T00:00:00Z`)}`];
}

/** The local date of the instant, or the one before while the business day has not begun by the clock on the wall. */
function businessDate(ms: number, timeZone: string, dayStartMinutes: number): string {
  const [date, time] = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' })
    .format(ms)
    .split(' ') as [string, string];
  const minutes = Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
  if (minutes >= dayStartMinutes) return date;
  return new Date(Date.parse(`${date}T00:00:00Z`) - 24 * HOUR_MS).toISOString().slice(0, 10);
}

function lastOfDay(ms: number, timeZone: string, dayStartMinutes: number): number {
  const date = businessDate(ms, timeZone, dayStartMinutes);
  let last = ms;
  while (businessDate(last + 60_000, timeZone, dayStartMinutes) === date) last += 60_000;
  return last;
}
