import type { Granularity, Level, Measure } from '../../sales/series.ts';
import type { Params } from './client.ts';

/** Series by what their names begin with, or by name; what is absent is not asked for. */
export type SeriesFilter = {
  readonly granularity?: Granularity;
  readonly measure?: Measure;
  readonly level?: Level;
  readonly series?: readonly string[];
};

/** The filter as a condition over the columns that `forecasts` and `scores` begin with. */
export function seriesFilter(filter: SeriesFilter): { sql: string; params: Params } {
  const conditions: string[] = ['true'];
  const params: Record<string, string | readonly string[]> = {};
  for (const column of ['granularity', 'measure', 'level'] as const) {
    const value = filter[column];
    if (value === undefined) continue;
    conditions.push(`${column} = {${column}:String}`);
    params[column] = value;
  }
  if (filter.series !== undefined) {
    conditions.push('series IN {series:Array(String)}');
    params['series'] = filter.series;
  }
  return { sql: conditions.join(' AND '), params };
}
