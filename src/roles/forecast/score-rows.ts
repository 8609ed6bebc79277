/** What became of forecasts, gathered while buckets are folded and written to `scores` together. */
import type { ScoreRow } from '../../adapters/clickhouse/scores-table.ts';
import { seriesKey } from '../../pipeline/forecast-message.ts';
import type { ScoredBucket, SeriesTable } from '../../pipeline/series-table.ts';
import { PROBABILITIES } from '../../pipeline/shard.ts';
import { formatSeries } from '../../sales/series.ts';

const LOWER95 = PROBABILITIES.indexOf(0.025);
const LOWER80 = PROBABILITIES.indexOf(0.1);
const UPPER80 = PROBABILITIES.indexOf(0.9);
const UPPER95 = PROBABILITIES.indexOf(0.975);

/** The rows of one scored bucket of one series: one per band scored. */
export function scoreRows(table: SeriesTable, scored: ScoredBucket, recordedAtMs: number): ScoreRow[] {
  const key = seriesKey(table, scored.node, scored.measure);
  const series = formatSeries(key);
  const rows: ScoreRow[] = [];
  for (const [b, band] of table.engine.bands.entries()) {
    if ((scored.bands & (1 << b)) === 0) continue;
    const quantile = (i: number): number => scored.buffer.quantiles[b * PROBABILITIES.length + i] as number;
    rows.push({
      granularity: key.granularity,
      measure: key.measure,
      level: key.level,
      series,
      bucketMs: scored.bucketMs,
      step: band.scoredStep,
      actual: scored.actual,
      mean: scored.buffer.mean[b] as number,
      seasonalNaive: scored.buffer.seasonalNaive[b] as number,
      lower80: quantile(LOWER80),
      upper80: quantile(UPPER80),
      lower95: quantile(LOWER95),
      upper95: quantile(UPPER95),
      recordedAtMs,
    });
  }
  return rows;
}
