/** What the API reads from the store. */
import { DAY_MS } from '../../sales/durations.ts';
import type { Config } from '../../config.ts';
import type { Clock } from '../../clock.ts';
import { currencyExponent } from '../../sales/money.ts';
import { parseSeries } from '../../sales/series.ts';
import type { Granularity, Level, Measure, SeriesKey } from '../../sales/series.ts';
import { readAccuracy } from '../clickhouse/accuracy-query.ts';
import type { Accuracy } from '../clickhouse/accuracy-query.ts';
import type { Store } from '../clickhouse/client.ts';
import { readForecasts } from '../clickhouse/forecasts-table.ts';
import type { ForecastRow } from '../clickhouse/forecasts-table.ts';
import { readHistory } from '../clickhouse/sales-table.ts';
import { isoSeconds } from '../websocket/forecast-view.ts';
import type { ForecastView } from '../websocket/forecast-view.ts';

export type HistoryQuery = {
  readonly key: SeriesKey;
  /** Buckets with fromMs ≤ start < toMs. */
  readonly fromMs: number;
  readonly toMs: number;
  /** As it was known then; null: now. */
  readonly asOfMs: number | null;
};

/** A closed bucket's total in units of the measure. Buckets without sales are missing. */
export type HistoryRow = { readonly bucketMs: number; readonly value: number };

export type AccuracyRow = Accuracy;

export type ForecastFilter = {
  readonly granularity?: Granularity;
  readonly measure?: Measure;
  readonly level?: Level;
  readonly series?: readonly string[];
};

export type ForecastStore = {
  /** By bucket. */
  history(query: HistoryQuery): Promise<readonly HistoryRow[]>;
  /** The forecast that stood at `asOfMs`, of every series that matches, by name, after `after`. */
  forecastsAsOf(
    filter: ForecastFilter,
    options: { asOfMs: number; after: string; limit: number },
  ): Promise<readonly ForecastView[]>;
  /** By granularity, measure, level and step, over the last four weeks. */
  accuracy(): Promise<readonly AccuracyRow[]>;
  /** Whether it answers now. */
  ping(): Promise<boolean>;
};

const ACCURACY_DAYS = 28;
const THOUSANDTHS = 1_000;

export function createForecastStore(deps: {
  readonly store: Store;
  readonly config: Config;
  readonly clock: Clock;
}): ForecastStore {
  const { store, config, clock } = deps;
  const minorPerUnit = 10 ** currencyExponent(config.currency);
  return {
    async history({ key, fromMs, toMs, asOfMs }) {
      const { granularity, measure, store: storeId, category, product: sku } = key;
      const rows = await readHistory(store, {
        granularity,
        fromMs,
        beforeMs: toMs,
        ...(storeId === undefined ? {} : { storeId }),
        ...(category === undefined ? {} : { category }),
        ...(sku === undefined ? {} : { sku }),
        ...(asOfMs === null ? {} : { asOfMs }),
      });
      const [values, unit] =
        measure === 'units' ? [rows.unitsThousandths, THOUSANDTHS] : [rows.revenueMinor, minorPerUnit];
      return rows.bucketMs.map((bucketMs, index) => ({ bucketMs, value: (values[index] as number) / unit }));
    },
    async forecastsAsOf(filter, { asOfMs, after, limit }) {
      const rows = await readForecasts(store, { ...filter, asOfMs, afterSeries: after, limit });
      return rows.map(forecastOf);
    },
    accuracy() {
      const nowMs = clock.nowMs();
      return readAccuracy(store, { fromMs: nowMs - ACCURACY_DAYS * DAY_MS, beforeMs: nowMs + DAY_MS });
    },
    ping: () => store.ping(),
  };
}

/** The ledger keeps no scores and no weights: those are of the latest forecast alone. */
function forecastOf(row: ForecastRow): ForecastView {
  const width = row.probabilities.length;
  const { store, category, product } = parseSeries(row.series) ?? {};
  return {
    series: row.series,
    granularity: row.granularity,
    measure: row.measure,
    level: row.level,
    ...(store === undefined ? {} : { store }),
    ...(category === undefined ? {} : { category }),
    ...(product === undefined ? {} : { product }),
    kind: row.kind,
    origin: isoSeconds(row.originMs),
    issued_at: new Date(row.issuedAtMs).toISOString(),
    watermark: isoSeconds(row.watermarkMs),
    model_version: row.modelVersion,
    reconciled: row.reconciled,
    probabilities: row.probabilities,
    buckets: row.bucketsMs.map(isoSeconds),
    mean: row.mean,
    quantiles: row.mean.map((_mean, index) => row.quantiles.slice(index * width, (index + 1) * width)),
    scores: [],
    experts: [],
  };
}
