import { expect, it } from 'vitest';
import { isExact, wideIntegerColumns } from '../../../src/adapters/clickhouse/exact-integers.ts';

it('finds the columns that can hold more than a number', () => {
  const types = [
    'Int64',
    'Array(UInt64)',
    'Nullable(Int128)',
    'Tuple(a Int64, b String)',
    'Int32',
    'String',
    'Float64',
  ];
  expect(wideIntegerColumns(types.map((type, i) => ({ name: `c${i}`, type })))).toEqual([
    'c0',
    'c1',
    'c2',
    'c3',
  ]);
});

it.each<[string, boolean]>([
  ['0', true],
  ['9007199254740991', true],
  ['-9007199254740991', true],
  ['9007199254740992', false],
  ['9007199254740993', false],
  ['-9007199254740993', false],
  ['[1, 18446744073709551615]', false],
  ['{"a": [9223372036854775807]}', false],
  ['{"a": [1], "b": "x", "c": null}', true],
])('%s as parsed is exact: %s', (json, exact) => {
  expect(isExact(JSON.parse(json))).toBe(exact);
});
