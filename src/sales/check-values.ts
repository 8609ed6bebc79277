/** Checks on single values. `list` and `index` say where the field stands: `lines`, 3, `sku` is `lines[3].sku`. */
import type { Problems } from './problems.ts';
import { TRANSACTION_LIMITS } from './transaction-limits.ts';

/** Text that must be there. */
export function checkText(
  text: string,
  field: string,
  problems: Problems,
  list?: string,
  index?: number,
): void {
  if (isBlank(text)) {
    const path = pathOf(field, list, index);
    problems.add('missing_field', path, `${path} is missing`);
  } else checkCharacters(text, TRANSACTION_LIMITS.idCharacters, field, problems, list, index);
}

/** Text that may be left out. */
export function checkOptionalText(
  text: string | null,
  field: string,
  problems: Problems,
  charactersMax: number = TRANSACTION_LIMITS.idCharacters,
  list?: string,
  index?: number,
): void {
  if (text !== null) checkCharacters(text, charactersMax, field, problems, list, index);
}

/** A whole number, at most `max` either side of zero. */
export function checkInteger(
  value: number,
  max: number,
  field: string,
  problems: Problems,
  list?: string,
  index?: number,
): void {
  if (Number.isSafeInteger(value) && Math.abs(value) <= max) return;
  const path = pathOf(field, list, index);
  if (Number.isInteger(value)) problems.add('out_of_range', path, `${path} is beyond ${max}`);
  else problems.add('invalid_value', path, `${path} is not a whole number`);
}

function pathOf(field: string, list?: string, index?: number): string {
  return list === undefined ? field : `${list}[${index}].${field}`;
}

function checkCharacters(
  text: string,
  charactersMax: number,
  field: string,
  problems: Problems,
  list?: string,
  index?: number,
): void {
  if (text.length > charactersMax) {
    const path = pathOf(field, list, index);
    problems.add('out_of_range', path, `${path} has more than ${charactersMax} characters`);
  } else if (!isPrintable(text)) {
    const path = pathOf(field, list, index);
    problems.add('invalid_value', path, `${path} holds control characters or broken UTF-8`);
  }
}

function isBlank(text: string): boolean {
  return text === '' || (text.charCodeAt(0) <= 0x20 && text.trim() === '');
}

/** Free of control characters, of U+FFFD (bytes that were no UTF-8) and of halves of surrogate pairs. */
function isPrintable(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || (code >= 0x7f && code < 0xa0) || code === 0xfffd) return false;
    if (code >= 0xd800 && code < 0xe000 && !text.isWellFormed()) return false;
  }
  return true;
}
