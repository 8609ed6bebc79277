/** The simulated chain has the shape that was measured (src/simulator/shape.ts), each figure within chance. */
import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../src/sales/durations.ts';
import { hourSlot } from '../../src/sales/calendar.ts';
import type { TransactionMessage } from '../../src/sales/transaction-message.ts';
import { createChain } from '../../src/simulator/chain.ts';
import {
  CATEGORIES,
  DISCOUNT,
  EXCEPTIONS,
  LINES_BY_QUANTITY,
  LINES_PER_TICKET,
  PROMOTION_UPLIFT,
  TICKETS_BY_HOUR_WEEKDAY,
  TICKETS_BY_HOUR_WEEKEND,
  TICKETS_BY_STORE,
  TICKETS_BY_WEEKDAY,
} from '../../src/simulator/shape.ts';
import { isPromoted, ticketsOfHour } from '../../src/simulator/tickets.ts';

const SEED = 'shape';
const WEEKS = 6;
const FROM_MS = Date.UTC(2024, 0, 1, 5);
const chain = createChain({
  seed: SEED,
  stores: 20,
  timeZone: 'America/New_York',
  currency: 'USD',
  ticketsPerStoreDay: 30,
});
const sales: TransactionMessage[] = [];
const others: TransactionMessage[] = [];
for (let hour = 0; hour < WEEKS * 7 * 24; hour += 1) {
  for (const store of chain.stores) {
    for (const ticket of ticketsOfHour(chain, store, FROM_MS + hour * HOUR_MS)) {
      (ticket.type === 'SALE' && ticket.revision === 0 ? sales : others).push(ticket);
    }
  }
}
const lines = sales.flatMap((ticket) => ticket.lines.map((line) => ({ ticket, line })));

function shares<T>(items: readonly T[], keyOf: (item: T) => number, size: number): number[] {
  const counts = Array.from({ length: size }, () => 0);
  for (const item of items) counts[keyOf(item)] = (counts[keyOf(item)] ?? 0) + 1;
  return counts.map((count) => count / items.length);
}

/** Within five standard errors of a share, plus what the spread of days adds. */
function expectShares(found: readonly number[], weights: readonly number[], n: number): void {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  for (const [at, weight] of weights.entries()) {
    const share = weight / total;
    const tolerance = 5 * Math.sqrt((share * (1 - share)) / n) + 0.02 * share;
    expect(Math.abs((found[at] ?? 0) - share), `share ${at} with seed ${SEED}`).toBeLessThanOrEqual(
      tolerance,
    );
  }
}

const weekdayOf = (ticket: TransactionMessage) => Math.floor(hourSlot(ticket.end_time, chain.timeZone) / 24);
const hourOf = (ticket: TransactionMessage) => hourSlot(ticket.end_time, chain.timeZone) % 24;

describe('tickets', () => {
  test('by hour of the day', () => {
    const working = sales.filter((ticket) => weekdayOf(ticket) < 5);
    const weekend = sales.filter((ticket) => weekdayOf(ticket) >= 5);
    expectShares(shares(working, hourOf, 24), TICKETS_BY_HOUR_WEEKDAY, working.length);
    expectShares(shares(weekend, hourOf, 24), TICKETS_BY_HOUR_WEEKEND, weekend.length);
  });

  test('none while the shops are closed', () => {
    expect(sales.filter((ticket) => hourOf(ticket) < 6)).toEqual([]);
  });

  test('by weekday', () => {
    const found = shares(sales, weekdayOf, 7);
    for (const [day, weight] of TICKETS_BY_WEEKDAY.entries())
      expect(Math.abs((found[day] ?? 0) * 7 - weight)).toBeLessThan(0.1);
  });

  test('by size of the store', () => {
    const index = new Map(chain.stores.map(({ id }, at) => [id, at]));
    expectShares(
      shares(sales, (ticket) => index.get(ticket.store_id) ?? 0, 20),
      TICKETS_BY_STORE,
      sales.length,
    );
  });

  test('as many as were asked for', () => {
    const perStoreDay = sales.length / (20 * WEEKS * 7);
    expect(Math.abs(perStoreDay / 30 - 1)).toBeLessThan(0.05);
  });

  test('returns, voids, corrections and training, about as often as given', () => {
    const share = (count: number) => count / sales.length;
    const of = (type: string) => others.filter((ticket) => ticket.type === type).length;
    const found = [
      of('RETURN'),
      of('VOID'),
      others.filter(({ revision }) => revision === 1).length,
      sales.filter(({ training }) => training).length,
    ];
    const expected = [EXCEPTIONS.returned, EXCEPTIONS.voided, EXCEPTIONS.revised, EXCEPTIONS.training];
    for (const [at, target] of expected.entries()) {
      expect(Math.abs(share(found[at] ?? 0) - target)).toBeLessThan(5 * Math.sqrt(target / sales.length));
    }
  });
});

