import { describe, expect, test } from 'vitest';
import { ingestStep } from '../../src/pipeline/ingest-step.ts';
import type {
  IngestEffects,
  IngestInput,
  IngestLimits,
  PlacedTicket,
  SourceState,
} from '../../src/pipeline/ingest-step.ts';
import type { Transaction } from '../../src/sales/transaction.ts';
import { createOpenTotals } from '../../src/windows/open-totals.ts';
import { startWatermark } from '../../src/windows/watermark.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Noon of a business day that is the UTC day. */
const NOON_MS = Date.UTC(2026, 2, 1, 12);
const LIMITS: IngestLimits = {
  allowedLatenessMs: 2 * MINUTE_MS,
  futureSkewMsMax: DAY_MS,
  idleAfterMs: MINUTE_MS,
  businessDateSkewDaysMax: 1,
  messageEntriesMax: 1_000,
};

type TicketOptions = Partial<Transaction> & { readonly dayEndMs?: number; readonly skus?: readonly string[] };

/** One piece of each product, sold at that minute after noon. */
function ticket(minute: number, options: TicketOptions = {}): PlacedTicket {
  const { dayEndMs, skus = ['rye'], ...change } = options;
  const endTimeMs = NOON_MS + minute * MINUTE_MS;
  const transaction: Transaction = {
    eventId: `e-${minute}`,
    transactionId: `t-${minute}`,
    revision: 0,
    originalTransactionId: null,
    type: 'SALE',
    training: false,
    storeId: '406',
    registerId: null,
    channel: 'store',
    beginTimeMs: endTimeMs,
    endTimeMs,
    timeZone: 'UTC',
    businessDate: new Date(endTimeMs).toISOString().slice(0, 10),
    currency: 'USD',
    lines: skus.map((sku, i) => ({
      lineId: String(i),
      sku,
      gtin: null,
      categoryPath: ['BREAD'],
      quantityThousandths: 1000,
      unitOfMeasure: 'each',
      unitPriceMinor: null,
      listPriceMinor: null,
      discounts: [],
      netAmountMinor: 100,
      voided: false,
    })),
    tenders: [],
    attributes: {},
    ...change,
  };
  return {
    transaction,
    version: BigInt(transaction.revision),
    hourMs: Math.floor(endTimeMs / HOUR_MS) * HOUR_MS,
    dayEndMs: dayEndMs ?? Date.parse(transaction.businessDate) + DAY_MS,
    categoryOf: (line) => line.categoryPath[0] as string,
    recordTimestampMs: endTimeMs + 500,
  };
}

/** A source whose watermark was committed at that minute after noon; null: a new one. */
function source(watermark: number | null): SourceState {
  const ms = watermark === null ? null : NOON_MS + watermark * MINUTE_MS;
  const open = createOpenTotals({ ticketsMax: 1_000 });
  if (ms !== null) open.close(ms);
  return { topic: 'till', partition: 3, watermark: startWatermark(ms, NOON_MS), open };
}

function step(
  state: SourceState,
  tickets: readonly PlacedTicket[],
  more: Partial<IngestInput> & Partial<IngestLimits> = {},
): IngestEffects {
  const input = { tickets, caughtUp: true, leadMs: null, nowMs: NOON_MS, ...more };
  return ingestStep(state, input, { ...LIMITS, ...more });
}

/** `hour +1` is the hour that begins an hour after noon, `day +0` the day of noon. */
function buckets(effects: IngestEffects): string[] {
  const named = effects.messages
    .flatMap(({ amended }) => amended)
    .map((bucket) => {
      const since = bucket.granularity === 'HOUR' ? NOON_MS : Math.floor(NOON_MS / DAY_MS) * DAY_MS;
      const after = (bucket.bucket_ms - since) / (bucket.granularity === 'HOUR' ? HOUR_MS : DAY_MS);
      return `${bucket.granularity.toLowerCase()} ${after} ${bucket.store_id}`;
    });
  return named.toSorted();
}

function minuteOf(ms: number | null | undefined): number | null {
  return ms === null || ms === undefined ? null : (ms - NOON_MS) / MINUTE_MS;
}

