/** Money as integer minor units (cents), in whichever number of digits its currency has. */
import { decimalToInteger, integerToDecimal } from './decimal.ts';
import type { DecimalFault } from './decimal.ts';

const exponents = new Map<string, number>();
/** There are some 180 currencies; codes come from the configuration, not from tills. */
const EXPONENTS_MAX = 1_000;

/** Digits after the point: 2 for USD, 0 for JPY, 3 for KWD. Throws a RangeError for what is no currency code. */
export function currencyExponent(currency: string): number {
  const known = exponents.get(currency);
  if (known !== undefined) return known;
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  const exponent = format.resolvedOptions().maximumFractionDigits ?? 2;
  if (exponents.size < EXPONENTS_MAX) exponents.set(currency, exponent);
  return exponent;
}

/**
 * Decimal text to minor units, exactly, or why not; rounding only where asked for.
 *
 * @example parseMoney('12.34', 'USD') // 1234
 */
export function parseMoney(
  text: string,
  currency: string,
  options: { rounding?: 'half-even' } = {},
): number | DecimalFault {
  return decimalToInteger(text, currencyExponent(currency), options);
}

/** @example formatMoney(-5, 'USD') // '-0.05' */
export function formatMoney(minor: number, currency: string): string {
  return integerToDecimal(minor, currencyExponent(currency));
}

/** Major units as a float: for models and people, never for sums that must be exact. */
export function minorToNumber(minor: number, currency: string): number {
  return minor / 10 ** currencyExponent(currency);
}
