/** What the server sends, as in /api/v1/openapi.json; for the checks of the page's modules alone. */
export type Granularity = 'hour' | 'day';
export type Measure = 'units' | 'revenue';

export type BandScore = {
  band: string;
  step: number;
  n: number;
  mase: number | null;
  wape: number | null;
  bias: number | null;
  coverage80: number | null;
  coverage95: number | null;
  skill: number | null;
};

export type Series = {
  series: string;
  granularity: Granularity;
  measure: Measure;
  level: string;
  store?: string;
  category?: string;
  product?: string;
};

export type Forecast = Series & {
  origin: string;
  issued_at: string;
  probabilities: number[];
  buckets: string[];
  mean: number[];
  quantiles: number[][];
  scores: BandScore[];
};

export type Nowcast = Series & {
  bucket: string;
  as_of: string;
  sold: number;
  mean: number;
  probabilities: number[];
  quantiles: number[];
};

export type ActiveEvent = { id: string; kind: string; label: string; started: string; ends: string | null };

export type Status = {
  name: string;
  version: string;
  now: string;
  currency: string;
  time_zone: string;
  transactions_total: number;
  series: number;
  roles: { role: string; ready: boolean; last_error: string | null }[];
  warm_start: { done: number; total: number; what: string } | null;
  demo: {
    label: string;
    simulated: boolean;
    speed: number;
    progress: number | null;
    active: ActiveEvent[];
  } | null;
};

export type EventParameter = {
  name: string;
  label: string;
  kind: 'store' | 'category' | 'number';
  required?: boolean;
  min?: number;
  max?: number;
  unit?: string;
  initial?: string | number;
};

export type Demo = {
  speeds: number[];
  speed: number;
  injectable: { kind: string; label: string; description: string; parameters: EventParameter[] }[];
};

export type History = { series: string; buckets: string[]; values: number[] };

export type FeedMessage =
  | {
      type: 'snapshot';
      id: string;
      epoch: string;
      seq: number;
      final: boolean;
      forecasts: Forecast[];
      nowcasts: Nowcast[];
    }
  | { type: 'resumed'; id: string; epoch: string; seq: number }
  | ({ type: 'forecast'; seq: number } & Forecast)
  | ({ type: 'nowcast'; seq: number } & Nowcast)
  | { type: 'score'; seq: number }
  | ({ type: 'status'; seq: number } & Status)
  | { type: 'alert'; seq: number; message: string; resolved: string | null }
  | { type: 'error'; code: string; message: string };