describe('the first batch of a source', () => {
  test('closes from the first of its own buckets on, and announces what it closed', () => {
    const state = source(null);
    const effects = step(state, [ticket(5), ticket(70), ticket(130)]);
    expect(minuteOf(effects.watermarkMs)).toBe(128);
    expect(minuteOf(effects.close?.untilMs)).toBe(128);
    // The hour of noon ends at minute 60.
    expect(minuteOf(effects.close?.afterMs)).toBeLessThan(60);
    expect(minuteOf(effects.close?.afterMs)).toBeGreaterThan(0);
    expect(buckets(effects)).toEqual(['hour 0 406', 'hour 1 406']);
    expect(effects.amend).toEqual({ hours: [], days: [] });
  });

  test('closes a business day that was over before the first hour began', () => {
    const yesterday = { businessDate: '2026-02-28', dayEndMs: Date.UTC(2026, 2, 1) };
    const effects = step(source(null), [ticket(5, yesterday)]);
    expect(buckets(effects)).toEqual(['day -1 406']);
    expect(effects.close?.afterMs).toBeLessThan(yesterday.dayEndMs);
  });

  test('of a till a year ahead moves the watermark no further than our own clock', () => {
    const effects = step(source(null), [ticket(5), ticket(365 * 24 * 60)], {
      futureSkewMsMax: 5 * MINUTE_MS,
    });
    expect(minuteOf(effects.watermarkMs)).toBe(3);
    expect(effects.close).toBeNull();
  });

  test('of refused records alone says and does nothing', () => {
    const effects = step(source(null), []);
    expect(effects).toEqual({
      insert: [],
      amend: { hours: [], days: [] },
      close: null,
      messages: [],
      watermarkMs: null,
      counts: { duplicates: 0, late: 0 },
      closed: { hour: 0, day: 0 },
      amended: { hour: 0, day: 0 },
    });
  });
});

describe('closing', () => {
  test('takes what the watermark has passed since, and only when something ended', () => {
    const state = source(0);
    expect(step(state, [ticket(5)]).close).toBeNull();
    expect(step(state, [ticket(61)]).close).toBeNull();
    const effects = step(state, [ticket(62)]);
    expect([minuteOf(effects.close?.afterMs), minuteOf(effects.close?.untilMs)]).toEqual([59, 60]);
    expect(buckets(effects)).toEqual(['hour 0 406']);
    expect(step(state, [ticket(63)]).close).toBeNull();
  });

  test('is brought about by silence too, when everything has been read', () => {
    const state = source(0);
    step(state, [ticket(55)]);
    expect(step(state, [], { nowMs: NOON_MS + 30_000 }).messages).toEqual([]);
    const later = { nowMs: NOON_MS + 10 * MINUTE_MS };
    expect(step(state, [], { ...later, caughtUp: false }).watermarkMs).toBe(NOON_MS + 53 * MINUTE_MS);
    const effects = step(state, [], later);
    expect(minuteOf(effects.watermarkMs)).toBe(63);
    expect(buckets(effects)).toEqual(['hour 0 406']);
    expect([minuteOf(effects.close?.afterMs), minuteOf(effects.close?.untilMs)]).toEqual([53, 63]);
    expect(effects.messages[0]?.last_event_ms).toBeNull();
  });

  test('a tick that changes nothing says nothing', () => {
    const state = source(0);
    step(state, [ticket(5)]);
    expect(step(state, [], { nowMs: NOON_MS + 1_000 }).messages).toEqual([]);
  });

  test('a silent source follows the one furthest ahead', () => {
    const state = source(0);
    step(state, [ticket(5)]);
    const effects = step(state, [], { nowMs: NOON_MS + 2 * MINUTE_MS, leadMs: NOON_MS + 200 * MINUTE_MS });
    expect(minuteOf(effects.watermarkMs)).toBe(200);
    expect(buckets(effects)).toEqual(['hour 0 406']);
  });
});

