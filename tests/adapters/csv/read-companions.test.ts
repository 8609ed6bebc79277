import { describe, expect, test } from 'vitest';
import { openTable } from '../../../src/adapters/csv/open-table.ts';
import {
  CALENDAR,
  PRODUCTS,
  PROMOTIONS,
  readCompanions,
  STOCK,
  STORES,
  WEATHER,
} from '../../../src/adapters/csv/read-companions.ts';
import type { CompanionKind } from '../../../src/adapters/csv/read-companions.ts';
import { totalsKind } from '../../../src/adapters/csv/read-totals.ts';
import { createRowProblems } from '../../../src/adapters/csv/row-problems.ts';
import { fileOf } from './texts.ts';

const NOW = Date.UTC(2024, 0, 1);

async function read<R>(kind: CompanionKind<R>, text: string) {
  const problems = createRowProblems();
  const records: R[] = [];
  const options = {
    timeZone: 'America/New_York',
    dateOrder: 'iso',
    recordedAtMs: NOW,
    map: {},
    problems,
  } as const;
  for await (const batch of readCompanions(await openTable(fileOf(text)), kind, options))
    records.push(...batch.records);
  return { records, problems: problems.kept() };
}

describe('good rows', () => {
  const cases: readonly (readonly [
    string,
    CompanionKind<unknown>,
    string,
    Readonly<Record<string, unknown>>,
  ])[] = [
    [
      'stores',
      STORES,
      'store_id,name,time_zone,business_day_start\n406,Main St,America/Chicago,04:30\n',
      { storeId: '406', name: 'Main St', timeZone: 'America/Chicago', businessDayStartMinutes: 270 },
    ],
    [
      'products of Complete Journey',
      PRODUCTS,
      'product_id,manufacturer_id,department,brand,product_category,product_type,package_size\n818981,194,GROCERY,National,COLD CEREAL,ALL FAMILY CEREAL,10.4 OZ\n',
      {
        sku: '818981',
        name: 'ALL FAMILY CEREAL',
        categoryPath: ['GROCERY', 'COLD CEREAL'],
        brand: 'National',
      },
    ],
    [
      'promotions with dates',
      PROMOTIONS,
      'store,sku,from,to,promotion_id,kind\n1,a,2024-03-01,2024-03-07,p1,price\n',
      { promotionId: 'p1', starts: '2024-03-01', ends: '2024-03-07', kind: 'price' },
    ],
    [
      'promotions by week',
      PROMOTIONS,
      'week,store_id,product_id,display_location,mailer_location\n2,292,819255,2,A\n',
      { starts: '2017-01-02', ends: '2017-01-08', kind: 'display+mailer' },
    ],
    [
      'promotions of the first week, one day long',
      PROMOTIONS,
      'week,store_id,product_id,display_location,mailer_location\n1,292,819255,0,A\n',
      { starts: '2017-01-01', ends: '2017-01-01', kind: 'mailer' },
    ],
    [
      'calendar of the whole chain',
      CALENDAR,
      'date,kind,name\n2024-12-25,closed,Christmas\n',
      { storeId: '', date: '2024-12-25', kind: 'closed', name: 'Christmas' },
    ],
    [
      'weather',
      WEATHER,
      'store,time,temperature_c,rain_mm\n1,2024-01-01 06:00,-3.5,\n',
      { timeMs: Date.UTC(2024, 0, 1, 11), temperatureMillicelsius: -3500, precipitationMicrometres: null },
    ],
    [
      'stock',
      STOCK,
      'store,sku,as_of,on_hand\n1,a,2024-01-01T06:00Z,12.5\n',
      { timeMs: Date.UTC(2024, 0, 1, 6), onHandThousandths: 12_500 },
    ],
    [
      'daily totals',
      totalsKind({ granularity: 'day', currency: 'USD', storeId: null }),
      'unique_id,ds,y\nstore_292,2017-01-01,23.0\n',
      { bucketMs: Date.UTC(2017, 0, 1), storeId: 'store_292', unitsThousandths: 23_000, revenueMinor: 0 },
    ],
    [
      'hourly totals',
      totalsKind({ granularity: 'hour', currency: 'USD', storeId: 'A' }),
      'ts,units,revenue,category\n2017-01-01T07:30,2,3.456,X\n',
      {
        bucketMs: Date.UTC(2017, 0, 1, 12),
        storeId: 'A',
        unitsThousandths: 2_000,
        revenueMinor: 346,
        category: 'X',
      },
    ],
  ];
  test.each(cases)('%s', async (_name, kind, text, expected) => {
    expect(await read(kind, text)).toMatchObject({ records: [expected], problems: [] });
  });
});

describe('bad rows', () => {
  const cases: readonly (readonly [string, CompanionKind<unknown>, string, string, RegExp])[] = [
    ['an unknown zone', STORES, 'store,time_zone\n1,Mars/Base\n', 'time_zone', /no IANA time zone/],
    [
      'an impossible start of the day',
      STORES,
      'store,time_zone,day_start\n1,UTC,25:00\n',
      'day_start',
      /no time of day/,
    ],
    ['an empty product', PRODUCTS, 'sku,name\n,x\n', 'sku', /is empty/],
    [
      'an end before its start',
      PROMOTIONS,
      'store,sku,from,to\n1,a,2024-03-07,2024-03-01\n',
      'to',
      /before it starts/,
    ],
    ['no date', CALENDAR, 'date,kind\nsoon,closed\n', 'date', /"soon" is no date/],
    [
      'no number',
      STOCK,
      'store,sku,time,on_hand\n1,a,2024-01-01,many\n',
      'on_hand',
      /"many" is no usable number/,
    ],
    [
      'no store',
      totalsKind({ granularity: 'day', currency: 'USD', storeId: null }),
      'ds,y\n2024-01-01,1\n',
      'store',
      /--store/,
    ],
  ];
  test.each(cases)('%s', async (_name, kind, text, column, reason) => {
    expect(await read(kind, text)).toMatchObject({
      records: [],
      problems: [{ line: 2, column, reason: expect.stringMatching(reason) }],
    });
  });
});
