/**
 * Payment card numbers have no business here: a ticket that carries one is refused before it is stored.
 *
 * A card number is 13 to 19 digits, perhaps with single spaces or hyphens between them, that passes the Luhn check
 * (ISO/IEC 7812-1, annex B) and begins as cards do: 3 to 6, or 22 to 27. The beginnings spare one in ten of the
 * timestamps (2017…, 1489…) that pass the check by chance.
 */
const CANDIDATES = /(?<!\d)(?:2[ -]?[2-7]|[3-6][ -]?\d)(?:[ -]?\d){11,17}(?!\d)/g;
const DIGITS_MIN = 13;

export function holdsCardNumber(text: string): boolean {
  if (text.length < DIGITS_MIN) return false;
  const candidates = text.match(CANDIDATES);
  return candidates !== null && candidates.some((candidate) => passesLuhn(candidate.replace(/\D/g, '')));
}

/** From the right every second digit counts double, and its own digits are added up. */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let fromRight = 0; fromRight < digits.length; fromRight += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - fromRight) - 48;
    const doubled = fromRight % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
