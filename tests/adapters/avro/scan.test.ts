import type { Schema } from 'avsc';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { avroType } from '../../../src/adapters/avro/avro-type.ts';
import { compileScan } from '../../../src/adapters/avro/scan.ts';
import { DecodeError } from '../../../src/pipeline/codec.ts';

const LIST = { type: 'array', items: 'string' } as const;
const TREE: Schema = {
  type: 'record',
  name: 'Tree',
  fields: [{ name: 'children', type: { type: 'array', items: 'Tree' } }],
};
const EVERYTHING: Schema = {
  type: 'record',
  name: 'Everything',
  fields: [
    { name: 'nothing', type: 'null' },
    { name: 'flag', type: 'boolean' },
    { name: 'small', type: 'int' },
    { name: 'large', type: 'long' },
    { name: 'half', type: 'float' },
    { name: 'whole', type: 'double' },
    { name: 'text', type: 'string' },
    { name: 'raw', type: 'bytes' },
    { name: 'fixed', type: { type: 'fixed', name: 'Four', size: 4 } },
    { name: 'symbol', type: { type: 'enum', name: 'Symbol', symbols: ['A', 'B', 'C'] } },
    { name: 'option', type: ['null', 'string'] },
    { name: 'list', type: LIST },
    { name: 'map', type: { type: 'map', values: 'double' } },
  ],
};

const everything = fc.record({
  nothing: fc.constant(null),
  flag: fc.boolean(),
  small: fc.integer(),
  large: fc.integer({ min: -9_007_199_254_740_990, max: 9_007_199_254_740_990 }),
  half: fc.float(),
  whole: fc.double(),
  text: fc.string({ unit: 'binary' }),
  raw: fc.uint8Array({ maxLength: 5 }).map((bytes) => Buffer.from(bytes)),
  fixed: fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
  symbol: fc.constantFrom('A', 'B', 'C'),
  option: fc.option(fc.string(), { nil: null }),
  list: fc.array(fc.string(), { maxLength: 4 }),
  map: fc.dictionary(fc.string(), fc.double(), { maxKeys: 4 }),
});

function check(schema: Schema, bytes: readonly number[], expected: number | string): void {
  const scan = compileScan(avroType(schema));
  const run = (): number | string => {
    try {
      return scan(Buffer.from(bytes), 0);
    } catch (error) {
      if (error instanceof DecodeError) return error.reason;
      throw error;
    }
  };
  expect(run()).toBe(expected);
}

describe('looking over a value', () => {
  test('ends where the value ends, for every kind of type', () => {
    const type = avroType(EVERYTHING);
    const scan = compileScan(type);
    fc.assert(
      fc.property(everything, fc.nat(3), (value, before) => {
        const bytes = Buffer.concat([Buffer.alloc(before), type.toBuffer(value), Buffer.alloc(7)]);
        expect(scan(bytes, before)).toBe(bytes.length - 7);
      }),
      { numRuns: 300 },
    );
  });

  test('of a type that holds itself', () => {
    const type = avroType(TREE);
    const bytes = type.toBuffer({ children: [{ children: [] }, { children: [{ children: [] }] }] });
    expect(compileScan(type)(bytes, 0)).toBe(bytes.length);
  });

  // Bytes as in the Avro specification: numbers are zigzag codes, 2n for n ≥ 0 and −2n − 1 below.
  test.each<[string, Schema, number[], number | string]>([
    ['a list in two blocks', LIST, [2, 2, 97, 2, 2, 98, 0], 7],
    ['a list in a block with its size', LIST, [3, 8, 2, 97, 2, 98, 0], 7],
    ['a list that claims 2^40 items', LIST, [128, 128, 128, 128, 128, 128, 1, 0], 'malformed'],
    ['a list that claims 2^62 items', LIST, [128, 128, 128, 128, 128, 128, 128, 128, 128, 1], 'malformed'],
    [
      'a list of nothings that claims a million',
      { type: 'array', items: 'null' },
      [128, 137, 122, 0],
      'malformed',
    ],
    ['a list without its end', LIST, [2, 2, 97], 'malformed'],
    ['text of negative length', 'string', [1], 'malformed'],
    ['text longer than the bytes', 'string', [6, 97, 98], 'malformed'],
    ['a number that goes on', 'long', [128, 128], 'malformed'],
    ['a number that never ends', 'long', [...Array.from({ length: 10 }, () => 128), 0], 'malformed'],
    ['2^53 − 2', 'long', [252, 255, 255, 255, 255, 255, 255, 31], 8],
    ['2^53', 'long', [128, 128, 128, 128, 128, 128, 128, 32], 'out_of_range'],
    ['−2^53 + 1', 'long', [253, 255, 255, 255, 255, 255, 255, 31], 'out_of_range'],
    ['the smallest long', 'long', [255, 255, 255, 255, 255, 255, 255, 255, 255, 1], 'out_of_range'],
    ['a boolean', 'boolean', [1], 1],
    ['a boolean of 2', 'boolean', [2], 'malformed'],
    ['a branch that is none', ['null', 'string'], [4], 'malformed'],
    ['a negative branch', ['null', 'string'], [1], 'malformed'],
    ['a symbol that is none', { type: 'enum', name: 'E', symbols: ['A'] }, [2], 'malformed'],
    ['half a double', 'double', [0, 0, 0, 0], 'malformed'],
    ['nothing', 'string', [], 'malformed'],
  ])('%s', (_, schema, bytes, expected) => check(schema, bytes, expected));
});
