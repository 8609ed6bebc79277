/**
 * The tickets that begin their life in one hour of one store: a pure function of the chain, the hour and what has been
 * brought about, so that any hour can be made again, in any order, on any machine.
 *
 * Expected tickets of an hour = tickets per day × store size × weekday × hour of the day × the day's own luck. An hour
 * also yields the returns, voids and corrections of its tickets, which end later.
 */
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../sales/durations.ts';
import { businessDate, dayBucketMs, hourSlot } from '../sales/calendar.ts';
import type { TransactionLineMessage, TransactionMessage } from '../sales/transaction-message.ts';
import { categoryShare } from './chain.ts';
import type { Chain, SimulatedProduct, SimulatedStore } from './chain.ts';
import { isTouched } from './injections.ts';
import type { Injection } from './injections.ts';
import { createRandom, cumulate, pick } from './random.ts';
import type { Random } from './random.ts';
import {
  DAY_SPREAD,
  DISCOUNT,
  EXCEPTIONS,
  LINES_BY_QUANTITY,
  LINES_PER_TICKET,
  PROMOTION_UPLIFT,
  TICKETS_BY_HOUR_WEEKDAY,
  TICKETS_BY_HOUR_WEEKEND,
  TICKETS_BY_WEEKDAY,
} from './shape.ts';

const REGISTERS_PER_STORE = 3;
/** Share of products that the chain promotes in a week. */
const PROMOTED_SHARE = 0.1;
const WEEK_MS = 7 * DAY_MS;
const CUMULATIVE_QUANTITIES = cumulate(LINES_BY_QUANTITY);
const HOUR_SHARES = [TICKETS_BY_HOUR_WEEKDAY, TICKETS_BY_HOUR_WEEKEND].map((shares) => {
  const total = shares.reduce((sum: number, share) => sum + share, 0);
  return shares.map((share) => share / total);
});

/** `hourMs` is the UTC start of an hour. Sorted by nothing in particular. */
export function ticketsOfHour(
  chain: Chain,
  store: SimulatedStore,
  hourMs: number,
  injections: readonly Injection[] = [],
): TransactionMessage[] {
  const random = createRandom(chain.seed, 'hour', store.id, hourMs);
  const expected = expectedTickets(chain, store, hourMs);
  const tickets: TransactionMessage[] = [];
  const count = random.poisson(expected);
  for (let n = 1; n <= count; n += 1)
    tickets.push(...ticketAndFate(chain, store, { hourMs, name: String(n), injections }));
  for (const injection of injections) {
    if (injection.kind !== 'demand-shift' || injection.factor <= 1) continue;
    const extra = createRandom(chain.seed, 'shift', injection.id, store.id, hourMs).poisson(
      expected * (injection.factor - 1),
    );
    for (let n = 1; n <= extra; n += 1) {
      const more = ticketAndFate(chain, store, { hourMs, name: `${injection.id}-${n}`, injections });
      const end = more[0]?.end_time;
      if (end !== undefined && isTouched(injection, store.id, end)) tickets.push(...more);
    }
  }
  return tickets;
}

/** Mean number of sales tickets of the hour, before anything is brought about. */
export function expectedTickets(chain: Chain, store: SimulatedStore, hourMs: number): number {
  const slot = hourSlot(hourMs, chain.timeZone);
  const weekday = Math.floor(slot / 24);
  const date = businessDate(hourMs, { timeZone: chain.timeZone, businessDayStartMinutes: 0 });
  const luck = Math.max(0.5, 1 + DAY_SPREAD * createRandom(chain.seed, 'day', date).normal());
  const share = (HOUR_SHARES[weekday >= 5 ? 1 : 0] as number[])[slot % 24] as number;
  return chain.ticketsPerStoreDay * store.size * (TICKETS_BY_WEEKDAY[weekday] as number) * share * luck;
}

/** Whether the chain promotes the product in the week of the instant: planned ahead, the same in all stores. */
export function isPromoted(chain: Chain, sku: string, ms: number): boolean {
  return assortmentOf(chain, weekOf(ms)).promoted.has(sku);
}

type Assortment = {
  readonly promoted: ReadonlySet<string>;
  readonly cumulative: Float64Array;
  readonly factor: number;
};

const assortments = new WeakMap<Chain, Map<number, Assortment>>();
const WEEKS_KEPT_MAX = 16;

