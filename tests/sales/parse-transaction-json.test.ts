import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTransactionJson, parseTransactionMessage } from '../../src/sales/parse-transaction.ts';
import { acceptedOf, CONTEXT, goodMessage, problemsOf } from './transactions.ts';

const LINE = { sku: '1', quantity: 1, net_amount: '2.50' };
const SALE = {
  event_id: 'e',
  transaction_id: 't',
  type: 'SALE',
  store_id: '406',
  end_time: '2017-03-12T11:00:00-04:00',
  lines: [LINE],
};

function parse(change: object): ReturnType<typeof parseTransactionJson> {
  return parseTransactionJson({ ...SALE, ...change }, CONTEXT);
}

test('the least a till must send', () => {
  expect(acceptedOf(parse({}))).toEqual({
    eventId: 'e',
    transactionId: 't',
    revision: 0,
    originalTransactionId: null,
    type: 'SALE',
    training: false,
    storeId: '406',
    registerId: null,
    channel: 'store',
    beginTimeMs: Date.parse('2017-03-12T15:00Z'),
    endTimeMs: Date.parse('2017-03-12T15:00Z'),
    timeZone: 'America/New_York',
    businessDate: '2017-03-12',
    currency: 'USD',
    lines: [
      {
        lineId: '1',
        sku: '1',
        gtin: null,
        categoryPath: [],
        quantityThousandths: 1000,
        unitOfMeasure: 'each',
        unitPriceMinor: null,
        listPriceMinor: null,
        discounts: [],
        netAmountMinor: 250,
        voided: false,
      },
    ],
    tenders: [],
    attributes: {},
  });
});

describe('quantities and amounts are exact', () => {
  test.each([
    [{ quantity: 1.25 }, 1250, 250],
    [{ quantity: '1.250' }, 1250, 250],
    [{ quantity: undefined, quantity_thousandths: 1250 }, 1250, 250],
    [{ quantity: null, quantity_thousandths: -1 }, -1, 250],
    [{ net_amount: 1.1 }, 1000, 110],
    [{ net_amount: 0.29 }, 1000, 29],
    [{ net_amount: '90071992547.40' }, 1000, 9_007_199_254_740],
    [{ net_amount: undefined, net_amount_minor: 19 }, 1000, 19],
    [{ net_amount: '-0.00' }, 1000, 0],
  ])('%o', (change, quantityThousandths, netAmountMinor) => {
    const line = acceptedOf(parse({ lines: [{ ...LINE, ...change }] })).lines[0];
    expect(line).toMatchObject({ quantityThousandths, netAmountMinor });
  });

  test('in the digits of the currency', () => {
    const yen = parseTransactionJson(
      { ...SALE, lines: [{ ...LINE, net_amount: '250' }] },
      { ...CONTEXT, currency: 'JPY' },
    );
    expect(acceptedOf(yen).lines[0]?.netAmountMinor).toBe(250);
  });

  test('prices, discounts and tenders as well', () => {
    const line = {
      ...LINE,
      unit_price: '2.50',
      list_price: 3,
      discounts: [{ promotion_id: 7, amount: 0.5 }],
    };
    const transaction = acceptedOf(parse({ lines: [line], tenders: [{ kind: 'cash', amount: '2.50' }] }));
    expect(transaction.lines[0]).toMatchObject({
      unitPriceMinor: 250,
      listPriceMinor: 300,
      discounts: [{ promotionId: '7', couponId: null, amountMinor: 50 }],
    });
    expect(transaction.tenders).toEqual([{ kind: 'cash', amountMinor: 250 }]);
  });
});

describe('times', () => {
  test.each([
    ['2017-03-12T15:00:00Z', '2017-03-12T15:00:00.000Z'],
    ['2017-03-12T15:00Z', '2017-03-12T15:00:00.000Z'],
    ['2017-03-12T15:00:00.123Z', '2017-03-12T15:00:00.123Z'],
    ['2017-03-12T15:00:00.123456Z', '2017-03-12T15:00:00.123Z'],
    ['2017-03-12T11:00:00-04:00', '2017-03-12T15:00:00.000Z'],
    ['2017-03-12T20:45:00+05:45', '2017-03-12T15:00:00.000Z'],
    [Date.parse('2017-03-12T15:00Z'), '2017-03-12T15:00:00.000Z'],
  ])('%s', (time, expected) => {
    expect(new Date(acceptedOf(parse({ end_time: time })).endTimeMs).toISOString()).toBe(expected);
  });

  test.each([
    '2017-03-12T15:00:00',
    '2017-03-12',
    '2017-02-30T15:00:00Z',
    '2017-03-12T25:00:00Z',
    'now',
    1.5,
    true,
    {},
  ])('not %s', (time) => {
    expect(problemsOf(parse({ end_time: time }))).toEqual(['invalid_value end_time']);
  });
});

