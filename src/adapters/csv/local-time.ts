/**
 * Times as people write them in CSV files, to UTC milliseconds.
 *
 * With an offset (`Z`, `+02:00`) the instant is plain. Without one it is the local clock of the store: a reading that
 * occurs twice, when the clock is set back, is taken as the first of the two; one that never occurred, because the
 * clock was set forward, as the instant of the jump.
 */
import { firstInstantOf } from '../../sales/time-zone.ts';

/** How dates with slashes, dots or dashes are ordered; `iso` is year first. */
export type DateOrder = 'iso' | 'dmy' | 'mdy';

type CivilDate = { readonly year: number; readonly month: number; readonly day: number };

const DATE = /^(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})$/;
const TIME = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([AaPp][Mm])?\s*(Z|[+-]\d{2}:?\d{2})?$/;

/**
 * The instant of a date and a time of day, or null when they are none.
 *
 * @example
 * instantOf('2017-03-12', '02:30', { timeZone: 'America/New_York', order: 'iso' }) // 2017-03-12T07:00Z, the jump
 */
export function instantOf(
  date: string,
  time: string,
  options: { readonly timeZone: string; readonly order: DateOrder },
): number | null {
  const civil = civilDate(date, options.order);
  const clock = TIME.exec(time);
  if (civil === null || clock === null) return null;
  const [, hourText = '', minuteText = '', secondText = '0', fraction = '', half, offset] = clock;
  const hour = hourOfDay(Number(hourText), half);
  const minute = Number(minuteText);
  const second = Number(secondText);
  if (hour === null || minute > 59 || second > 59) return null;
  const millis = Number(fraction.slice(0, 3).padEnd(3, '0'));
  const wall = Date.UTC(civil.year, civil.month - 1, civil.day, hour, minute, second, millis);
  return offset === undefined ? firstInstantOf(wall, options.timeZone) : wall - offsetMs(offset);
}

/** Date and time in one text, with `T` or blanks between them; a bare date is its midnight. */
export function instantOfText(
  text: string,
  options: { readonly timeZone: string; readonly order: DateOrder },
): number | null {
  const at = text.search(/[T ]/);
  return at === -1
    ? instantOf(text, '00:00', options)
    : instantOf(text.slice(0, at), text.slice(at + 1).trim(), options);
}

/** `YYYY-MM-DD`, or null for what is no date of the calendar. */
export function isoDateOf(text: string, order: DateOrder): string | null {
  const date = civilDate(text, order);
  if (date === null) return null;
  return new Date(Date.UTC(date.year, date.month - 1, date.day)).toISOString().slice(0, 10);
}

function civilDate(text: string, order: DateOrder): CivilDate | null {
  const match = DATE.exec(text);
  if (match === null) return null;
  const [first, second, third] = match.slice(1).map(Number) as [number, number, number];
  const date =
    order === 'iso'
      ? { year: first, month: second, day: third }
      : { year: third, month: order === 'mdy' ? first : second, day: order === 'mdy' ? second : first };
  if (date.year < 1000 || date.month < 1 || date.month > 12 || date.day < 1) return null;
  return date.day <= new Date(Date.UTC(date.year, date.month, 0)).getUTCDate() ? date : null;
}

function hourOfDay(hour: number, half: string | undefined): number | null {
  if (half === undefined) return hour <= 23 ? hour : null;
  if (hour < 1 || hour > 12) return null;
  return (hour % 12) + (half.toLowerCase() === 'pm' ? 12 : 0);
}

function offsetMs(text: string): number {
  if (text === 'Z') return 0;
  const sign = text.startsWith('-') ? -1 : 1;
  return sign * (Number(text.slice(1, 3)) * 60 + Number(text.slice(-2))) * 60_000;
}
