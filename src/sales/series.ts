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
