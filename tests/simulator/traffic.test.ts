import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '../../src/sales/durations.ts';
import { parseTransactionMessage } from '../../src/sales/parse-transaction.ts';
import { createChain } from '../../src/simulator/chain.ts';
import type { Injection } from '../../src/simulator/injections.ts';
import { createTraffic } from '../../src/simulator/traffic.ts';
import type { Delivery } from '../../src/simulator/traffic.ts';

const chain = createChain({
  seed: 'traffic',
  stores: 4,
  timeZone: 'America/New_York',
  currency: 'USD',
  ticketsPerStoreDay: 120,
});
const NOON = Date.UTC(2024, 2, 6, 17);
const FROM = NOON - 4 * HOUR_MS;
const UNTIL = NOON + 4 * HOUR_MS;
const BEER = 'SOFT DRINKS';

function between(fromMs: number, untilMs: number, injections: readonly Injection[] = []): Delivery[] {
  return createTraffic(chain).between(fromMs, untilMs, injections);
}

const during = ({ message }: Delivery) => message.end_time >= NOON && message.end_time < NOON + 2 * HOUR_MS;
const unitsOf = (deliveries: readonly Delivery[], category: string) =>
  deliveries
    .flatMap(({ message }) => message.lines)
    .filter((line) => line.category_path.includes(category))
    .reduce((sum, line) => sum + line.quantity_thousandths, 0);
const base = { id: 'x', fromMs: NOON, untilMs: NOON + 2 * HOUR_MS, storeId: null } as const;

describe('a pure function of the chain and time', () => {
  test('the same seed gives the same deliveries, another seed others', () => {
    expect(between(FROM, UNTIL)).toEqual(between(FROM, UNTIL));
    const other = createTraffic(createChain({ ...chain, seed: 'other', stores: 4 })).between(FROM, UNTIL);
    expect(other).not.toEqual(between(FROM, UNTIL));
  });

  test('stretches put together are the whole, however it is cut', () => {
    const whole = between(FROM, UNTIL);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: FROM, max: UNTIL }), { maxLength: 6 }), (cuts) => {
        const traffic = createTraffic(chain);
        const edges = [FROM, ...cuts.sort((one, other) => one - other), UNTIL];
        const parts = edges.slice(1).flatMap((until, at) => traffic.between(edges[at] as number, until));
        expect(parts.map(({ message, sendMs }) => [sendMs, message.event_id])).toEqual(
          whole.map(({ message, sendMs }) => [sendMs, message.event_id]),
        );
      }),
      { numRuns: 20 },
    );
  });

  test('in order, never before the ticket has ended, and believed by the parser when it is sent', () => {
    const deliveries = between(FROM, UNTIL);
    expect(deliveries.length).toBeGreaterThan(100);
    for (const [at, { sendMs, message }] of deliveries.entries()) {
      expect(sendMs).toBeGreaterThanOrEqual(deliveries[at - 1]?.sendMs ?? 0);
      expect(sendMs).toBeGreaterThan(message.end_time);
      const parsed = parseTransactionMessage(message, {
        currency: 'USD',
        calendarOf: () => ({ timeZone: chain.timeZone, businessDayStartMinutes: 0 }),
        recordTimestampMs: sendMs,
        futureSkewMsMax: 0,
        earliestTimeMs: 0,
        businessDateSkewDaysMax: 1,
      });
      expect(parsed).toMatchObject({ ok: true });
    }
  });

  test('some are late, some come twice', () => {
    const deliveries = between(NOON - 72 * HOUR_MS, NOON);
    const late = deliveries.filter(
      ({ sendMs, message }) => sendMs > message.end_time + MINUTE_MS && message.revision === 0,
    );
    expect(late.length).toBeGreaterThan(0);
    expect(new Set(deliveries.map(({ message }) => message.event_id)).size).toBeLessThan(deliveries.length);
  });
});

