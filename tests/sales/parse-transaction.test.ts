import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTransactionMessage } from '../../src/sales/parse-transaction.ts';
import { toTransactionMessage } from '../../src/sales/to-transaction-message.ts';
import type { TransactionMessage } from '../../src/sales/transaction-message.ts';
import { acceptedOf, CONTEXT, goodMessage, problemsOf, sale, SALE, saleOf } from './transactions.ts';

const CARD = '4111111111111111';
const LINE = SALE.lines[0] as TransactionMessage['lines'][number];

function check(message: TransactionMessage, problems: readonly string[]): void {
  expect(problemsOf(parseTransactionMessage(message, CONTEXT))).toEqual(problems);
}

describe('a good ticket', () => {
  test('comes out with everything it had', () => {
    const transaction = acceptedOf(parseTransactionMessage(SALE, CONTEXT));
    expect(transaction).toMatchObject({
      eventId: 'e-1',
      storeId: '406',
      beginTimeMs: SALE.begin_time,
      endTimeMs: SALE.end_time,
      businessDate: '2017-03-12',
      timeZone: 'America/New_York',
      tenders: [{ kind: 'card', amountMinor: 398 }],
      attributes: { cashier_shift: 'early' },
    });
    expect(transaction.lines[0]).toEqual({
      lineId: 'a',
      sku: '1041453',
      gtin: '04006381333931',
      categoryPath: ['GROCERY', 'COLD CEREAL'],
      quantityThousandths: 2000,
      unitOfMeasure: 'each',
      unitPriceMinor: 199,
      listPriceMinor: 249,
      discounts: [{ promotionId: 'P7', couponId: null, amountMinor: 100 }],
      netAmountMinor: 398,
      voided: false,
    });
  });

  test('gets what it left out', () => {
    const left = { begin_time: null, time_zone: null, business_date: null, currency: null };
    const transaction = acceptedOf(
      parseTransactionMessage(sale({ ...left, end_time: Date.parse('2017-03-12T06:30Z') }), CONTEXT),
    );
    expect(transaction).toMatchObject({
      beginTimeMs: transaction.endTimeMs,
      timeZone: 'America/New_York',
      businessDate: '2017-03-11',
      currency: 'USD',
    });
    expect(transaction.lines.map(({ lineId }) => lineId)).toEqual(['a', '2']);
  });

  test('may send optional texts empty', () => {
    const empty = {
      register_id: '',
      original_transaction_id: '',
      time_zone: '',
      business_date: '',
      currency: '',
    };
    const transaction = acceptedOf(parseTransactionMessage(sale(empty), CONTEXT));
    expect(transaction).toMatchObject({ registerId: null, originalTransactionId: null, currency: 'USD' });
  });

  test('is dated in the zone of the store, not of the till', () => {
    const context = {
      ...CONTEXT,
      calendarOf: () => ({ timeZone: 'Asia/Tokyo', businessDayStartMinutes: 0 }),
    };
    const transaction = acceptedOf(parseTransactionMessage(sale({ business_date: null }), context));
    expect(transaction).toMatchObject({ timeZone: 'Asia/Tokyo', businessDate: '2017-03-13' });
  });

  test('of type RETURN counts as negative, whatever sign it was sent with', () => {
    const lines = [
      LINE,
      { ...LINE, quantity_thousandths: -500, net_amount_minor: -100 },
      { ...LINE, net_amount_minor: 0 },
    ];
    const transaction = acceptedOf(parseTransactionMessage(sale({ type: 'RETURN', lines }), CONTEXT));
    expect(transaction.lines.map((line) => [line.quantityThousandths, line.netAmountMinor])).toEqual([
      [-2000, -398],
      [-500, -100],
      [-2000, 0],
    ]);
    expect(transaction.lines[0]).toMatchObject({ unitPriceMinor: 199, discounts: [{ amountMinor: -100 }] });
    expect(transaction.tenders).toEqual([{ kind: 'card', amountMinor: -398 }]);
  });

  test.each(['SALE', 'EXCHANGE'] as const)('of type %s keeps its signs', (type) => {
    const lines = [LINE, { ...LINE, quantity_thousandths: -500, net_amount_minor: -100 }];
    const transaction = acceptedOf(parseTransactionMessage(sale({ type, lines }), CONTEXT));
    expect(transaction.lines.map((line) => line.quantityThousandths)).toEqual([2000, -500]);
  });

  test('goes on the wire and comes back the same', () => {
    fc.assert(
      fc.property(goodMessage, (message) => {
        const transaction = acceptedOf(parseTransactionMessage(message, CONTEXT));
        const again = acceptedOf(parseTransactionMessage(toTransactionMessage(transaction), CONTEXT));
        expect(again).toEqual(transaction);
      }),
    );
  });
});

