/** Quantities as integer thousandths of the unit of measure: pieces, kilograms, litres. */
import { decimalToInteger, integerToDecimal } from './decimal.ts';
import type { DecimalFault } from './decimal.ts';

const DIGITS = 3;

/**
 * Decimal text to thousandths, exactly, or why not; rounding only where asked for.
 *
 * @example parseQuantity('1.25') // 1250
 */
export function parseQuantity(text: string, options: { rounding?: 'half-even' } = {}): number | DecimalFault {
  return decimalToInteger(text, DIGITS, options);
}

/** @example formatQuantity(1250) // '1.250' */
export function formatQuantity(thousandths: number): string {
  return integerToDecimal(thousandths, DIGITS);
}

/** Units as a float: for models and people, never for sums that must be exact. */
export function thousandthsToNumber(thousandths: number): number {
  return thousandths / 1000;
}
