import { describe, expect, test } from 'vitest';
import { createCodec } from '../../../src/adapters/avro/codec.ts';
import { resolveConfig } from '../../../src/config.ts';
import { ingestStep } from '../../../src/pipeline/ingest-step.ts';
import type { Batch, LogRecord } from '../../../src/pipeline/log.ts';
import { TOPICS } from '../../../src/pipeline/topics.ts';
import type { Calendars } from '../../../src/roles/calendars.ts';
import { readBatch } from '../../../src/roles/ingest/read-batch.ts';
import type { ReadResult } from '../../../src/roles/ingest/read-batch.ts';
import type { StoreCalendar } from '../../../src/sales/calendar.ts';
import type { TransactionMessage } from '../../../src/sales/transaction-message.ts';
import { createOpenTotals } from '../../../src/windows/open-totals.ts';
import { startWatermark } from '../../../src/windows/watermark.ts';
import { CONTEXT, SALE, sale, saleOf } from '../../sales/transactions.ts';

const NOW_MS = CONTEXT.recordTimestampMs;
const YEAR_MS = 365 * 86_400_000;
const config = resolveConfig({ timeZone: 'America/Denver', businessDayStartMinutes: 240 });
const codec = await createCodec();

/** The stores that are known, as the table would name them. */
function calendarsOf(stores: Readonly<Record<string, StoreCalendar>>): Calendars {
  const chain = { timeZone: config.timeZone, businessDayStartMinutes: config.businessDayStartMinutes };
  return {
    of: (storeId) => stores[storeId ?? ''] ?? chain,
    known: (storeId) => stores[storeId],
    all: () => [chain, ...Object.values(stores)],
    load: () => Promise.resolve(),
    enter: () => Promise.resolve(),
  };
}

function record(value: Buffer | null, more: Partial<LogRecord> = {}): LogRecord {
  return { offset: 0, timestampMs: NOW_MS, key: Buffer.from('406'), value, headers: {}, ...more };
}

function ticket(message: TransactionMessage, more: Partial<LogRecord> = {}): LogRecord {
  return record(codec.encode(TOPICS.transactions, message), more);
}

function read(
  records: readonly LogRecord[],
  stores: Readonly<Record<string, StoreCalendar>> = {},
): ReadResult {
  const numbered = records.map((each, i) => ({ ...each, offset: 100 + i }));
  const batch: Batch = { topic: TOPICS.transactions, partition: 2, records: numbered, highWatermark: 200 };
  const categoryOfSku = (sku: string): string | undefined => (sku === '99' ? 'DELI' : undefined);
  return readBatch(batch, { codec, config, calendars: calendarsOf(stores), categoryOfSku });
}

const GOOD = ticket(SALE);
const good = GOOD.value as Buffer;