describe('lines', () => {
  test('of a ticket: mean and quantiles', () => {
    const sizes = sales.map((ticket) => ticket.lines.length).sort((one, other) => one - other);
    const quantile = (p: number) => sizes[Math.floor(p * sizes.length)] ?? 0;
    // A little more than measured: the lines that promotions add.
    expect(Math.abs(lines.length / sales.length / LINES_PER_TICKET.mean - 1)).toBeLessThan(0.15);
    expect([quantile(0.05), quantile(0.25)]).toEqual([
      1,
      expect.toSatisfy((n: number) => n === 2 || n === 3),
    ]);
    expect(Math.abs(quantile(0.5) - 6)).toBeLessThanOrEqual(1);
    expect(Math.abs(quantile(0.75) - 14)).toBeLessThanOrEqual(2);
  });

  test('by category, with the weeks of promotions evened out', () => {
    const index = new Map(
      chain.products.map(({ sku, category }) => [sku, CATEGORIES.findIndex(({ name }) => name === category)]),
    );
    const plain = lines.filter(({ ticket, line }) => !isPromoted(chain, line.sku, ticket.end_time));
    const found = shares(plain, ({ line }) => index.get(line.sku) ?? 0, CATEGORIES.length);
    const total = CATEGORIES.reduce((sum, category) => sum + category.lines, 0);
    // A category whose best seller is promoted for a week loses it here: compare the large ones, loosely.
    for (const [at, category] of CATEGORIES.entries())
      expect((found[at] ?? 0) / (category.lines / total)).toBeGreaterThan(0.6);
  });

  test('by quantity', () => {
    const single = lines.filter(({ line }) => line.quantity_thousandths === 1000).length / lines.length;
    const total = LINES_BY_QUANTITY.reduce<number>((sum, share) => sum + share, 0);
    expect(Math.abs(single - LINES_BY_QUANTITY[0] / total)).toBeLessThan(0.015);
  });

  test('half of them at a discount of the measured depth', () => {
    const plain = lines.filter(({ ticket, line }) => !isPromoted(chain, line.sku, ticket.end_time));
    const discounted = plain.filter(({ line }) => line.discounts.length > 0);
    expect(Math.abs(discounted.length / plain.length - DISCOUNT.shareOfLines)).toBeLessThan(0.02);
    const full = discounted.reduce(
      (sum, { line }) => sum + ((line.unit_price_minor ?? 0) * line.quantity_thousandths) / 1000,
      0,
    );
    const net = discounted.reduce((sum, { line }) => sum + line.net_amount_minor, 0);
    expect(Math.abs(1 - net / full - DISCOUNT.depth)).toBeLessThan(0.005);
  });

  test('promoted products sell more by the measured factor', () => {
    const units = new Map<string, { on: number; off: number }>();
    for (const { ticket, line } of lines) {
      const of = units.get(line.sku) ?? { on: 0, off: 0 };
      of[isPromoted(chain, line.sku, ticket.end_time) ? 'on' : 'off'] += line.quantity_thousandths;
      units.set(line.sku, of);
    }
    let on = 0;
    let expected = 0;
    for (const { sku } of chain.products) {
      const weeks = Array.from({ length: WEEKS }, (_, week) =>
        isPromoted(chain, sku, FROM_MS + week * 7 * DAY_MS + HOUR_MS),
      );
      const promoted = weeks.filter(Boolean).length;
      const { on: sold, off } = units.get(sku) ?? { on: 0, off: 0 };
      if (promoted === 0 || promoted === WEEKS) continue;
      on += sold;
      expected += (off / (WEEKS - promoted)) * promoted;
    }
    expect(Math.abs(on / expected / PROMOTION_UPLIFT - 1)).toBeLessThan(0.1);
  });

  test('slow products of one store sell on few days', () => {
    const days = new Set(
      lines
        .filter(({ ticket }) => ticket.store_id === 'S20')
        .map(({ ticket, line }) => `${line.sku} ${ticket.business_date}`),
    );
    const withoutSale = 1 - days.size / (chain.products.length * WEEKS * 7);
    expect(withoutSale).toBeGreaterThan(0.5);
    expect(withoutSale).toBeLessThan(0.95);
  });
});