describe('JSON is refused', () => {
  test.each([[null], [[]], ['text'], [1], [undefined]])('that is no object: %s', (value) => {
    expect(problemsOf(parseTransactionJson(value, CONTEXT))).toEqual(['malformed ']);
  });

  test.each<[string, object, string[]]>([
    ['without lines', { lines: undefined }, ['missing_field lines']],
    ['with lines that are no list', { lines: 'two' }, ['invalid_value lines']],
    ['with a store that is no text', { store_id: {} }, ['invalid_value store_id']],
    ['with a number that lost digits', { transaction_id: 1e20 }, ['invalid_value transaction_id']],
    ['with a type that is no type', { type: 'sale' }, ['invalid_value type']],
    ['with a flag that is none', { training: 'yes' }, ['invalid_value training']],
    ['with part of a revision', { revision: 1.5 }, ['invalid_value revision']],
    [
      'without a quantity',
      { lines: [{ ...LINE, quantity: undefined }] },
      ['missing_field lines[0].quantity'],
    ],
    ['without an amount', { lines: [{ ...LINE, net_amount: null }] }, ['missing_field lines[0].net_amount']],
    [
      'with half a cent',
      { lines: [{ ...LINE, net_amount: '0.005' }] },
      ['invalid_value lines[0].net_amount'],
    ],
    ['with a comma', { lines: [{ ...LINE, net_amount: '0,50' }] }, ['invalid_value lines[0].net_amount']],
    [
      'with an amount twice',
      { lines: [{ ...LINE, net_amount_minor: 1 }] },
      ['invalid_value lines[0].net_amount'],
    ],
    [
      'with a category that is no text',
      { lines: [{ ...LINE, category_path: ['A', 1] }] },
      ['invalid_value lines[0].category_path[1]', 'missing_field lines[0].category_path'],
    ],
    ['with an attribute that is no text', { attributes: { a: 1 } }, ['invalid_value attributes']],
    ['with attributes in a list', { attributes: ['a'] }, ['invalid_value attributes']],
    ['with too many lines', { lines: Array.from({ length: 2001 }, () => LINE) }, ['out_of_range lines']],
    [
      'with an attribute named as the prototype',
      { attributes: JSON.parse('{"__proto__": "x"}') as object },
      ['invalid_value attributes[0]'],
    ],
  ])('%s', (_, change, problems) => {
    expect(problemsOf(parse(change))).toEqual(problems);
  });

  test('with every required field named', () => {
    expect(problemsOf(parseTransactionJson({ lines: [{}] }, CONTEXT))).toEqual([
      'missing_field end_time',
      'missing_field event_id',
      'missing_field lines[0].net_amount',
      'missing_field lines[0].quantity',
      'missing_field lines[0].sku',
      'missing_field store_id',
      'missing_field transaction_id',
      'missing_field type',
    ]);
  });

  test('fields of the prototype are not taken for fields', () => {
    const inherited = Object.create({ event_id: 'inherited' }) as object;
    expect(
      problemsOf(parseTransactionJson(Object.assign(inherited, { ...SALE, event_id: undefined }), CONTEXT)),
    ).toEqual(['missing_field event_id']);
  });
});

test('a void needs no lines', () => {
  expect(parse({ type: 'VOID', original_transaction_id: 't0', lines: undefined })).toMatchObject({
    ok: true,
  });
});

test('a wire message sent as JSON gives the same transaction', () => {
  fc.assert(
    fc.property(goodMessage, (message) => {
      const json: unknown = JSON.parse(JSON.stringify(message));
      expect(parseTransactionJson(json, CONTEXT)).toEqual(parseTransactionMessage(message, CONTEXT));
    }),
  );
});

test('whatever JSON comes, it is parsed or refused, never thrown at', () => {
  const value = fc.anything({ maxDepth: 3, withNullPrototype: true });
  const fields = [
    'type',
    'end_time',
    'begin_time',
    'lines',
    'tenders',
    'attributes',
    'currency',
    'revision',
    'store_id',
  ];
  fc.assert(
    fc.property(fc.constantFrom(...fields), value, (field, anything) => {
      expect(typeof parse({ [field]: anything }).ok).toBe('boolean');
    }),
    { numRuns: 500 },
  );
});
