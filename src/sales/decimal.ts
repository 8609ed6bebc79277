/**
 * Decimal numbers as text, to and from integers of their smallest part, exactly: no binary float in between.
 */
export type DecimalFault = 'not_decimal' | 'too_precise' | 'too_large';

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;
const TEXT_LENGTH_MAX = 64;
/** Digits that a double holds for sure. */
const SAFE_DIGITS = 15;

/**
 * The integer `text` × 10^`digits`, or why there is none. Digits beyond `digits` must be zeros, unless rounding to the
 * nearest (halves to the even neighbour) is asked for.
 *
 * @example
 * decimalToInteger('1.25', 3) // 1250
 * decimalToInteger('1.2345', 3) // 'too_precise'
 * decimalToInteger('0.125', 2, { rounding: 'half-even' }) // 12
 */
export function decimalToInteger(
  text: string,
  digits: number,
  options: { rounding?: 'half-even' } = {},
): number | DecimalFault {
  const match = text.length <= TEXT_LENGTH_MAX ? DECIMAL.exec(text) : null;
  if (match === null) return 'not_decimal';
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const significant = whole + fraction;
  if (significant === '') return 'not_decimal';
  // The value is 0.significant × 10^point; of its digits the first `point + digits` are kept.
  const kept = whole.length + Number(exponent) + digits;
  const magnitude = integerPart(significant.replace(/0+$/, ''), kept, options.rounding === 'half-even');
  if (typeof magnitude === 'string') return magnitude;
  return sign === '-' && magnitude !== 0 ? -magnitude : magnitude;
}

/**
 * The text of `value` × 10^-`digits`, with all its digits.
 *
 * @example integerToDecimal(-5, 2) // '-0.05'
 */
export function integerToDecimal(value: number, digits: number): string {
  const text = String(Math.abs(value)).padStart(digits + 1, '0');
  const point = text.length - digits;
  const sign = value < 0 ? '-' : '';
  return digits === 0 ? sign + text : `${sign}${text.slice(0, point)}.${text.slice(point)}`;
}

function integerPart(significant: string, kept: number, rounding: boolean): number | DecimalFault {
  if (/^0*$/.test(significant)) return 0;
  if (significant.length > kept) return rounding ? roundHalfEven(significant, kept) : 'too_precise';
  return toSafeInteger(significant, kept);
}

function roundHalfEven(significant: string, kept: number): number | DecimalFault {
  const floor = kept <= 0 ? 0 : toSafeInteger(significant.slice(0, kept), kept);
  if (typeof floor === 'string') return floor;
  // Trailing zeros are gone: the dropped part is a half exactly when it is '5'.
  const dropped = kept < 0 ? '0' : significant.slice(kept);
  const up = dropped === '5' ? floor % 2 === 1 : dropped >= '5';
  return up ? floor + 1 : floor;
}

function toSafeInteger(significant: string, length: number): number | DecimalFault {
  const trimmed = significant.replace(/^0+/, '');
  const size = trimmed.length + (length - significant.length);
  if (size > SAFE_DIGITS + 1) return 'too_large';
  const value = Number(trimmed.padEnd(size, '0'));
  return Number.isSafeInteger(value) ? value : 'too_large';
}