/** Weeks begin on Monday; 1 January 1970 was a Thursday. */
function weekOf(ms: number): number {
  return Math.floor((ms + 3 * DAY_MS) / WEEK_MS);
}

/** A week's promotions, the weights under them, and how many more lines that makes in all. */
function assortmentOf(chain: Chain, week: number): Assortment {
  const weeks = assortments.get(chain) ?? new Map<number, Assortment>();
  assortments.set(chain, weeks);
  const known = weeks.get(week);
  if (known !== undefined) return known;
  const promoted = new Set(
    chain.products
      .filter(({ sku }) => createRandom(chain.seed, 'promotion', sku, week).uniform() < PROMOTED_SHARE)
      .map(({ sku }) => sku),
  );
  const cumulative = cumulate(
    chain.products.map(({ sku, weight }) => (promoted.has(sku) ? weight * PROMOTION_UPLIFT : weight)),
  );
  const factor = (cumulative.at(-1) as number) / (chain.cumulativeWeights.at(-1) as number);
  if (weeks.size >= WEEKS_KEPT_MAX) weeks.clear();
  weeks.set(week, { promoted, cumulative, factor });
  return { promoted, cumulative, factor };
}

type Birth = { readonly hourMs: number; readonly name: string; readonly injections: readonly Injection[] };

/** A ticket and what becomes of it; empty when what was brought about leaves nothing of it. */
function ticketAndFate(
  chain: Chain,
  store: SimulatedStore,
  { hourMs, name, injections }: Birth,
): TransactionMessage[] {
  const number = `${new Date(hourMs).toISOString().slice(0, 13).replaceAll(/[-T]/g, '')}-${name}`;
  const random = createRandom(chain.seed, 'ticket', store.id, number);
  const endMs = hourMs + Math.floor(random.uniform() * HOUR_MS);
  const register = 1 + Math.floor(random.uniform() * REGISTERS_PER_STORE);
  const fate = random.uniform();
  const touching = injections.filter((injection) => isTouched(injection, store.id, endMs));
  const staying = touching.every(
    (injection) =>
      injection.kind !== 'demand-shift' ||
      injection.factor >= 1 ||
      createRandom(chain.seed, 'stays', number).uniform() < injection.factor,
  );
  const lines = staying ? linesOf(chain, { random, endMs, number, touching }) : [];
  if (lines.length === 0) return [];
  const ticket: TransactionMessage = {
    event_id: `${store.id}-${number}-0`,
    transaction_id: number,
    revision: 0,
    original_transaction_id: null,
    type: 'SALE',
    training: fate > 1 - EXCEPTIONS.training,
    store_id: store.id,
    register_id: String(register),
    channel: 'store',
    begin_time: endMs - 20_000 - 4_000 * lines.length,
    end_time: endMs,
    time_zone: chain.timeZone,
    business_date: businessDate(endMs, { timeZone: chain.timeZone, businessDayStartMinutes: 0 }),
    currency: chain.currency,
    lines,
    tenders: [{ kind: random.uniform() < 0.7 ? 'card' : 'cash', amount_minor: sum(lines) }],
    attributes: {},
  };
  return [ticket, ...afterwards(ticket, fate, random)];
}

/** Returns, voids and corrections: they end minutes later, and never on another business day. */
function afterwards(ticket: TransactionMessage, fate: number, random: Random): TransactionMessage[] {
  const { returned, voided, revised } = EXCEPTIONS;
  const later = ticket.end_time + Math.round((2 + 38 * random.uniform()) * MINUTE_MS);
  const lastMs = dayBucketMs(ticket.business_date as string) + 2 * DAY_MS;
  const after = { ...ticket, begin_time: later - 30_000, end_time: later };
  if (fate < voided) {
    return [
      {
        ...after,
        event_id: `${ticket.event_id}-void`,
        transaction_id: `${ticket.transaction_id}-V`,
        type: 'VOID',
        original_transaction_id: ticket.transaction_id,
        lines: [],
        tenders: [],
      },
    ];
  }
  if (fate < voided + revised) {
    const lines = ticket.lines.map((line, at) =>
      at === 0
        ? {
            ...line,
            quantity_thousandths: line.quantity_thousandths + 1000,
            net_amount_minor: line.net_amount_minor * 2,
          }
        : line,
    );
    return [
      {
        ...ticket,
        event_id: `${ticket.event_id.slice(0, -1)}1`,
        revision: 1,
        lines,
        tenders: [{ kind: 'card', amount_minor: sum(lines) }],
      },
    ];
  }
  if (fate < voided + revised + returned && later < lastMs) {
    const lines = ticket.lines.slice(0, 1 + Math.floor(random.uniform() * 2));
    return [
      {
        ...after,
        event_id: `${ticket.event_id}-return`,
        transaction_id: `${ticket.transaction_id}-R`,
        type: 'RETURN',
        original_transaction_id: ticket.transaction_id,
        business_date: null,
        lines,
        tenders: [{ kind: 'cash', amount_minor: sum(lines) }],
      },
    ];
  }
  return [];
}

