import { describe, expect, test } from 'vitest';
import { currencyExponent, formatMoney, minorToNumber, parseMoney } from '../../src/sales/money.ts';
import { formatQuantity, parseQuantity, thousandthsToNumber } from '../../src/sales/quantity.ts';

describe('money', () => {
  test.each([
    ['USD', 2],
    ['EUR', 2],
    ['JPY', 0],
    ['KWD', 3],
  ])('%s has %i digits', (currency, digits) => {
    expect(currencyExponent(currency)).toBe(digits);
  });

  test.each([
    ['12.34', 'USD', 1234],
    ['1234', 'JPY', 1234],
    ['1.234', 'KWD', 1234],
    ['0.1', 'USD', 10],
    ['12.345', 'USD', 'too_precise'],
    ['0.5', 'JPY', 'too_precise'],
    ['£5', 'USD', 'not_decimal'],
  ])('%s %s is %s', (text, currency, expected) => {
    expect(parseMoney(text, currency)).toBe(expected);
  });

  test.each([
    [1234, 'USD', '12.34', 12.34],
    [-5, 'USD', '-0.05', -0.05],
    [1234, 'JPY', '1234', 1234],
    [1234, 'KWD', '1.234', 1.234],
  ])('%i %s reads %s', (minor, currency, text, number) => {
    expect(formatMoney(minor, currency)).toBe(text);
    expect(minorToNumber(minor, currency)).toBe(number);
  });

  test('rounds only where asked', () => {
    expect(parseMoney('0.125', 'USD', { rounding: 'half-even' })).toBe(12);
  });

  test('what is no currency code is refused', () => {
    expect(() => currencyExponent('DOLLARS')).toThrow(RangeError);
  });
});

describe('quantities', () => {
  test.each([
    ['1', 1000],
    ['1.25', 1250],
    ['-0.001', -1],
    ['1.2345', 'too_precise'],
  ])('%s is %s thousandths', (text, expected) => {
    expect(parseQuantity(text)).toBe(expected);
  });

  test('reads back', () => {
    expect(formatQuantity(1250)).toBe('1.250');
    expect(thousandthsToNumber(1250)).toBe(1.25);
    expect(parseQuantity('0.0005', { rounding: 'half-even' })).toBe(0);
  });
});
