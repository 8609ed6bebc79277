/** Forecast messages for tests: small, true to their type. */
import type { ForecastMessage } from '../../../src/pipeline/messages.ts';
import { DAY_MS, HOUR_MS } from '../../../src/sales/durations.ts';

export const PROBABILITIES = [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975] as const;
const SPREAD = [-0.4, -0.25, -0.12, 0, 0.12, 0.25, 0.4] as const;

export function forecastMessage(
  options: Partial<ForecastMessage> & { readonly horizon?: number; readonly value?: number } = {},
): ForecastMessage {
  const { horizon = 3, value = 100, ...overrides } = options;
  const granularity = overrides.granularity ?? 'hour';
  const originMs = overrides.origin_ms ?? Date.UTC(2017, 8, 1, 12);
  const bucketMs = granularity === 'hour' ? HOUR_MS : DAY_MS;
  return {
    series: `${granularity}/revenue/total`,
    granularity,
    measure: 'revenue',
    level: 'total',
    store: null,
    category: null,
    product: null,
    origin_ms: originMs,
    issued_at_ms: originMs + bucketMs + 60_000,
    watermark_ms: originMs + bucketMs,
    event_ms: originMs + bucketMs,
    model_version: 'test',
    kind: 'ISSUE',
    probabilities: PROBABILITIES,
    points: Array.from({ length: horizon }, (_, index) => ({
      bucket_ms: originMs + (index + 1) * bucketMs,
      step: index + 1,
      mean: value,
      quantiles: SPREAD.map((share) => value * (1 + share)),
    })),
    sold: null,
    remaining: null,
    experts: [],
    scores: [],
    reconciled: true,
    override: null,
    ...overrides,
  };
}

export function nowcastMessage(
  options: Partial<ForecastMessage> & { readonly soldSoFar?: number; readonly rest?: number } = {},
): ForecastMessage {
  const { soldSoFar = 40, rest = 60, ...overrides } = options;
  const base = forecastMessage({ horizon: 1, value: soldSoFar + rest, ...overrides });
  return {
    ...base,
    kind: 'NOWCAST',
    sold: soldSoFar,
    remaining: rest,
    points: base.points.map((point) => ({ ...point, step: 0 })),
    ...overrides,
  };
}

/** A series of one store, with the name and the fields that go with it. */
export function storeSeries(
  store: string,
): Pick<ForecastMessage, 'series' | 'level' | 'store' | 'granularity' | 'measure'> {
  return {
    series: `day/revenue/store=${store}`,
    level: 'store',
    store,
    granularity: 'day',
    measure: 'revenue',
  };
}
