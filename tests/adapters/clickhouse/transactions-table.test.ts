import { expect, it } from 'vitest';
import { toTransactionRow } from '../../../src/adapters/clickhouse/transactions-table.ts';
import type { Transaction } from '../../../src/sales/transaction.ts';

const TICKET: Transaction = {
  eventId: 'e',
  transactionId: 't',
  revision: 2,
  originalTransactionId: null,
  type: 'SALE',
  training: false,
  storeId: '1',
  registerId: null,
  channel: 'STORE',
  beginTimeMs: 1_772_445_600_001,
  endTimeMs: 1_772_445_660_002,
  timeZone: 'UTC',
  businessDate: '2026-03-02',
  currency: 'USD',
  lines: [
    {
      lineId: '1',
      sku: 'a',
      gtin: null,
      categoryPath: ['DAIRY', 'MILK'],
      quantityThousandths: 1_250,
      unitOfMeasure: 'KG',
      unitPriceMinor: 200,
      listPriceMinor: null,
      discounts: [
        { promotionId: 'p', couponId: null, amountMinor: 20 },
        { promotionId: null, couponId: 'c', amountMinor: 5 },
      ],
      netAmountMinor: 225,
      voided: false,
    },
    {
      lineId: '2',
      sku: 'b',
      gtin: '400',
      categoryPath: [],
      quantityThousandths: -1_000,
      unitOfMeasure: 'EA',
      unitPriceMinor: null,
      listPriceMinor: 0,
      discounts: [],
      netAmountMinor: 0,
      voided: true,
    },
  ],
  tenders: [{ kind: 'CASH', amountMinor: 225 }],
  attributes: { a: 'b' },
};
const PLACE = {
  version: 2n ** 33n + 5n,
  hourMs: 1_772_445_600_000,
  dayEndMs: 1_772_496_000_000,
  categoryOf: (_line: unknown, index: number) => `category ${index}`,
  source: 'topic/0',
  recordedAtMs: 7,
};

it('a ticket as a row', () => {
  const [head, times, lines, rest] = [
    ['2026-03-02', '1', 't', '8589934597', 2, 'e', 'SALE', false, '', '', 'STORE'],
    [1_772_445_600_001, 1_772_445_660_002, 'UTC', 'USD', 1_772_445_600, 1_772_496_000],
    [
      ['1', '2'],
      ['a', 'b'],
      ['', '400'],
      ['category 0', 'category 1'],
      ['DAIRY > MILK', ''],
      [1_250, -1_000],
      ['KG', 'EA'],
      [225, 0],
      [200, null],
      [null, 0],
      [25, 0],
      ['p', ''],
      ['c', ''],
      [false, true],
    ],
    [['CASH'], [225], { a: 'b' }, 'topic/0', 7],
  ];
  expect(toTransactionRow(TICKET, PLACE)).toEqual([...head, ...times, ...lines, ...rest]);
});

it('what is returned counts negative, whatever sign it has, and nothing is a negative zero', () => {
  const row = toTransactionRow({ ...TICKET, type: 'RETURN' }, PLACE);
  const sale = toTransactionRow(TICKET, PLACE);
  const changed = row.flatMap((value, i) =>
    JSON.stringify(value) === JSON.stringify(sale[i]) ? [] : [value],
  );
  expect(changed).toEqual(['RETURN', [-1_250, -1_000], [-225, 0], [-25, 0], [-225]]);
  expect(changed.flat().some((value) => Object.is(value, -0))).toBe(false);
});
