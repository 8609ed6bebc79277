import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createOpenTotals } from '../../src/windows/open-totals.ts';
import type { OpenLeaf, OpenTicket, OpenTotals } from '../../src/windows/open-totals.ts';

const HOUR_MS = 3_600_000;
/** Noon; the business day ends twelve hours later. */
const T = Date.UTC(2026, 2, 1, 12);
const DAY_MS = Date.UTC(2026, 2, 1);
const DAY_END_MS = Date.UTC(2026, 2, 2);

type Amounts = Readonly<Record<string, number>>;

/** A ticket of the hour at T: pieces per product, a cent each. */
function ticket(id: string, revision: number, sold: Amounts, more: Partial<OpenTicket> = {}): OpenTicket {
  return {
    storeId: '406',
    businessDate: '2026-03-01',
    transactionId: id,
    version: BigInt(revision),
    hourMs: T,
    dayEndMs: DAY_END_MS,
    voids: null,
    amounts: Object.entries(sold).map(([sku, pieces]) => ({
      category: 'BREAD',
      sku,
      unitsThousandths: 1000 * pieces,
      revenueMinor: pieces,
    })),
    ...more,
  };
}

function voiding(id: string, original: string, revision = 0): OpenTicket {
  return ticket(id, revision, {}, { voids: original });
}

/** What has been announced last, as `granularity hour sku` → pieces. */
function listen(totals: OpenTotals, heard = new Map<string, number>()): Map<string, number> {
  for (const leaf of totals.takeChanged()) heard.set(nameOf(leaf), leaf.unitsThousandths / 1000);
  return heard;
}

function nameOf(leaf: OpenLeaf): string {
  expect(leaf.revenueMinor * 1000).toBe(leaf.unitsThousandths);
  return `${leaf.granularity} ${new Date(leaf.bucketMs).toISOString().slice(0, 13)} ${leaf.storeId} ${leaf.sku}`;
}

const HOUR = 'hour 2026-03-01T12 406';
const DAY = 'day 2026-03-01T00 406';

describe('running totals', () => {
  const original = ticket('1', 0, { rye: 2, oat: 1 });
  const revised = ticket('1', 1, { rye: 5 });

  test.each<[string, readonly OpenTicket[], Amounts]>([
    ['add up', [original, ticket('2', 0, { rye: 3 })], { rye: 5, oat: 1 }],
    ['are net of returns', [original, ticket('2', 0, { rye: -3 })], { rye: -1, oat: 1 }],
    ['count a duplicate once', [original, original, original], { rye: 2, oat: 1 }],
    ['follow a revision', [original, revised], { rye: 5, oat: 0 }],
    ['follow a revision that came first', [revised, original], { rye: 5 }],
    ['follow a revision sent twice around the original', [revised, original, revised], { rye: 5 }],
    ['lose a voided ticket', [original, voiding('v', '1')], { rye: 0, oat: 0 }],
    ['never gain one that was voided before it came', [voiding('v', '1'), original], { rye: 0, oat: 0 }],
    [
      'void once however often it is said',
      [original, voiding('v', '1'), voiding('v', '1')],
      { rye: 0, oat: 0 },
    ],
    ['void by two and stay void', [voiding('v', '1'), original, voiding('w', '1')], { rye: 0, oat: 0 }],
    ['lose the revision of a voided ticket too', [original, voiding('v', '1'), revised], { rye: 0, oat: 0 }],
    [
      'gain again what a corrected void no longer voids',
      [original, voiding('v', '1'), voiding('v', '2', 1)],
      { rye: 2, oat: 1 },
    ],
    [
      'gain again what was voided by what turns out to be a sale',
      [original, voiding('v', '1'), ticket('v', 1, { rye: 7 })],
      { rye: 9, oat: 1 },
    ],
    ['void in the same store only', [original, { ...voiding('v', '1'), storeId: '9' }], { rye: 2, oat: 1 }],
    [
      'void on the same business date only',
      [original, { ...voiding('v', '1'), businessDate: '2026-03-02' }],
      { rye: 2, oat: 1 },
    ],
    ['take what counts for nothing', [ticket('1', 0, {})], {}],
  ])('%s', (_, tickets, expected) => {
    const totals = createOpenTotals({ ticketsMax: 100 });
    for (const each of tickets) totals.add(each);
    const heard = listen(totals);
    const wanted = Object.entries(expected).flatMap(([sku, pieces]) => [
      [`${HOUR} ${sku}`, pieces] as const,
      [`${DAY} ${sku}`, pieces] as const,
    ]);
    expect(heard).toEqual(new Map(wanted));
  });

  test('tell a ticket from a duplicate and from what is older', () => {
    const totals = createOpenTotals({ ticketsMax: 100 });
    expect([original, original, revised, original, revised].map((each) => totals.add(each))).toEqual([
      true,
      false,
      true,
      false,
      false,
    ]);
  });

  test('a revision may move a ticket to another hour', () => {
    const totals = createOpenTotals({ ticketsMax: 100 });
    totals.add(original);
    totals.add({ ...revised, hourMs: T + HOUR_MS });
    expect(listen(totals).get(`${HOUR} rye`)).toBe(0);
    totals.add(ticket('2', 0, { rye: 1 }, { hourMs: T + HOUR_MS }));
    expect(listen(totals).get('hour 2026-03-01T13 406 rye')).toBe(6);
  });

  test('are not muddled by what is in a name', () => {
    const totals = createOpenTotals({ ticketsMax: 100 });
    const of = (id: string, category: string, sku: string): OpenTicket => ({
      ...ticket(id, 0, {}),
      amounts: [{ category, sku, unitsThousandths: 1000, revenueMinor: 1 }],
    });
    totals.add(of('1', 'BREAD|rye', 'x'));
    totals.add(of('2', 'BREAD', 'rye|x'));
    totals.add({ ...of('b|3', 'BREAD', 'x'), storeId: 'a' });
    expect(totals.add({ ...of('3', 'BREAD', 'x'), storeId: 'a|b' })).toBe(true);
    expect(totals.takeChanged().every(({ unitsThousandths }) => unitsThousandths === 1000)).toBe(true);
  });

  test('only what changed is told', () => {
    const totals = createOpenTotals({ ticketsMax: 100 });
    totals.add(original);
    listen(totals);
    totals.add(original);
    expect(totals.takeChanged()).toEqual([]);
    totals.add(ticket('2', 0, { oat: 1 }));
    expect([...listen(totals).keys()].sort()).toEqual([`${DAY} oat`, `${HOUR} oat`]);
  });
});

