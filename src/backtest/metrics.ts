/**
 * Figures of accuracy, as the protocols in use define them. With e = ŷ − y over the points of a set:
 *
 *     scale(m)  of an origin: mean over its training part, from bucket m + 1 on, of |y_t − y_(t−m)|; squared for RMSSE
 *     MASE      per series and origin: mean |e| over the horizon / scale; the mean over all pairs (MASE_med: median).
 *               Pairs whose scale is zero, or that have no training part longer than m, are left out
 *     RMSSE     per series and origin: √(mean e² / squared scale); the mean over all pairs
 *     sMAPE     mean of 200·|e| / (|y| + |ŷ|), 0 where both are 0
 *     WAPE      100·Σ|e| / Σ|y|
 *     RMSE, MAE over all points, in units of y
 *     MAPE      mean of 100·|e| / |y| over points with y ≠ 0
 *     bias_pct  100·Σe / Σ|y|: above zero it forecasts too much
 *     wQL       100·mean over q ∈ {0.1, 0.5, 0.9} of 2·Σ pinball_q(y, ŷ_q) / Σ|y|; ŷ_0.5 is the point forecast,
 *               ŷ_0.1 and ŷ_0.9 are the ends of the 80 % interval
 *     cov80     100·share of points within the 80 % interval, its ends included; the same for other levels
 *     width80   100·Σ(upper − lower) / Σ|y|: how wide the 80 % interval is, beside WAPE
 *
 * Sums are kept per series and step of the horizon, so the figures do not depend on who computed which series.
 * Source: Hyndman & Koehler (2006), Another look at measures of forecast accuracy (MASE); Makridakis, Spiliotis &
 * Assimakopoulos (2022), M5 accuracy competition (RMSSE); Gneiting & Raftery (2007) for the pinball loss.
 */

/** Mean absolute and mean squared difference over one season in `y[0…length)`; NaN when there is none. */
export type Scale = { readonly absolute: number; readonly square: number };

export function scaleOf(y: Float64Array, length: number, season: number): Scale {
  let absolute = 0;
  let square = 0;
  for (let t = season; t < length; t++) {
    const difference = y[t]! - y[t - season]!;
    absolute += Math.abs(difference);
    square += difference * difference;
  }
  const n = length - season;
  return n > 0
    ? { absolute: absolute / n, square: square / n }
    : { absolute: Number.NaN, square: Number.NaN };
}

/** Names of the sums kept per step; those of each level follow them: points inside, and width. */
const FIELDS = [
  'n',
  'absolute',
  'square',
  'error',
  'size',
  'smape',
  'mape',
  'mapeN',
  'scaled',
  'scaledN',
  'pinball',
] as const;
type Field = (typeof FIELDS)[number];
const PLACE = Object.fromEntries(FIELDS.map((name, i) => [name, i])) as Readonly<Record<Field, number>>;
const LEVEL_FIELDS = 2;

/** Where the quantiles of one forecast lie in its row: of wQL, and both ends of every level. */
export type QuantilePlaces = {
  readonly count: number;
  readonly low80: number;
  readonly high80: number;
  readonly levels: readonly { readonly low: number; readonly high: number }[];
};

/** Everything that is known about the forecasts of one series by one model. */
export type SeriesTally = {
  /** a row of sums per step of the horizon */
  readonly sums: Float64Array;
  /** per origin; NaN where its scale is zero */
  readonly mase: Float64Array;
  readonly rmsse: Float64Array;
};

export function createTally(horizon: number, origins: number, levels: number): SeriesTally {
  return {
    sums: new Float64Array(horizon * rowLength(levels)),
    mase: new Float64Array(origins).fill(Number.NaN),
    rmsse: new Float64Array(origins).fill(Number.NaN),
  };
}

/** One forecast: `steps` means from `actual[from]` on, and a row of quantiles for each, NaN when the model has none. */
export type Judged = {
  readonly actual: Float64Array;
  readonly from: number;
  readonly steps: number;
  readonly mean: Float64Array;
  readonly quantiles: Float64Array;
  readonly scale: Scale;
};

/** Adds the forecast of origin number `origin`. */
export function addForecast(
  tally: SeriesTally,
  origin: number,
  forecast: Judged,
  places: QuantilePlaces,
): void {
  const { actual, from, steps, mean, scale } = forecast;
  let absolute = 0;
  let square = 0;
  for (let i = 0; i < steps; i++) {
    const error = mean[i]! - actual[from + i]!;
    absolute += Math.abs(error);
    square += error * error;
    addPoint(tally.sums, i, forecast, places);
  }
  if (scale.absolute > 0) tally.mase[origin] = absolute / steps / scale.absolute;
  if (scale.square > 0) tally.rmsse[origin] = Math.sqrt(square / steps / scale.square);
}

