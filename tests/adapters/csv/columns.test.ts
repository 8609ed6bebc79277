import { describe, expect, test } from 'vitest';
import { parseMappings, resolveColumns } from '../../../src/adapters/csv/columns.ts';
import type { Field } from '../../../src/adapters/csv/columns.ts';

const FIELDS: readonly Field[] = [
  { name: 'sku', aliases: ['product_id', 'item'], required: true, meaning: 'what was sold' },
  { name: 'amount', aliases: ['sales_value'], required: false, meaning: 'money' },
];

test.each<readonly [readonly string[], Record<string, string>, Record<string, number>]>([
  [['sku', 'amount'], {}, { sku: 0, amount: 1 }],
  [['Sales Value', 'PRODUCT-ID'], {}, { sku: 1, amount: 0 }],
  [['Artikel', 'Betrag'], { sku: 'Artikel', amount: 'betrag' }, { sku: 0, amount: 1 }],
  [['item', 'other'], {}, { sku: 0 }],
  [['item', 'sku'], { amount: 'sku' }, { sku: 0, amount: 1 }],
])('columns of %j with %j', (header, given, expected) => {
  expect(Object.fromEntries(resolveColumns(header, FIELDS, given))).toEqual(expected);
});

describe('what cannot be resolved says what was seen and what to do', () => {
  test.each<readonly [readonly string[], Record<string, string>, string, RegExp, RegExp]>([
    [['foo', 'bar'], {}, 'INPUT_INVALID', /sku \(what was sold\).*foo, bar/, /--map sku=foo/],
    [['sku'], { colour: 'sku' }, 'USAGE', /no field "colour"/, /sku, amount/],
    [['sku'], { amount: 'Betrag' }, 'USAGE', /no column "Betrag"/, /sku/],
  ])('%j with %j', (header, given, code, message, remedy) => {
    expect(() => resolveColumns(header, FIELDS, given)).toThrow(
      expect.objectContaining({
        code,
        message: expect.stringMatching(message),
        remedy: expect.stringMatching(remedy),
      }),
    );
  });
});

test('--map options', () => {
  expect(parseMappings(['sku=Item No', 'amount = Total'])).toEqual({ sku: 'Item No', amount: 'Total' });
  expect(() => parseMappings(['sku'])).toThrow(expect.objectContaining({ code: 'USAGE' }));
});