describe('a ticket is refused', () => {
  test.each<[string, TransactionMessage, string[]]>([
    ['without an event', sale({ event_id: '' }), ['missing_field event_id']],
    ['without a number', sale({ transaction_id: ' ' }), ['missing_field transaction_id']],
    ['without a store', sale({ store_id: '' }), ['missing_field store_id']],
    ['without an article', saleOf({ sku: '' }), ['missing_field lines[0].sku']],
    ['with a blank category', saleOf({ category_path: ['A', ''] }), ['missing_field lines[0].category_path']],
    ['as a void of nothing', sale({ type: 'VOID' }), ['missing_field original_transaction_id']],
    ['with a type of its own', sale({ type: 'GIFT' as 'SALE' }), ['invalid_value type']],
    ['with a negative revision', sale({ revision: -1 }), ['out_of_range revision']],
    ['with a long name', sale({ store_id: 'x'.repeat(257) }), ['out_of_range store_id']],
    ['with a line feed in a name', sale({ store_id: '4\n06' }), ['invalid_value store_id']],
    ['with a C1 control character', saleOf({ sku: 'a\u0085' }), ['invalid_value lines[0].sku']],
    ['with bytes that were no UTF-8', saleOf({ sku: 'caf\uFFFD' }), ['invalid_value lines[0].sku']],
    ['with half a surrogate pair', sale({ register_id: '\ud83d' }), ['invalid_value register_id']],
    [
      'with too many lines',
      sale({ lines: Array.from({ length: 2001 }, () => LINE) }),
      ['out_of_range lines'],
    ],
    [
      'with too large a quantity',
      saleOf({ quantity_thousandths: 1e9 + 1 }),
      ['out_of_range lines[0].quantity_thousandths'],
    ],
    [
      'with too large an amount',
      saleOf({ net_amount_minor: -1e13 - 1 }),
      ['out_of_range lines[0].net_amount_minor'],
    ],
    [
      'with too large a price',
      saleOf({ unit_price_minor: 2e13 }),
      ['out_of_range lines[0].unit_price_minor'],
    ],
    ['with part of a cent', saleOf({ net_amount_minor: 0.5 }), ['invalid_value lines[0].net_amount_minor']],
    ['with no number', saleOf({ net_amount_minor: Number.NaN }), ['invalid_value lines[0].net_amount_minor']],
    [
      'with an infinite one',
      saleOf({ quantity_thousandths: Infinity }),
      ['invalid_value lines[0].quantity_thousandths'],
    ],
    [
      'with too large a discount',
      saleOf({ discounts: [{ promotion_id: null, coupon_id: null, amount_minor: 1e14 }] }),
      ['out_of_range lines[0].discounts[0].amount_minor'],
    ],
    ['in another currency', sale({ currency: 'EUR' }), ['currency_mismatch currency']],
    ['in a zone that is not', sale({ time_zone: 'Mars/Olympus' }), ['unknown_time_zone time_zone']],
    ['in a bare offset', sale({ time_zone: '+02:00' }), ['unknown_time_zone time_zone']],
    ['begun after its end', sale({ begin_time: SALE.end_time + 1 }), ['invalid_value begin_time']],
    [
      'before time',
      sale({ begin_time: null, end_time: CONTEXT.earliestTimeMs - 1 }),
      ['time_too_old end_time'],
    ],
    ['begun before time', sale({ begin_time: -1 }), ['time_too_old begin_time']],
    [
      'from the future',
      sale({ end_time: CONTEXT.recordTimestampMs + CONTEXT.futureSkewMsMax + 1 }),
      ['time_in_future end_time'],
    ],
    ['with a time beyond dates', sale({ end_time: 9e15, begin_time: null }), ['time_in_future end_time']],
    ['with a date that is none', sale({ business_date: '2017-02-30' }), ['invalid_value business_date']],
    ['of another day', sale({ business_date: '2017-03-09' }), ['business_date_mismatch business_date']],
    ['of a coming day', sale({ business_date: '2017-03-15' }), ['business_date_mismatch business_date']],
    [
      'with too many attributes',
      sale({ attributes: Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`a${index}`, ''])) }),
      ['out_of_range attributes'],
    ],
    [
      'with a long attribute',
      sale({ attributes: { note: 'x'.repeat(1025) } }),
      ['out_of_range attributes.note'],
    ],
    [
      'with a bell in an attribute',
      sale({ attributes: { note: '\u0007' } }),
      ['invalid_value attributes.note'],
    ],
    [
      'with a name that is no name',
      sale({ attributes: { ['__proto__']: 'x' } }),
      ['invalid_value attributes[0]'],
    ],
    [
      'with a card in an attribute',
      sale({ attributes: { note: `card ${CARD}` } }),
      ['card_data attributes.note'],
    ],
    ['with a card for an attribute', sale({ attributes: { [CARD]: 'x' } }), ['card_data attributes[0]']],
    [
      'with a card in a tender',
      sale({ tenders: [{ kind: '4111 1111 1111 1111', amount_minor: 1 }] }),
      ['card_data tenders[0].kind'],
    ],
  ])('%s', (_, message, problems) => check(message, problems));

  test.each<[string, TransactionMessage]>([
    ['at the very last millisecond', sale({ end_time: CONTEXT.recordTimestampMs + CONTEXT.futureSkewMsMax })],
    ['at the very first', sale({ begin_time: null, end_time: CONTEXT.earliestTimeMs, business_date: null })],
    ['two days early', sale({ business_date: '2017-03-10' })],
    ['two days late', sale({ business_date: '2017-03-14' })],
    ['at the limits', saleOf({ quantity_thousandths: 1e9, net_amount_minor: -1e13, sku: 'x'.repeat(256) })],
    ['as a void', sale({ type: 'VOID', original_transaction_id: 't-0', lines: [] })],
    ['with an emoji', saleOf({ sku: '🍞' })],
    ['with an empty attribute', sale({ attributes: { note: '' } })],
  ])('not %s', (_, message) => {
    expect(parseTransactionMessage(message, CONTEXT)).toMatchObject({ ok: true });
  });

  test('with all that is wrong, at most twenty problems', () => {
    const message = sale({
      store_id: '',
      currency: 'EUR',
      type: 'GIFT' as 'SALE',
      time_zone: 'Mars/Olympus',
    });
    check(message, [
      'currency_mismatch currency',
      'invalid_value type',
      'missing_field store_id',
      'unknown_time_zone time_zone',
    ]);
    const lines = Array.from({ length: 30 }, () => ({ ...LINE, sku: '' }));
    expect(problemsOf(parseTransactionMessage(sale({ lines }), CONTEXT))).toHaveLength(20);
  });

  test('for card data first of all', () => {
    const lines = Array.from({ length: 30 }, () => ({ ...LINE, sku: '' }));
    const parsed = parseTransactionMessage(sale({ lines, attributes: { note: CARD } }), CONTEXT);
    expect(parsed).toMatchObject({ ok: false, problems: { length: 20, 0: { reason: 'card_data' } } });
  });

  test('and the message never repeats a card number', () => {
    const fields = ['event_id', 'store_id', 'currency', 'time_zone', 'business_date', 'type'] as const;
    for (const field of fields) {
      const spoilt = sale({ [field]: `\u0000${CARD}`, attributes: { [`\u0000${CARD}`]: CARD } });
      const text = JSON.stringify(parseTransactionMessage(spoilt, CONTEXT));
      expect(text).toContain('card_data');
      expect(text).not.toContain(CARD);
    }
  });
});
