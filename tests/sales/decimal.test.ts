import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decimalToInteger, integerToDecimal } from '../../src/sales/decimal.ts';

describe('decimal text to integer', () => {
  test.each([
    ['0', 0, 0],
    ['1', 0, 1],
    ['1.25', 3, 1250],
    ['1.250', 2, 125],
    ['.5', 1, 5],
    ['5.', 1, 50],
    ['+7', 0, 7],
    ['-0.05', 2, -5],
    ['-0', 2, 0],
    ['-0.000', 2, 0],
    ['000123.4500', 2, 12_345],
    ['1e3', 0, 1000],
    ['1.5E-2', 3, 15],
    ['12.5e1', 0, 125],
    ['100e-2', 0, 1],
    ['0e999', 2, 0],
    ['9007199254740991', 0, Number.MAX_SAFE_INTEGER],
    ['90071992547409.91', 2, Number.MAX_SAFE_INTEGER],
    ['-90071992547409.91', 2, Number.MIN_SAFE_INTEGER],
  ])('%s with %i digits is %i', (text, digits, expected) => {
    expect(decimalToInteger(text, digits)).toBe(expected);
  });

  test.each([
    ['', 2, 'not_decimal'],
    ['.', 2, 'not_decimal'],
    ['-', 2, 'not_decimal'],
    ['1,25', 2, 'not_decimal'],
    ['1 000', 2, 'not_decimal'],
    [' 1', 2, 'not_decimal'],
    ['0x10', 2, 'not_decimal'],
    ['Infinity', 2, 'not_decimal'],
    ['NaN', 2, 'not_decimal'],
    ['١', 2, 'not_decimal'],
    ['1'.repeat(65), 2, 'not_decimal'],
    ['1.234', 2, 'too_precise'],
    ['1e-3', 2, 'too_precise'],
    ['0.30000000000000004', 2, 'too_precise'],
    ['9007199254740992', 0, 'too_large'],
    ['1e30', 2, 'too_large'],
    ['1e9999', 2, 'too_large'],
  ])('%s with %i digits is %s', (text, digits, fault) => {
    expect(decimalToInteger(text, digits)).toBe(fault);
  });

  test.each([
    ['0.125', 2, 12],
    ['0.135', 2, 14],
    ['0.1250001', 2, 13],
    ['0.1349999', 2, 13],
    ['0.5', 0, 0],
    ['1.5', 0, 2],
    ['2.5', 0, 2],
    ['-2.5', 0, -2],
    ['-3.5', 0, -4],
    ['0.05', 0, 0],
    ['0.9', 0, 1],
    ['4e-9', 2, 0],
    ['0.99999', 2, 100],
    ['7', 2, 700],
  ])('%s rounded half to even at %i digits is %i', (text, digits, expected) => {
    expect(decimalToInteger(text, digits, { rounding: 'half-even' })).toBe(expected);
  });

  test('an integer survives the way to text and back', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.integer({ min: 0, max: 4 }), (value, digits) => {
        expect(decimalToInteger(integerToDecimal(value, digits), digits)).toBe(value === 0 ? 0 : value);
      }),
    );
  });

  test('the shortest text of a JSON number means what it says', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), (minor) => {
        expect(decimalToInteger(String(minor / 100), 2)).toBe(minor === 0 ? 0 : minor);
      }),
    );
  });

  test('rounding is to the nearest, as exact arithmetic has it', () => {
    const digits = fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n });
    fc.assert(
      fc.property(digits, fc.integer({ min: 5, max: 18 }), (value, scale) => {
        const rounded = decimalToInteger(`${value}e-${scale}`, 2, { rounding: 'half-even' });
        const unit = 10n ** BigInt(scale - 2);
        const distance = value - BigInt(rounded) * unit;
        const twice = 2n * (distance < 0n ? -distance : distance);
        expect(twice < unit || (twice === unit && (rounded as number) % 2 === 0)).toBe(true);
      }),
    );
  });
});

test.each([
  [0, 2, '0.00'],
  [5, 2, '0.05'],
  [-5, 2, '-0.05'],
  [1250, 3, '1.250'],
  [42, 0, '42'],
  [-42, 0, '-42'],
])('%i with %i digits is written %s', (value, digits, text) => {
  expect(integerToDecimal(value, digits)).toBe(text);
});
