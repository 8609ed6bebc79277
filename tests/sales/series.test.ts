import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatSeries, parseSeries } from '../../src/sales/series.ts';
import type { SeriesKey } from '../../src/sales/series.ts';

const hourly = { granularity: 'hour', measure: 'revenue' } as const;
const daily = { granularity: 'day', measure: 'units' } as const;

const NAMES: readonly [SeriesKey, string][] = [
  [{ ...hourly, level: 'total' }, 'hour/revenue/total'],
  [{ ...daily, level: 'store', store: '406' }, 'day/units/store=406'],
  [{ ...daily, level: 'category', category: 'COLD CEREAL' }, 'day/units/category=COLD%20CEREAL'],
  [
    { ...daily, level: 'store-category', store: '406', category: 'BREAD' },
    'day/units/store=406/category=BREAD',
  ],
  [{ ...daily, level: 'product', product: '1041453' }, 'day/units/product=1041453'],
  [{ ...daily, level: 'store-product', store: '4', product: '5' }, 'day/units/store=4/product=5'],
  [{ ...daily, level: 'store', store: 'a/b=c%d\te' }, 'day/units/store=a%2Fb%3Dc%25d%09e'],
  [{ ...daily, level: 'store', store: 'Zürich' }, 'day/units/store=Zürich'],
  [{ ...daily, level: 'store', store: 'a\u00a0b\u2028' }, 'day/units/store=a%C2%A0b%E2%80%A8'],
  [{ ...daily, level: 'category', category: '' }, 'day/units/category='],
];

describe('the name of a series', () => {
  test.each(NAMES)('%o is %s', (key, name) => {
    expect(formatSeries(key)).toBe(name);
    expect(parseSeries(name)).toEqual(key);
  });

  test.each([
    ['', null],
    ['day', null],
    ['day/units', null],
    ['week/units/total', null],
    ['day/profit/total', null],
    ['day/units/total/store=1', null],
    ['day/units/store', null],
    ['day/units/=1', null],
    ['day/units/shop=1', null],
    ['day/units/category=A/store=1', null],
    ['day/units/store=1/store=2', null],
    ['day/units/store=%zz', null],
    ['day/units/store=%', null],
    ['day/units/store=1/', null],
    ['day/units/constructor=1', null],
  ])('%s names none', (name, expected) => {
    expect(parseSeries(name)).toBe(expected);
  });

  test('may be written with more or less encoding than needed', () => {
    const key = { ...daily, level: 'category', category: 'COLD CEREAL' } as const;
    expect(parseSeries('day/units/category=COLD CEREAL')).toEqual(key);
    expect(parseSeries('day/units/category=%43OLD%20CEREAL')).toEqual(key);
  });

  test('goes to text and back, whatever the values hold, and the text holds nothing that breaks a line', () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('/', '=', '%', ' ', '\n', 'a') }),
    );
    const key = fc.oneof(
      fc.record({ level: fc.constant('total' as const) }),
      fc.record({ level: fc.constant('store' as const), store: value }),
      fc.record({ level: fc.constant('category' as const), category: value }),
      fc.record({ level: fc.constant('store-category' as const), store: value, category: value }),
      fc.record({ level: fc.constant('product' as const), product: value }),
      fc.record({ level: fc.constant('store-product' as const), store: value, product: value }),
    );
    fc.assert(
      fc.property(key, fc.constantFrom(hourly, daily), (node, head) => {
        const whole: SeriesKey = { ...head, ...node };
        const name = formatSeries(whole);
        expect(parseSeries(name)).toEqual(whole);
        expect(name).not.toMatch(/[\s\p{Cc}]/u);
      }),
      { numRuns: 500 },
    );
  });
});