describe('closing', () => {
  test('gives back each bucket of each store once, and says nothing more of it', () => {
    const totals = createOpenTotals({ ticketsMax: 100 });
    for (const storeId of ['406', '9'])
      for (const id of ['1', '2'])
        for (const hours of [0, 1])
          totals.add(
            ticket(`${id}-${hours}`, 0, { rye: 1, oat: 1 }, { storeId, hourMs: T + hours * HOUR_MS }),
          );
    const name = ({
      granularity,
      bucketMs,
      storeId,
    }: {
      granularity: string;
      bucketMs: number;
      storeId: string;
    }) => `${granularity} ${(bucketMs - DAY_MS) / HOUR_MS} ${storeId}`;
    expect(totals.close(T + HOUR_MS - 1).map(name)).toEqual([]);
    expect(
      totals
        .close(T + HOUR_MS)
        .map(name)
        .sort(),
    ).toEqual(['hour 12 406', 'hour 12 9']);
    expect([...listen(totals).keys()].filter((key) => key.includes('T12'))).toEqual([]);
    expect(totals.close(T + HOUR_MS).map(name)).toEqual([]);
    expect(totals.close(T - HOUR_MS).map(name)).toEqual([]);
    expect(totals.close(DAY_END_MS).map(name).sort()).toEqual([
      'day 0 406',
      'day 0 9',
      'hour 13 406',
      'hour 13 9',
    ]);
  });

  test('a ticket late for its hour counts in its day only', () => {
    const totals = createOpenTotals({ ticketsMax: 100 });
    totals.close(T + HOUR_MS);
    totals.add(ticket('1', 0, { rye: 1 }));
    totals.add(ticket('1', 1, { rye: 4 }));
    expect(listen(totals)).toEqual(new Map([[`${DAY} rye`, 4]]));
    expect(totals.close(DAY_END_MS)).toHaveLength(1);
  });

  test('a ticket late for all its buckets takes no room and opens nothing', () => {
    const totals = createOpenTotals({ ticketsMax: 1 });
    totals.close(DAY_END_MS);
    for (const id of ['1', '2', '3']) expect(totals.add(ticket(id, 0, { rye: 1 }))).toBe(true);
    expect(totals.takeChanged()).toEqual([]);
    expect(totals.forgotten()).toBe(0);
    expect(totals.close(DAY_END_MS + 10 * HOUR_MS)).toEqual([]);
  });

  test('a bucket whose tickets were all voided is closed too: what was written of it must go', () => {
    const totals = createOpenTotals({ ticketsMax: 100 });
    totals.add(voiding('0', '1'));
    totals.add(ticket('1', 0, { rye: 1 }));
    expect(
      totals
        .close(DAY_END_MS)
        .map(({ granularity }) => granularity)
        .sort(),
    ).toEqual(['day', 'hour']);
  });
});