type Filling = {
  readonly random: Random;
  readonly endMs: number;
  readonly number: string;
  readonly touching: readonly Injection[];
};

function linesOf(chain: Chain, { random, endMs, number, touching }: Filling): TransactionLineMessage[] {
  const { promoted, cumulative, factor } = assortmentOf(chain, weekOf(endMs));
  const drawn = Math.exp(LINES_PER_TICKET.logMean + LINES_PER_TICKET.logSpread * random.normal());
  const base = Math.min(LINES_PER_TICKET.max, Math.max(1, Math.round(drawn)));
  const count = base + Math.floor(base * (factor - 1) + random.uniform());
  const products = new Map<
    string,
    { product: SimulatedProduct; quantity: number; promotion: string | null }
  >();
  const add = (product: SimulatedProduct, quantity: number, promotion: string | null) => {
    const line = products.get(product.sku);
    if (line === undefined) products.set(product.sku, { product, quantity, promotion });
    else line.quantity += quantity;
  };
  for (let n = 0; n < count; n += 1) {
    const product = drawNew(
      () => chain.products[pick(cumulative, random.uniform())] as SimulatedProduct,
      products,
    );
    add(
      product,
      1 + pick(CUMULATIVE_QUANTITIES, random.uniform()),
      promoted.has(product.sku) ? 'weekly' : null,
    );
  }
  for (const injection of touching) {
    if (injection.kind !== 'promotion') continue;
    const extra = createRandom(chain.seed, injection.id, number);
    const candidates = chain.products.filter((product) => product.category === injection.category);
    const weights = cumulate(candidates.map((product) => product.weight));
    const more = extra.poisson(count * categoryShare(chain, injection.category) * (injection.factor - 1));
    for (let n = 0; n < more; n += 1) {
      add(
        candidates[pick(weights, extra.uniform())] as SimulatedProduct,
        1 + pick(CUMULATIVE_QUANTITIES, extra.uniform()),
        injection.id,
      );
    }
  }
  const missing = new Set(
    touching.flatMap((injection) => (injection.kind === 'stock-out' ? [injection.category] : [])),
  );
  return [...products.values()]
    .filter(({ product }) => !missing.has(product.category))
    .map(({ product, quantity, promotion }, at) =>
      lineOf(product, { id: at + 1, quantity, promotion, loyalty: random.uniform() < DISCOUNT.shareOfLines }),
    );
}

/** People rarely scan one product twice: it is drawn again a few times before a line grows. */
function drawNew(draw: () => SimulatedProduct, taken: ReadonlyMap<string, unknown>): SimulatedProduct {
  let product = draw();
  for (let again = 0; again < 3 && taken.has(product.sku); again += 1) product = draw();
  return product;
}

function lineOf(
  product: SimulatedProduct,
  {
    id,
    quantity,
    promotion,
    loyalty,
  }: { id: number; quantity: number; promotion: string | null; loyalty: boolean },
): TransactionLineMessage {
  const full = product.priceMinor * quantity;
  const off = promotion !== null || loyalty ? Math.round(full * DISCOUNT.depth) : 0;
  return {
    line_id: String(id),
    sku: product.sku,
    gtin: null,
    category_path: product.categoryPath,
    quantity_thousandths: quantity * 1000,
    unit_of_measure: 'EA',
    unit_price_minor: product.priceMinor,
    list_price_minor: product.priceMinor,
    discounts:
      off === 0 ? [] : [{ promotion_id: promotion ?? 'loyalty', coupon_id: null, amount_minor: off }],
    net_amount_minor: full - off,
    voided: false,
  };
}

function sum(lines: readonly TransactionLineMessage[]): number {
  return lines.reduce((total, line) => total + line.net_amount_minor, 0);
}
