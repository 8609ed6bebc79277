/** The table `scores`: what became of forecasts. Written again, a score replaces itself. */
import type { Granularity, Level, Measure } from '../../sales/series.ts';
import type { Store, Table } from './client.ts';
import { insertInChunks } from './insert-in-chunks.ts';

export type ScoreRow = {
  readonly granularity: Granularity;
  readonly measure: Measure;
  readonly level: Level;
  readonly series: string;
  readonly bucketMs: number;
  readonly step: number;
  readonly actual: number;
  readonly mean: number;
  readonly seasonalNaive: number;
  readonly lower80: number;
  readonly upper80: number;
  readonly lower95: number;
  readonly upper95: number;
  readonly recordedAtMs: number;
};

const SCORES: Table = {
  name: 'scores',
  columns: [
    'granularity',
    'measure',
    'level',
    'series',
    'bucket',
    'step',
    'actual',
    'mean',
    'seasonal_naive',
    'lower80',
    'upper80',
    'lower95',
    'upper95',
    'recorded_at',
  ],
};
const ROWS_PER_INSERT = 20_000;

/** The same token enters the rows once. */
export function insertScores(store: Store, scores: readonly ScoreRow[], token: string): Promise<void> {
  const rows = scores.map((row) => [
    row.granularity,
    row.measure,
    row.level,
    row.series,
    row.bucketMs / 1_000,
    row.step,
    row.actual,
    row.mean,
    row.seasonalNaive,
    row.lower80,
    row.upper80,
    row.lower95,
    row.upper95,
    row.recordedAtMs,
  ]);
  return insertInChunks(store, SCORES, rows, { token, rowsMax: ROWS_PER_INSERT });
}
