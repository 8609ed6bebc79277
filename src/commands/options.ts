/** Options that several commands share, and their checks. */
import { InvalidArgumentError, Option } from 'commander';

export function dirOption(): Option {
  return new Option('--dir <directory>', 'data directory (default: FORETILL_DIR, else ./data)');
}

export function jsonOption(): Option {
  return new Option('--json', 'print the result as JSON on standard output');
}

/** A whole number within limits, for commander's option parsers. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

export function positiveNumber(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isFinite(value) && value > 0 && value <= max) return value;
    throw new InvalidArgumentError(`It must be a number above 0, at most ${max}.`);
  };
}

/** Collects a repeatable option. */
export function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** A date `YYYY-MM-DD` or a full time; kept as text, because the zone is known later. */
export function dateText(text: string): string {
  if (/^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?$/.test(text)) return text;
  throw new InvalidArgumentError('It must be a date such as 2017-03-27, or a time such as 2017-03-27T06:00.');
}
