/**
 * A series is one line of numbers the system forecasts: a granularity, a measure and a node of the hierarchy.
 * Its name is `granularity/measure/level key=value…`, with values percent-encoded where they hold `/`, `=`, `%`,
 * white space or control characters: `hour/revenue/total`, `day/units/store=406`,
 * `day/units/store=406/category=BREAD`, `day/units/product=1041453`.
 */
export const GRANULARITIES = ['hour', 'day'] as const;
export type Granularity = (typeof GRANULARITIES)[number];

export const MEASURES = ['units', 'revenue'] as const;
export type Measure = (typeof MEASURES)[number];

/** From the top down. `store-category` is the bottom level of the sums; product levels stand beside it. */
export const LEVELS = ['total', 'store', 'category', 'store-category', 'product', 'store-product'] as const;
export type Level = (typeof LEVELS)[number];

export type SeriesKey = {
  readonly granularity: Granularity;
  readonly measure: Measure;
  readonly level: Level;
  readonly store?: string;
  readonly category?: string;
  readonly product?: string;
};

type Part = 'store' | 'category' | 'product';

/** What names a node, level by level. */
const PARTS: Readonly<Record<Level, readonly Part[]>> = {
  total: [],
  store: ['store'],
  category: ['category'],
  'store-category': ['store', 'category'],
  product: ['product'],
  'store-product': ['store', 'product'],
};

/**
 * The name of a series.
 *
 * @example
 * formatSeries({ granularity: 'day', measure: 'units', level: 'category', category: 'COLD CEREAL' })
 * // 'day/units/category=COLD%20CEREAL'
 */
export function formatSeries(key: SeriesKey): string {
  const parts = PARTS[key.level].map((part) => `${part}=${encode(key[part] ?? '')}`);
  return `${key.granularity}/${key.measure}/${parts.length === 0 ? 'total' : parts.join('/')}`;
}

/**
 * The series of a name, or null where the text names none. Values that need no encoding may still carry it, and white
 * space may stand unencoded; `formatSeries` of the result is the one true name.
 */
export function parseSeries(text: string): SeriesKey | null {
  const [granularity, measure, ...parts] = text.split('/');
  if (!isOneOf(GRANULARITIES, granularity) || !isOneOf(MEASURES, measure)) return null;
  if (parts.length === 1 && parts[0] === 'total') return { granularity, measure, level: 'total' };
  const names = parts.map((part) => part.slice(0, Math.max(0, part.indexOf('='))));
  const level = LEVELS.find((name) => name !== 'total' && PARTS[name].join('/') === names.join('/'));
  if (level === undefined) return null;
  const values: Partial<Record<Part, string>> = {};
  for (const [index, name] of PARTS[level].entries()) {
    const value = decode((parts[index] ?? '').slice(name.length + 1));
    if (value === null) return null;
    values[name] = value;
  }
  return { granularity, measure, level, ...values };
}

/** `%` first of all: the rest are what would end a value, or be lost in a log line or an address. */
function encode(value: string): string {
  return value.replace(/[%/=\s\p{Cc}]/gu, (character) =>
    character.charCodeAt(0) < 128
      ? `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
      : encodeURIComponent(character),
  );
}

function decode(value: string): string | null {
  try {
    return decodeURIComponent(value);
  } catch {
    return null;
  }
}

function isOneOf<T extends string>(values: readonly T[], text: string | undefined): text is T {
  return (values as readonly (string | undefined)[]).includes(text);
}