describe('amending', () => {
  test.each<[string, PlacedTicket, readonly string[], number]>([
    ['a ticket in time amends nothing', ticket(200), [], 0],
    ['one whose hour is still open amends nothing', ticket(121), [], 0],
    ['a late ticket amends its hour', ticket(10), ['hour 0 406'], 1],
    ['one late for its day amends both', ticket(-13 * 60), ['day -1 406', 'hour -13 406'], 1],
    [
      'one of yesterday’s business date amends that day although its hour is open',
      ticket(130, { businessDate: '2026-02-28' }),
      ['day -1 406'],
      1,
    ],
    ['a training ticket amends like another', ticket(10, { training: true }), ['hour 0 406'], 1],
    [
      'what voids nothing by name amends its own hour',
      ticket(10, { type: 'VOID', originalTransactionId: null }),
      ['hour 0 406'],
      1,
    ],
  ])('%s', (_, late, expected, count) => {
    const effects = step(source(120), [late]);
    expect(buckets(effects)).toEqual(expected);
    expect(effects.counts.late).toBe(count);
    const targets = [
      ...effects.amend.hours.map(({ storeId, hourMs }) => `hour ${(hourMs - NOON_MS) / HOUR_MS} ${storeId}`),
      ...effects.amend.days.map(
        ({ storeId, businessDate }) =>
          `day ${(Date.parse(businessDate) - Date.UTC(2026, 2, 1)) / DAY_MS} ${storeId}`,
      ),
    ];
    expect(targets.toSorted()).toEqual(expected);
  });

  test.each([
    ['a revision', { revision: 1 }],
    ['a void', { type: 'VOID', originalTransactionId: 't-9' }],
  ] as const)('%s amends every closed hour that what it replaces may have counted in', (_, change) => {
    const effects = step(source(120), [ticket(130, change)]);
    const hours = effects.amend.hours.map(({ hourMs }) => (hourMs - NOON_MS) / HOUR_MS);
    // Its local date lies up to a day from the business date, on either side: three days of hours each way, if closed.
    expect(hours.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 72 }, (_unused, i) => i - 70));
    expect(effects.amend.days).toEqual([]);
    expect(effects.counts.late).toBe(0);
  });

  test('every late ticket counts, a bucket is named once', () => {
    const effects = step(source(120), [ticket(10), ticket(11), ticket(12, { storeId: '9' })]);
    expect(effects.counts.late).toBe(3);
    expect(buckets(effects)).toEqual(['hour 0 406', 'hour 0 9']);
  });

  test('a ticket of a bucket that ends with the same batch is closed with it, not amended', () => {
    const effects = step(source(50), [ticket(55), ticket(120)]);
    expect(effects.amend.hours).toEqual([]);
    expect(buckets(effects)).toEqual(['hour 0 406']);
  });

  test('duplicates are counted and go into the table all the same: it knows them by their version', () => {
    const effects = step(source(0), [ticket(5), ticket(5), ticket(5)]);
    expect(effects.counts.duplicates).toBe(2);
    expect(effects.insert).toHaveLength(3);
  });
});

describe('messages', () => {
  test('carry the running totals of the leaves that changed, by hour and by day', () => {
    const state = source(0);
    step(state, [ticket(5, { skus: ['rye', 'oat'] })]);
    const [message, ...others] = step(state, [ticket(6)]).messages;
    expect(others).toEqual([]);
    const leaf = {
      store_id: '406',
      category: 'BREAD',
      sku: 'rye',
      units_thousandths: 2000,
      revenue_minor: 200,
    };
    expect(message).toEqual({
      source_topic: 'till',
      source_partition: 3,
      kind: 'LIVE',
      watermark_ms: NOON_MS + 4 * MINUTE_MS,
      last_event_ms: NOON_MS + 6 * MINUTE_MS + 500,
      open: [
        { granularity: 'HOUR', bucket_ms: NOON_MS, ...leaf },
        { granularity: 'DAY', bucket_ms: Date.UTC(2026, 2, 1), ...leaf },
      ],
      amended: [],
    });
  });

  test('leave out voided lines, voids and training', () => {
    const state = source(0);
    const voidedLine = ticket(5, { skus: ['rye', 'oat'] });
    const lines = voidedLine.transaction.lines.map((line) => ({ ...line, voided: line.sku === 'oat' }));
    const { messages } = step(state, [
      { ...voidedLine, transaction: { ...voidedLine.transaction, lines } },
      ticket(6, { training: true }),
      ticket(7, { type: 'VOID', originalTransactionId: 't-99' }),
      ticket(8, { type: 'VOID', originalTransactionId: 't-5', training: true }),
    ]);
    const found = messages.flatMap(({ open }) => open).map(({ sku, units_thousandths: n }) => [sku, n]);
    expect(found).toEqual([
      ['rye', 1000],
      ['rye', 1000],
    ]);
  });

  test('are cut where there is much to say; only the last carries the new watermark', () => {
    const state = source(0);
    step(state, [ticket(1)]);
    const skus = ['a', 'b', 'c', 'd', 'e'];
    const { messages } = step(state, [ticket(30, { skus }), ticket(200, { skus })], { messageEntriesMax: 4 });
    expect(messages.map(({ watermark_ms: ms }) => minuteOf(ms))).toEqual([0, 0, 198]);
    for (const { open, amended } of messages) {
      expect(open.length).toBeLessThanOrEqual(4);
      expect(amended.length).toBeLessThanOrEqual(4);
    }
    const names = messages.flatMap(({ open }) => open.map((leaf) => `${leaf.granularity} ${leaf.sku}`));
    // The hour of minute 30 is closed by now, and nothing more is said of it; the day holds the first rye as well.
    expect(names.toSorted()).toEqual(['DAY', 'HOUR'].flatMap((g) => skus.map((sku) => `${g} ${sku}`)));
  });
});
