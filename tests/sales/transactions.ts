/** What the tests of the parser share: a context, and a good ticket to spoil. */
import * as fc from 'fast-check';
import type { ParseContext } from '../../src/sales/parse-context.ts';
import type { TransactionMessage } from '../../src/sales/transaction-message.ts';
import type { Parsed, Transaction } from '../../src/sales/transaction.ts';

const DAY_MS = 86_400_000;

export const CONTEXT: ParseContext = {
  currency: 'USD',
  calendarOf: (_, timeZone) => ({ timeZone: timeZone ?? 'America/New_York', businessDayStartMinutes: 240 }),
  recordTimestampMs: Date.parse('2017-03-12T20:00:00Z'),
  futureSkewMsMax: 300_000,
  earliestTimeMs: Date.UTC(2000, 0, 1),
  businessDateSkewDaysMax: 2,
};

export const SALE: TransactionMessage = {
  event_id: 'e-1',
  transaction_id: 't-1',
  revision: 0,
  original_transaction_id: null,
  type: 'SALE',
  training: false,
  store_id: '406',
  register_id: '3',
  channel: 'store',
  begin_time: Date.parse('2017-03-12T14:58:00Z'),
  end_time: Date.parse('2017-03-12T15:00:00Z'),
  time_zone: 'America/New_York',
  business_date: '2017-03-12',
  currency: 'USD',
  lines: [
    {
      line_id: 'a',
      sku: '1041453',
      gtin: '04006381333931',
      category_path: ['GROCERY', 'COLD CEREAL'],
      quantity_thousandths: 2000,
      unit_of_measure: 'each',
      unit_price_minor: 199,
      list_price_minor: 249,
      discounts: [{ promotion_id: 'P7', coupon_id: null, amount_minor: 100 }],
      net_amount_minor: 398,
      voided: false,
    },
    {
      line_id: null,
      sku: '99',
      gtin: null,
      category_path: [],
      quantity_thousandths: 1250,
      unit_of_measure: 'kg',
      unit_price_minor: null,
      list_price_minor: null,
      discounts: [],
      net_amount_minor: 350,
      voided: true,
    },
  ],
  tenders: [{ kind: 'card', amount_minor: 398 }],
  attributes: { cashier_shift: 'early' },
};

/** `SALE` with some fields replaced. */
export function sale(change: Partial<TransactionMessage>): TransactionMessage {
  return { ...SALE, ...change };
}

/** `SALE` with some fields of its first line replaced. */
export function saleOf(change: Partial<TransactionMessage['lines'][number]>): TransactionMessage {
  return { ...SALE, lines: SALE.lines.map((line, index) => (index === 0 ? { ...line, ...change } : line)) };
}

/** The problems of a refused ticket as `reason path`, in order of the path. */
export function problemsOf(parsed: Parsed): string[] {
  if (parsed.ok) throw new Error('the ticket was accepted');
  return parsed.problems.map(({ reason, path }) => `${reason} ${path}`).toSorted();
}

export function acceptedOf(parsed: Parsed): Transaction {
  if (!parsed.ok) throw new Error(`the ticket was refused: ${JSON.stringify(parsed.problems)}`);
  return parsed.transaction;
}

const name = fc.stringMatching(/^[a-zA-Z_äß漢][\wäß漢 .-]{0,12}$/);
const optionalName = fc.option(name, { nil: null });
const amount = fc.integer({ min: -1e9, max: 1e9 });

/** Tickets that must be accepted. */
export const goodMessage: fc.Arbitrary<TransactionMessage> = fc.record({
  event_id: name,
  transaction_id: name,
  revision: fc.nat(2 ** 31 - 1),
  original_transaction_id: name,
  type: fc.constantFrom('SALE', 'RETURN', 'EXCHANGE', 'VOID'),
  training: fc.boolean(),
  store_id: name,
  register_id: optionalName,
  channel: name,
  begin_time: fc.constant(null),
  end_time: fc.integer({ min: CONTEXT.recordTimestampMs - 900 * DAY_MS, max: CONTEXT.recordTimestampMs }),
  time_zone: fc.constantFrom(null, 'Europe/Berlin', 'Asia/Kathmandu'),
  business_date: fc.constant(null),
  currency: fc.constantFrom(null, 'USD'),
  lines: fc.array(
    fc.record({
      line_id: optionalName,
      sku: name,
      gtin: optionalName,
      category_path: fc.array(name, { maxLength: 3 }),
      quantity_thousandths: amount,
      unit_of_measure: name,
      unit_price_minor: fc.option(amount, { nil: null }),
      list_price_minor: fc.option(amount, { nil: null }),
      discounts: fc.array(
        fc.record({ promotion_id: optionalName, coupon_id: optionalName, amount_minor: amount }),
        {
          maxLength: 2,
        },
      ),
      net_amount_minor: amount,
      voided: fc.boolean(),
    }),
    { maxLength: 4 },
  ),
  tenders: fc.array(fc.record({ kind: name, amount_minor: amount }), { maxLength: 2 }),
  attributes: fc.dictionary(name, name, { maxKeys: 3, noNullPrototype: true }),
});