function addPoint(
  sums: Float64Array,
  step: number,
  { actual, from, mean, quantiles, scale }: Judged,
  places: QuantilePlaces,
): void {
  const row = step * rowLength(places.levels.length);
  const y = actual[from + step]!;
  const forecast = mean[step]!;
  const error = forecast - y;
  const size = Math.abs(y);
  const both = size + Math.abs(forecast);
  sums[row + PLACE.n]! += 1;
  sums[row + PLACE.absolute]! += Math.abs(error);
  sums[row + PLACE.square]! += error * error;
  sums[row + PLACE.error]! += error;
  sums[row + PLACE.size]! += size;
  sums[row + PLACE.smape]! += both === 0 ? 0 : (2 * Math.abs(error)) / both;
  if (y !== 0) {
    sums[row + PLACE.mape]! += Math.abs(error) / size;
    sums[row + PLACE.mapeN]! += 1;
  }
  if (scale.absolute > 0) {
    sums[row + PLACE.scaled]! += Math.abs(error) / scale.absolute;
    sums[row + PLACE.scaledN]! += 1;
  }
  const at = step * places.count;
  sums[row + PLACE.pinball]! +=
    pinball(0.1, y, quantiles[at + places.low80]!) +
    pinball(0.5, y, forecast) +
    pinball(0.9, y, quantiles[at + places.high80]!);
  for (const [level, { low, high }] of places.levels.entries()) {
    const lower = quantiles[at + low]!;
    const upper = quantiles[at + high]!;
    const place = row + FIELDS.length + level * LEVEL_FIELDS;
    sums[place]! += lower <= y && y <= upper ? 1 : 0;
    sums[place + 1]! += upper - lower;
  }
}

/** `p·(y − q)` where the actual lies above the quantile, `(1 − p)·(q − y)` where it lies below. */
export function pinball(p: number, y: number, quantile: number): number {
  return y >= quantile ? p * (y - quantile) : (1 - p) * (quantile - y);
}

export type Interval = { readonly coverage: number; readonly width: number };

/** NaN where there is nothing to compute it from: no intervals, no scale, no sales. */
export type Figures = {
  readonly points: number;
  /** mean over points, so that every series and origin counts alike where they have the same horizon */
  readonly mase: number;
  readonly smape: number;
  readonly wape: number;
  readonly rmse: number;
  readonly mae: number;
  readonly mape: number;
  readonly biasPct: number;
  readonly wql: number;
  /** in the order of the levels */
  readonly intervals: readonly Interval[];
};

/** Figures over all series and the steps `fromStep…toStep`, counted from 1. */
export function figuresOf(
  tallies: readonly SeriesTally[],
  steps: { readonly fromStep: number; readonly toStep: number },
  levels: number,
): Figures {
  const length = rowLength(levels);
  const sums = new Float64Array(length);
  for (const tally of tallies) {
    for (let step = steps.fromStep - 1; step < steps.toStep; step++) {
      for (let i = 0; i < length; i++) sums[i]! += tally.sums[step * length + i]!;
    }
  }
  const sum = (name: Field): number => sums[PLACE[name]]!;
  const n = sum('n');
  const share = (value: number): number => ratio(100 * value, sum('size'));
  const intervals = Array.from({ length: levels }, (_, level) => {
    const place = FIELDS.length + level * LEVEL_FIELDS;
    const width = share(sums[place + 1]!);
    // Without intervals the quantiles are NaN, and so is their width; nothing lies within them.
    return { coverage: Number.isNaN(width) ? Number.NaN : ratio(100 * sums[place]!, n), width };
  });
  return {
    points: n,
    mase: ratio(sum('scaled'), sum('scaledN')),
    smape: ratio(100 * sum('smape'), n),
    wape: share(sum('absolute')),
    rmse: Math.sqrt(ratio(sum('square'), n)),
    mae: ratio(sum('absolute'), n),
    mape: ratio(100 * sum('mape'), sum('mapeN')),
    biasPct: share(sum('error')),
    wql: share((2 * sum('pinball')) / 3),
    intervals,
  };
}

/** Mean over series of (mean |e| of the steps / scale): each series counts once. Series without a scale are left out. */
export function seriesMase(
  tallies: readonly SeriesTally[],
  steps: { readonly fromStep: number; readonly toStep: number },
  levels: number,
): number {
  const length = rowLength(levels);
  const values = tallies.map(({ sums }) => {
    let scaled = 0;
    let n = 0;
    for (let step = steps.fromStep - 1; step < steps.toStep; step++) {
      scaled += sums[step * length + PLACE.scaled]!;
      n += sums[step * length + PLACE.scaledN]!;
    }
    return ratio(scaled, n);
  });
  return meanOf(values);
}

/** Mean of the values that are numbers; NaN when none is. */
export function meanOf(values: Iterable<number>): number {
  let sum = 0;
  let n = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    sum += value;
    n += 1;
  }
  return ratio(sum, n);
}

/** Middle of the values that are numbers; NaN when none is. */
export function medianOf(values: Iterable<number>): number {
  const sorted = [...values].filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function rowLength(levels: number): number {
  return FIELDS.length + levels * LEVEL_FIELDS;
}

function ratio(numerator: number, denominator: number): number {
  return denominator > 0 ? numerator / denominator : Number.NaN;
}