describe('what is no transaction', () => {
  test.each<[string, LogRecord, string, string]>([
    ['an empty record', record(null), 'decode', 'malformed'],
    ['no bytes', record(Buffer.alloc(0)), 'decode', 'malformed'],
    ['text', record(Buffer.from('{"event_id": "e-1"}')), 'decode', 'malformed'],
    ['a bad magic byte', record(Buffer.concat([Buffer.from([1]), good.subarray(1)])), 'decode', 'malformed'],
    ['a message cut off', record(good.subarray(0, -3)), 'decode', 'malformed'],
    [
      'a message with bytes behind it',
      record(Buffer.concat([good, Buffer.from([0])])),
      'decode',
      'malformed',
    ],
    [
      'a schema nobody knows',
      record(Buffer.concat([Buffer.from([0, 0, 1, 226, 64]), good.subarray(5)])),
      'decode',
      'unknown_schema',
    ],
    [
      'a quantity beyond all measure',
      ticket(saleOf({ quantity_thousandths: 2 ** 52 })),
      'parse',
      'out_of_range',
    ],
    [
      'an amount beyond all measure',
      ticket(saleOf({ net_amount_minor: -(2 ** 52) })),
      'parse',
      'out_of_range',
    ],
    ['a till ten years ahead', ticket(sale({ end_time: NOW_MS + 10 * YEAR_MS })), 'parse', 'time_in_future'],
    ['a till of the last century', ticket(sale({ begin_time: null, end_time: 0 })), 'parse', 'time_too_old'],
    ['another currency', ticket(sale({ currency: 'EUR' })), 'parse', 'currency_mismatch'],
    ['a zone that is none', ticket(sale({ time_zone: 'Mars/Olympus' })), 'parse', 'unknown_time_zone'],
    ['a void of nothing', ticket(sale({ type: 'VOID' })), 'parse', 'missing_field'],
  ])(
    '%s is refused with its reason and its bytes, and the good ones beside it go through',
    (_, bad, stage, reason) => {
      const { tickets, refused } = read([GOOD, bad, GOOD]);
      expect(tickets).toHaveLength(2);
      expect(refused).toHaveLength(1);
      const [problem] = refused;
      expect(problem).toMatchObject({ stage, reason });
      expect(problem?.letter.value).toEqual(bad.value);
      expect(problem?.letter.key).toEqual(bad.key);
      const headers = Object.entries(problem?.letter.headers ?? {}).map(([name, value]) => [
        name,
        value.toString(),
      ]);
      expect(Object.fromEntries(headers)).toEqual({
        'foretill-topic': TOPICS.transactions,
        'foretill-partition': '2',
        'foretill-offset': '101',
        'foretill-timestamp': String(NOW_MS),
        'foretill-stage': stage,
        'foretill-reason': reason,
        'foretill-error': problem?.message,
      });
    },
  );

  test('keeps the headers it came with', () => {
    const headers = { 'ce-id': Buffer.from('7') };
    const { refused } = read([record(null, { headers })]);
    expect(refused[0]?.letter.headers).toMatchObject(headers);
  });

  test('leaves nothing of a card number behind, whatever else is wrong', () => {
    const card = '4111 1111 1111 1111';
    const spoilt = {
      ...sale({ currency: 'EUR', type: 'VOID', attributes: { note: `card ${card}` } }),
      tenders: [{ kind: card, amount_minor: 1 }],
    };
    const { refused, tickets } = read([ticket(spoilt)]);
    expect(tickets).toEqual([]);
    expect(refused[0]?.reason).toBe('card_data');
    expect(refused[0]?.letter.value).toBeNull();
    expect(
      JSON.stringify(refused[0], (_, value: unknown) => (Buffer.isBuffer(value) ? value.toString() : value)),
    ).not.toMatch(/1111/);
  });

  test('has its many problems told in a few words', () => {
    const lines = Array.from({ length: 300 }, () => ({
      ...SALE.lines[0]!,
      sku: '',
      quantity_thousandths: 1e12,
    }));
    const { refused } = read([ticket(sale({ lines }))]);
    expect(refused[0]?.message.length).toBeLessThanOrEqual(2_000);
  });
});

describe('whether a time is possible', () => {
  const ahead = sale({ end_time: NOW_MS + 3_600_000, begin_time: null, business_date: null });

  test.each([
    ['is refused when the record was written before it', NOW_MS, 0],
    ['is taken when the record was written after it', NOW_MS + 3_600_000, 1],
    ['is taken within the allowed skew', NOW_MS + 3_600_000 - config.futureSkewMsMax, 1],
    ['is refused beyond the allowed skew', NOW_MS + 3_600_000 - config.futureSkewMsMax - 1, 0],
  ])('goes by the record’s own time: a ticket %s', (_, timestampMs, accepted) => {
    expect(read([ticket(ahead, { timestampMs })]).tickets).toHaveLength(accepted);
  });

  test('keeps a wrong clock from moving the watermark', () => {
    const wrong = ticket(
      sale({ transaction_id: 't-2', end_time: NOW_MS + 10 * YEAR_MS, business_date: null }),
    );
    const state = {
      topic: TOPICS.transactions,
      partition: 2,
      watermark: startWatermark(null, NOW_MS),
      open: createOpenTotals({ ticketsMax: 10 }),
    };
    const { tickets } = read([wrong, GOOD, wrong]);
    const limits = { ...config, messageEntriesMax: 10 };
    const effects = ingestStep(state, { tickets, caughtUp: true, leadMs: null, nowMs: NOW_MS }, limits);
    expect(effects.watermarkMs).toBe(SALE.end_time - config.allowedLatenessMs);
  });
});