describe('the limit of tickets', () => {
  test('the oldest is forgotten, is counted, and stays in the totals', () => {
    const totals = createOpenTotals({ ticketsMax: 2 });
    for (const id of ['1', '2', '3', '4']) totals.add(ticket(id, 0, { rye: 1 }));
    expect(totals.forgotten()).toBe(2);
    expect(listen(totals).get(`${DAY} rye`)).toBe(4);
    // What is remembered is still exact…
    totals.add(ticket('4', 0, { rye: 1 }));
    totals.add(ticket('3', 1, { rye: 10 }));
    expect(listen(totals).get(`${DAY} rye`)).toBe(13);
    // …and a duplicate of what is not counts again, until the bucket closes.
    totals.add(ticket('1', 0, { rye: 1 }));
    expect(listen(totals).get(`${DAY} rye`)).toBe(14);
  });

  test('a closed day makes room', () => {
    const totals = createOpenTotals({ ticketsMax: 2 });
    for (const id of ['1', '2']) totals.add(ticket(id, 0, { rye: 1 }));
    totals.close(DAY_END_MS);
    const tomorrow = { businessDate: '2026-03-02', hourMs: DAY_END_MS, dayEndMs: DAY_END_MS + 24 * HOUR_MS };
    for (const id of ['1', '2']) totals.add(ticket(id, 0, { rye: 1 }, tomorrow));
    expect(totals.forgotten()).toBe(0);
  });
});

test('after every step of any history, what was announced is what the tickets come to', () => {
  const id = fc.constantFrom('1', '2', '3');
  const sold = fc.dictionary(fc.constantFrom('rye', 'oat'), fc.integer({ min: -3, max: 3 }), {
    noNullPrototype: true,
  });
  const arbitraryTicket = fc
    .record({
      id,
      revision: fc.nat(3),
      sold,
      voids: fc.option(id, { nil: null, freq: 3 }),
      hours: fc.nat(2),
      storeId: fc.constantFrom('406', '9'),
    })
    .map(({ id: name, revision, sold: amounts, voids, hours, storeId }) =>
      ticket(name, revision, voids === null ? amounts : {}, { voids, hourMs: T + hours * HOUR_MS, storeId }),
    );
  const step = fc.oneof(
    { weight: 9, arbitrary: arbitraryTicket },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 4 }).map((hours) => T + hours * HOUR_MS) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const totals = createOpenTotals({ ticketsMax: 1_000 });
      const heard = new Map<string, number>();
      // Two contents of one revision do not exist in a history: the first holds.
      const latest = new Map<string, OpenTicket>();
      const seen = new Map<string, OpenTicket>();
      let closedUntilMs = 0;
      for (const each of steps) {
        if (typeof each === 'number') {
          closedUntilMs = Math.max(closedUntilMs, each);
          totals.close(each);
        } else {
          const name = `${each.storeId} ${each.transactionId}`;
          const first = seen.get(`${name} ${each.version}`) ?? each;
          seen.set(`${name} ${each.version}`, first);
          totals.add(first);
          const known = latest.get(name);
          if (known === undefined || known.version < first.version) latest.set(name, first);
        }
        listen(totals, heard);
        const expected = recompute([...latest.values()]);
        for (const [name, pieces] of heard) {
          const hourMs = Date.parse(`${name.split(' ')[1]}:00:00Z`);
          if (name.startsWith('hour') && hourMs + HOUR_MS <= closedUntilMs) continue;
          expect(pieces, name).toBe(expected.get(name) ?? 0);
        }
        for (const [name, pieces] of expected) {
          const hourMs = Date.parse(`${name.split(' ')[1]}:00:00Z`);
          if (name.startsWith('hour') && hourMs + HOUR_MS <= closedUntilMs) continue;
          expect(heard.get(name) ?? 0, name).toBe(pieces);
        }
      }
    }),
  );
});

/** Totals of the tickets that count, worked out from scratch. */
function recompute(tickets: readonly OpenTicket[]): Map<string, number> {
  const voided = new Set(
    tickets.flatMap(({ storeId, voids }) => (voids === null ? [] : [`${storeId} ${voids}`])),
  );
  const totals = new Map<string, number>();
  for (const each of tickets) {
    if (voided.has(`${each.storeId} ${each.transactionId}`)) continue;
    const hour = new Date(each.hourMs).toISOString().slice(0, 13);
    for (const { sku, unitsThousandths } of each.amounts)
      for (const bucket of [`hour ${hour}`, 'day 2026-03-01T00']) {
        const name = `${bucket} ${each.storeId} ${sku}`;
        totals.set(name, (totals.get(name) ?? 0) + unitsThousandths / 1000);
      }
  }
  return totals;
}
