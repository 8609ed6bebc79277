import { describe, expect, test } from 'vitest';
import { openTable } from '../../../src/adapters/csv/open-table.ts';
import { readTickets } from '../../../src/adapters/csv/read-tickets.ts';
import { createRowProblems } from '../../../src/adapters/csv/row-problems.ts';
import { PRESETS, presetOf } from '../../../src/adapters/csv/till-source.ts';
import type { TillSource } from '../../../src/adapters/csv/till-source.ts';
import { all, fileOf } from './texts.ts';

const GENERIC: TillSource = {
  name: 'columns',
  map: {},
  timeZone: 'UTC',
  currency: 'USD',
  storeId: null,
  dateOrder: 'iso',
  discounts: [],
  ignoredItems: [],
};

async function read(text: string, source?: TillSource, isWanted: (store: string) => boolean = () => true) {
  const table = await openTable(fileOf(text));
  const problems = createRowProblems();
  const { counts, batches } = readTickets(table, {
    source: source ?? presetOf(table.header) ?? GENERIC,
    categoryPath: (sku) => (sku === '42' ? ['GROCERY', 'COLD CEREAL'] : undefined),
    isWanted,
    problems,
  });
  const tickets = await all(batches);
  return {
    tickets: tickets.map(({ message }) => message),
    lines: tickets.map(({ line }) => line),
    counts,
    problems: problems.kept(),
  };
}

const JOURNEY =
  'ts,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,coupon_match_disc\n';

describe('Complete Journey', () => {
  test('rows of a basket become a ticket, to the cent', async () => {
    const { tickets, counts, problems } = await read(
      `${JOURNEY}2017-01-01T07:26:30,406,311,42,2,2.86,0.3,0.25,0.0\n2017-01-01T07:26:30,406,311,43,1,1.776357e-15,0.0,0.0,0.0\n` +
        '2017-03-12T09:00:00,381,312,42,1,1.5,1.38778e-16,0.0,0.1\n',
    );
    expect(problems).toEqual([]);
    expect(counts).toEqual({ rows: 3, ignored: 0, lines: 3 });
    expect(tickets).toMatchObject([
      {
        transaction_id: '311',
        store_id: '406',
        type: 'SALE',
        currency: 'USD',
        time_zone: 'America/New_York',
        end_time: Date.UTC(2017, 0, 1, 12, 26, 30),
        lines: [
          {
            line_id: '42',
            sku: '42',
            category_path: ['GROCERY', 'COLD CEREAL'],
            quantity_thousandths: 2000,
            net_amount_minor: 286,
            discounts: [
              { promotion_id: 'retail', coupon_id: null, amount_minor: 30 },
              { promotion_id: null, coupon_id: 'coupon', amount_minor: 25 },
            ],
          },
          { line_id: '43', category_path: [], net_amount_minor: 0, discounts: [] },
        ],
      },
      // After the change to summer time of that morning.
      {
        transaction_id: '312',
        end_time: Date.UTC(2017, 2, 12, 13),
        lines: [{ discounts: [{ coupon_id: 'coupon-match', amount_minor: 10 }] }],
      },
    ]);
  });

  test('the same ticket has the same event id, another ticket another', async () => {
    const row = '2017-01-01T07:26:30,406,311,42,2,2.86,0,0,0\n';
    const one = await read(JOURNEY + row);
    const again = await read(JOURNEY + row);
    const other = await read(JOURNEY + row.replace('311', '312'));
    expect(again.tickets[0]?.event_id).toBe(one.tickets[0]?.event_id);
    expect(other.tickets[0]?.event_id).not.toBe(one.tickets[0]?.event_id);
  });
});

test('Bread Basket: one shop, no prices, NONE left out and counted, equal items kept apart', async () => {
  const { tickets, counts } = await read(
    'Date,Time,Transaction,Item\n2016-10-30,09:58:11,1,Bread\n2016-10-30,10:05:34,2,Scandinavian\n' +
      '2016-10-30,10:05:34,2,Scandinavian\n2016-10-30,10:07:57,3,NONE\n2016-10-30,10:08:41,4,Tea\n',
  );
  expect(counts).toEqual({ rows: 5, ignored: 1, lines: 4 });
  expect(
    tickets.map(({ transaction_id, store_id, currency, end_time }) => [
      transaction_id,
      store_id,
      currency,
      end_time,
    ]),
  ).toEqual([
    ['1', 'edinburgh', 'GBP', Date.UTC(2016, 9, 30, 9, 58, 11)],
    ['2', 'edinburgh', 'GBP', Date.UTC(2016, 9, 30, 10, 5, 34)],
    ['4', 'edinburgh', 'GBP', Date.UTC(2016, 9, 30, 10, 8, 41)],
  ]);
  expect(
    tickets[1]?.lines.map(({ line_id, quantity_thousandths, net_amount_minor }) => [
      line_id,
      quantity_thousandths,
      net_amount_minor,
    ]),
  ).toEqual([
    ['1', 1000, 0],
    ['2', 1000, 0],
  ]);
});