describe('what is brought about', () => {
  const plain = between(FROM, UNTIL);

  test.each<readonly [string, Injection]>([
    ['promotion', { ...base, kind: 'promotion', category: BEER, factor: 3 }],
    ['stock-out', { ...base, kind: 'stock-out', category: BEER }],
    ['demand shift', { ...base, kind: 'demand-shift', factor: 1.6 }],
    ['loss of demand', { ...base, kind: 'demand-shift', factor: 0.4 }],
    ['offline till', { ...base, kind: 'offline-till', registerId: '1', storeId: 'S01' }],
    ['duplicates', { ...base, kind: 'duplicates', copies: 3 }],
  ])('a %s leaves all other tickets as they were', (_name, injection) => {
    const outside = (deliveries: readonly Delivery[]) => deliveries.filter((delivery) => !during(delivery));
    // What is about a ticket (a return, a void) may end later than the ticket itself did.
    const untouched = ({ message }: Delivery) => message.original_transaction_id === null;
    expect(outside(between(FROM, UNTIL, [injection])).filter(untouched)).toEqual(
      outside(plain).filter(untouched),
    );
  });

  test('a promotion sells more of the category, a stock-out nothing', () => {
    const before = unitsOf(plain.filter(during), BEER);
    const promoted = unitsOf(
      between(FROM, UNTIL, [{ ...base, kind: 'promotion', category: BEER, factor: 3 }]).filter(during),
      BEER,
    );
    const empty = unitsOf(
      between(FROM, UNTIL, [{ ...base, kind: 'stock-out', category: BEER }]).filter(during),
      BEER,
    );
    expect(promoted / before).toBeGreaterThan(2);
    expect(promoted / before).toBeLessThan(4.5);
    expect(empty).toBe(0);
  });

  test('demand shifts by the factor, in the one store', () => {
    const count = (deliveries: readonly Delivery[], store: string) =>
      deliveries.filter((delivery) => during(delivery) && delivery.message.store_id === store).length;
    const shifted = between(FROM, UNTIL, [{ ...base, kind: 'demand-shift', factor: 3, storeId: 'S01' }]);
    expect(count(shifted, 'S01') / count(plain, 'S01')).toBeGreaterThan(2);
    expect(count(shifted, 'S02')).toBe(count(plain, 'S02'));
    const lost = between(FROM, UNTIL, [{ ...base, kind: 'demand-shift', factor: 0.2, storeId: 'S01' }]);
    expect(count(lost, 'S01') / count(plain, 'S01')).toBeLessThan(0.5);
  });

  test('an offline till sends nothing, then everything', () => {
    const offline: Injection = { ...base, kind: 'offline-till', registerId: '1', storeId: 'S01' };
    const deliveries = between(FROM, UNTIL, [offline]);
    const its = deliveries.filter(
      (delivery) =>
        during(delivery) && delivery.message.store_id === 'S01' && delivery.message.register_id === '1',
    );
    expect(its.length).toBeGreaterThan(3);
    for (const { sendMs } of its) expect(sendMs).toBeGreaterThanOrEqual(offline.untilMs);
    const ids = (all: readonly Delivery[]) => all.map(({ message }) => message.event_id).sort();
    expect(ids(deliveries)).toEqual(ids(plain));
  });

  test('a storm of duplicates sends every ticket so many times more, word for word', () => {
    const storm = between(FROM, UNTIL, [{ ...base, kind: 'duplicates', copies: 3 }]).filter(during);
    const copies = new Map<string, string[]>();
    for (const { message } of storm)
      copies.set(message.event_id, [...(copies.get(message.event_id) ?? []), JSON.stringify(message)]);
    for (const same of copies.values()) {
      expect(same.length).toBeGreaterThanOrEqual(4);
      expect(new Set(same).size).toBe(1);
    }
  });

  test('ended early, it touches nothing after that', () => {
    const ended: Injection = { ...base, untilMs: NOON + HOUR_MS, kind: 'stock-out', category: BEER };
    const after = ({ message }: Delivery) =>
      message.end_time >= NOON + HOUR_MS && message.original_transaction_id === null;
    expect(between(FROM, UNTIL, [ended]).filter(after)).toEqual(plain.filter(after));
  });
});