describe('where a ticket counts', () => {
  test('is by the calendar of its store, not by what its till says', () => {
    const stores = { '406': { timeZone: 'America/Los_Angeles', businessDayStartMinutes: 0 } };
    // Three in the morning in New York.
    const night = sale({ end_time: Date.UTC(2017, 2, 10, 8, 30), begin_time: null, business_date: null });
    const [known] = read([ticket(night)], stores).tickets;
    expect(known?.transaction.timeZone).toBe('America/Los_Angeles');
    expect(known?.transaction.businessDate).toBe('2017-03-10');
    expect(known?.hourMs).toBe(Date.UTC(2017, 2, 10, 8));
    expect(known?.dayEndMs).toBe(Date.UTC(2017, 2, 11, 8));
    const [unknown] = read([ticket(night)]).tickets;
    // Before four it is still the business day before; the day ends at four the next morning.
    expect(unknown?.transaction.timeZone).toBe('America/New_York');
    expect(unknown?.transaction.businessDate).toBe('2017-03-09');
    expect(unknown?.dayEndMs).toBe(Date.UTC(2017, 2, 10, 9));
  });

  test('ends with a day of 23 hours where the clocks go forward', () => {
    const stores = { '406': { timeZone: 'America/New_York', businessDayStartMinutes: 0 } };
    const [placed] = read([ticket(sale({ business_date: null }))], stores).tickets;
    expect(placed?.transaction.businessDate).toBe('2017-03-12');
    expect(placed?.dayEndMs).toBe(Date.UTC(2017, 2, 13, 4));
  });

  test('of a new store is by its first till, for all tickets of the batch', () => {
    const second = sale({ transaction_id: 't-2', time_zone: 'America/Chicago' });
    const third = sale({ transaction_id: 't-3', store_id: 'none', time_zone: null });
    const { tickets, newStores } = read([GOOD, ticket(second), ticket(third)]);
    expect(tickets.map(({ transaction }) => transaction.timeZone)).toEqual([
      'America/New_York',
      'America/New_York',
      'America/Denver',
    ]);
    expect([...newStores.keys()]).toEqual(['406', 'none']);
    expect(newStores.get('406')).toEqual({ timeZone: 'America/New_York', businessDayStartMinutes: 240 });
  });

  test('a refused ticket makes no store known', () => {
    const refused = ticket(sale({ store_id: 'bad', currency: 'EUR' }));
    expect([...read([refused]).newStores]).toEqual([]);
    expect([...read([GOOD], { '406': { timeZone: 'UTC', businessDayStartMinutes: 0 } }).newStores]).toEqual(
      [],
    );
  });

  test('a line’s category is its own widest, else its product’s, else a name for none', () => {
    const [first, second] = SALE.lines as [(typeof SALE.lines)[number], (typeof SALE.lines)[number]];
    const [placed] = read([
      ticket(sale({ lines: [first, second, { ...second, sku: 'unheard of' }] })),
    ]).tickets;
    expect(placed?.transaction.lines.map((line) => placed.categoryOf(line))).toEqual([
      'GROCERY',
      'DELI',
      'UNCATEGORISED',
    ]);
  });
});

test('duplicates have one version, a revision a higher one', () => {
  const { tickets } = read([GOOD, GOOD, ticket(sale({ revision: 1 }))]);
  const [a, b, c] = tickets.map(({ version }) => version) as [bigint, bigint, bigint];
  expect(a).toBe(b);
  expect(c).toBeGreaterThan(a);
});