describe('any file of till lines', () => {
  test('date and time in two columns, price times quantity, weighed goods, semicolons', async () => {
    const { tickets } = await read(
      'Shop;Receipt;Date;Time;Item;Qty;Price;Category\nA;7;2024-05-01;09:30;apples;1.25;2.40;FRUIT\n',
    );
    expect(tickets).toMatchObject([
      {
        store_id: 'A',
        end_time: Date.UTC(2024, 4, 1, 9, 30),
        lines: [
          { sku: 'apples', quantity_thousandths: 1250, net_amount_minor: 300, category_path: ['FRUIT'] },
        ],
      },
    ]);
  });

  test('returned goods are a RETURN, exchanged ones an EXCHANGE', async () => {
    const head = 'store,ticket,time,sku,quantity,amount\n';
    const { tickets } = await read(
      `${head}A,1,2024-05-01T09:30,x,-1,-2.00\nA,2,2024-05-01T09:31,x,-1,-2.00\nA,2,2024-05-01T09:31,y,1,3.00\n`,
    );
    expect(tickets.map(({ type }) => type)).toEqual(['RETURN', 'EXCHANGE']);
  });

  test('the same number on another business date is another ticket', async () => {
    const head = 'store,ticket,time,sku,business_date\n';
    const { tickets } = await read(
      `${head}A,1,2024-05-01T23:30,x,2024-05-01\nA,1,2024-05-02T00:30,x,2024-05-02\n`,
    );
    expect(tickets.map(({ business_date }) => business_date)).toEqual(['2024-05-01', '2024-05-02']);
  });

  test('other stores are passed over', async () => {
    const head = 'store,ticket,time,sku\n';
    const { tickets, counts } = await read(
      `${head}A,1,2024-05-01T09:30,x\nB,2,2024-05-01T09:31,x\n`,
      undefined,
      (store) => store === 'B',
    );
    expect(tickets.map(({ store_id }) => store_id)).toEqual(['B']);
    expect(counts.rows).toBe(1);
  });

  test.each([
    ['store,ticket,sku,quantity\nA,1,x,1\n', /time \(when it was sold\)/],
    ['ticket,time,sku\n1,2024-05-01T09:30,x\n', /store \(in which shop/],
    ['store,time,sku\nA,2024-05-01T09:30,x\n', /ticket \(which lines belong together\)/],
  ])('a missing column is named: %j', async (text, message) => {
    await expect(read(text)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(message),
    });
  });
});

test('bad rows are named by line, column and reason, and good ones still read', async () => {
  const { tickets, lines, problems } = await read(
    'store,ticket,time,sku,quantity,amount\n' +
      'A,1,2024-05-01T09:30,x,one,2.00\n' +
      'A,1,2024-05-01T09:30,y,1,2.00\n' +
      'A,2,yesterday,x,1,2.00\n' +
      'A,3,2024-05-01T09:30,,1,2.00\n' +
      'A,4,2024-05-01T09:30,x,1\n' +
      'A,5,2024-05-01T09:30,x,1.2345,2.00\n' +
      'A,6,2024-05-01T09:30,x,1,free\n' +
      ',7,2024-05-01T09:30,x,1,2.00\n' +
      'A,1,2024-05-01T09:35,z,1,2.00\n' +
      'A,8,2024-05-01T09:40,x,1,2.00\n' +
      'A,1,2024-05-01T09:45,w,1,2.00\n',
  );
  expect(problems).toEqual([
    { line: 2, column: 'quantity', reason: '"one" is no number' },
    {
      line: 4,
      column: 'time',
      reason: '"yesterday" is no date and time (expected like 2017-03-27T10:05:00)',
    },
    { line: 5, column: 'sku', reason: 'the product is empty' },
    { line: 6, column: '', reason: 'it has 5 columns, the header has 6' },
    { line: 7, column: 'quantity', reason: '"1.2345" has more digits after the point than are kept' },
    { line: 8, column: 'amount', reason: '"free" is no number' },
    { line: 9, column: 'store', reason: 'the store is empty' },
    {
      line: 12,
      column: 'ticket',
      reason: 'ticket 1 began further up and other tickets came between: sort the file by ticket',
    },
  ]);
  expect(
    tickets.map(({ transaction_id, lines: own }) => [transaction_id, own.map(({ sku }) => sku)]),
  ).toEqual([
    ['1', ['y', 'z']],
    ['8', ['x']],
  ]);
  expect(lines).toEqual([3, 11]);
});

test('the first thousand problems are kept, all are counted', () => {
  const problems = createRowProblems();
  for (let line = 1; line <= 1_200; line += 1) problems.add({ line, column: 'a', reason: 'b' });
  expect([problems.count(), problems.kept().length, problems.kept().at(-1)?.line]).toEqual([
    1_200, 1_000, 1_000,
  ]);
});

test.each(PRESETS.map((preset) => [preset.name, preset] as const))(
  'the preset %s is found by its header',
  (_name, preset) => {
    expect(presetOf(preset.header)?.name).toBe(preset.name);
    expect(presetOf([...preset.header].reverse())?.name).toBe(preset.name);
    expect(presetOf([...preset.header, 'more'])).toBeUndefined();
  },
);
