/**
 * Reads the fields of one JSON object that came from outside, one by one, and notes what is wrong with each. A field
 * that is wrong reads as a neutral value, so that the rest can still be looked at.
 */
import { decimalToInteger } from './decimal.ts';
import type { DecimalFault } from './decimal.ts';
import { isBusinessDate } from './calendar.ts';
import { quote } from './problems.ts';
import type { Problems } from './problems.ts';

const TIMESTAMP = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

export class JsonFields {
  private readonly fields: Readonly<Record<string, unknown>>;
  private readonly prefix: string;
  private readonly problems: Problems;

  /** `path` is where the object stands, '' at the top. */
  constructor(value: unknown, path: string, problems: Problems) {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isObject)
      problems.add('invalid_value', path, `${path === '' ? 'a transaction' : path} must be an object`);
    this.fields = isObject ? (value as Record<string, unknown>) : {};
    this.prefix = path === '' ? '' : `${path}.`;
    this.problems = problems;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** Required text; a whole number is taken as its digits. */
  text(name: string): string {
    return this.optionalText(name) ?? (this.missing(name), '');
  }

  optionalText(name: string): string | null {
    const value = this.get(name);
    if (value === undefined) return null;
    if (typeof value === 'string') return value;
    if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
    this.invalid(name, 'must be text');
    return null;
  }

  boolean(name: string, otherwise: boolean): boolean {
    const value = this.get(name);
    if (value === undefined || typeof value === 'boolean') return value ?? otherwise;
    this.invalid(name, 'must be true or false');
    return otherwise;
  }

  integer(name: string, otherwise: number): number {
    const value = this.get(name);
    if (value === undefined) return otherwise;
    if (Number.isSafeInteger(value)) return value as number;
    this.invalid(name, 'must be a whole number');
    return otherwise;
  }

  /**
   * A decimal in `name` (text, or a number by its shortest text) or a whole number of its smallest parts in
   * `integerName`: `unit_price` "1.25", or `unit_price_minor` 125. Null when neither is there.
   */
  optionalDecimal(name: string, integerName: string, digits: number): number | null {
    const value = this.get(name);
    if (value === undefined) return this.has(integerName) ? this.integer(integerName, 0) : null;
    if (this.has(integerName)) {
      this.invalid(name, `cannot be given together with ${integerName}`);
      return 0;
    }
    if (typeof value !== 'string' && typeof value !== 'number') {
      this.invalid(name, 'must be a decimal number, best as text');
      return 0;
    }
    const result = decimalToInteger(String(value), digits);
    if (typeof result === 'number') return result;
    this.invalid(name, `${quote(String(value))} ${faultText(result, digits)}`);
    return 0;
  }

  /** As `optionalDecimal`, but required. */
  decimal(name: string, integerName: string, digits: number): number {
    return this.optionalDecimal(name, integerName, digits) ?? (this.missing(name), 0);
  }

  /** ISO 8601 with an offset, or UTC milliseconds. */
  optionalTime(name: string): number | null {
    const value = this.get(name);
    if (value === undefined) return null;
    if (Number.isSafeInteger(value)) return value as number;
    const date = typeof value === 'string' ? TIMESTAMP.exec(value)?.[1] : undefined;
    const ms = date !== undefined && isBusinessDate(date) ? Date.parse(value as string) : Number.NaN;
    if (!Number.isNaN(ms)) return ms;
    this.invalid(
      name,
      'must be a time with an offset such as 2017-03-12T10:15:00-05:00, or UTC milliseconds',
    );
    return null;
  }

  texts(name: string): string[] {
    return this.list(name).map((value, index) => {
      if (typeof value === 'string') return value;
      this.invalid(`${name}[${index}]`, 'must be text');
      return '';
    });
  }

  /** A list of objects; [] when it is not there. */
  objects(name: string, itemsMax: number): JsonFields[] {
    const values = this.list(name);
    if (values.length <= itemsMax) {
      return values.map(
        (value, index) => new JsonFields(value, `${this.prefix}${name}[${index}]`, this.problems),
      );
    }
    this.problems.add(
      'out_of_range',
      this.prefix + name,
      `${this.prefix}${name} has more than ${itemsMax} entries`,
    );
    return [];
  }

  /** A map of texts; {} when it is not there. */
  textMap(name: string): Record<string, string> {
    const value = this.get(name) ?? {};
    const entries = typeof value === 'object' && !Array.isArray(value) ? Object.entries(value) : null;
    if (entries !== null && entries.every(isTextEntry)) return Object.fromEntries(entries);
    this.invalid(name, 'must be an object whose values are texts');
    return {};
  }

  missing(name: string): void {
    this.problems.add('missing_field', this.prefix + name, `${this.prefix}${name} is missing`);
  }

  private invalid(name: string, what: string): void {
    this.problems.add('invalid_value', this.prefix + name, `${this.prefix}${name} ${what}`);
  }

  private list(name: string): readonly unknown[] {
    const value = this.get(name);
    if (value === undefined || Array.isArray(value)) return value ?? [];
    this.invalid(name, 'must be a list');
    return [];
  }

  /** Null counts as not there; only the object's own fields count. */
  private get(name: string): unknown {
    return Object.hasOwn(this.fields, name) ? (this.fields[name] ?? undefined) : undefined;
  }
}

function faultText(fault: DecimalFault, digits: number): string {
  if (fault === 'too_precise') return `has more than ${digits} digits after the point`;
  return fault === 'too_large' ? 'is too large' : 'is not a decimal number';
}

function isTextEntry(entry: [string, unknown]): entry is [string, string] {
  return typeof entry[1] === 'string';
}
