import type { Grain } from '../bands.ts';
import { createClosures } from './closures.ts';
import { createFeatures, historyLength } from './features.ts';
import {
  covariateFields,
  createHistory,
  ERROR,
  FAST,
  HIGH,
  LEVEL,
  NOISE,
  SHORT,
  SIZE,
  SLOT,
  Y,
} from './history.ts';
import { createNormalEquations } from './normal-equations.ts';
import type { NormalEquations } from './normal-equations.ts';

export type PooledSpec = {
  readonly granularity: Grain;
  readonly season: number;
  readonly shortSeason: number;
  readonly horizon: number;
  /** covariates known ahead, and those known only with their bucket */
  readonly known: number;
  readonly past: number;
  readonly series: number;
};

/** One bucket of one series; covariates as in the backtest: a row for it and one for each step ahead, NaN: missing. */
export type PooledBucket = {
  readonly y: number;
  readonly calendar: { readonly slot: number; readonly ahead: Int32Array };
  readonly known: Float64Array;
  readonly past: Float64Array;
};

/** The expert that all series of a level and granularity share. */
export type Pooled = {
  /** of the regressions, in the order of the coefficients */
  readonly features: readonly string[];
  /** Takes a series' next bucket: it trains the regressions, and becomes the origin of its next forecasts. */
  learn(series: number, bucket: PooledBucket): void;
  /** Ends a moment in time: what its buckets have taught counts from now on. */
  close(): void;
  /**
   * Writes forecasts of `steps` (1 = next bucket) after the last bucket learned, which `bucket` still holds, to
   * `out[from…]`.
   */
  forecast(series: number, bucket: PooledBucket, steps: Int32Array, out: Float64Array, from: number): void;
  /** Coefficients for a step, of series that have a whole season behind them or not. */
  coefficients(step: number, grown: boolean): Float64Array;
};

/** Buckets (moments in time) that the regressions remember, or this many seasons where that is more. */
const MEMORY_BUCKETS = 1_000;
const MEMORY_SEASONS = 8;
/** Coefficients are drawn towards zero, and so forecasts towards the level, as by this many rows of weight 1. */
const RIDGE = 1;
/** Residuals beyond this many usual errors of the series pull no harder (Huber). */
const RESIDUAL_MAX = 3;
/** Nor do buckets further than this many sizes from the level. */
const TARGET_MAX = 16;
/** No series is taken to be more exact than this part of its size. */
const ERROR_MIN = 0.01;
/** Forecasts lie within this many sizes of the level. */
const FORECAST_MAX = 8;
/** A bucket beyond this many times the highest seen is remembered as that, so that a shift is still believed soon. */
const WILD = 4;
const Y_MAX = 1e15;
/** Errors in sizes beyond it count as it. */
const SCALED_MAX = 4;
/** Beyond this many series each trains only in every second, third … moment: rows enough for forty coefficients. */
const ROWS_PER_MOMENT_MAX = 64;
/** A regression is solved again when it has gained this part of what it had. */
const NEWS_MIN = 0.01;
/** Buckets that the level is a moving mean of: four days, four weeks, half a year. */
const LEVEL_BUCKETS: Readonly<Record<Grain, number>> = { '15min': 384, hour: 96, day: 28, week: 26 };
const FAST_GAIN = 0.25;
const SHORT_BUCKETS = { min: 4, max: 13, withoutSeason: 8 };
const SLOT_GAIN = 0.1;

/**
 * Pooled regression: for step h of the horizon band that h lies in,
 *
 *     ŷ(t+h) = L + S·(β_band · x(t, h))
 *
 * with level L and size S of the series at t and the features x of features.ts, one β per band of steps (1, 2, 3–4,
 * 5–8, 9–16 …), shared by all series, and one more for series too young to have a season behind them. Every bucket
 * that closes gives one row per band, with the step going round within it and the features as they stood at that
 * origin; the weight of a row is 1 over the series' mean squared seasonal naive error in sizes, so that a noisy
 * series says less and each about as much as the metric that scales by it. Squares are minimised with a small ridge and
 * forgetting, and a row whose residual lies beyond three usual errors of its series weighs less in proportion (Huber, by
 * one step of reweighting), so no wild bucket turns the shared β. Actuals are never replaced by what was forecast: a
 * regression that had gone astray would teach itself to stay there.
 *
 * Online: rows are added to normal equations (p²/2 multiplications each), which are solved once a moment when they
 * have gained enough. β moves only in close(), so it does not matter in which order the series of one moment come but
 * for the rounding of sums. What covariates known ahead call closed is forecast as 0 and teaches nothing else.
 *
 * Limits: one linear answer for all series; series that start and stop selling follow their level only. Cost: about
 * bands × p²/2 multiplications per bucket, less per series where there are more than 64.
 * Source: Montero-Manso & Hyndman (2021), Principles and algorithms for forecasting groups of time series: locality
 * and globality; Marcellino, Stock & Watson (2006) for direct forecasts by step.
 */
export function createPooled(spec: PooledSpec): Pooled {
  const { granularity, season, shortSeason, horizon, known, past } = spec;
  const covariates = known + past;
  const fields = covariateFields(known, past);
  const shape = { cycle: spec, horizon, known, past };
  const history = createHistory(spec.series, historyLength(shape), fields.stride);
  const features = createFeatures(shape, history, fields);
  const { rows } = history;
  const { x, frame } = features;
  const closures = createClosures(known);
  const bands = stepBands(horizon);
  const bandOf = bandOfStep(bands, horizon);
  const regressions = bands.map(() => [createRegression(x.length), createRegression(x.length)]);
  const memory = 1 - 1 / Math.max(MEMORY_BUCKETS, MEMORY_SEASONS * season);
  const every = Math.ceil(spec.series / ROWS_PER_MOMENT_MAX);
  const levelGain = 1 / LEVEL_BUCKETS[granularity];
  const shortGain = 1 / shortBuckets(shortSeason);

  const regressionOf = (band: number): Regression => regressions[band]![frame.grown ? 1 : 0]!;

  /** One row per band: the bucket as it is seen from an origin as many steps back. */
  function train(series: number, n: number, { y, calendar, known: ahead }: PooledBucket): void {
    const turn = Math.floor((n + series) / every);
    for (let b = 0; b < bands.length; b++) {
      const { fromStep, toStep } = bands[b]!;
      const step = fromStep + (turn % (toStep - fromStep + 1));
      const origin = n - step;
      if (!history.has(series, origin)) continue;
      features.build(series, origin, step, calendar.slot, ahead, 0);
      if (frame.size === 0) continue;
      const { equations, beta } = regressionOf(b);
      const error = Math.max(ERROR_MIN, rows[history.at(series, origin) + ERROR]!);
      const z = within((y - frame.level) / frame.size, TARGET_MAX);
      const residual = Math.abs(z - dot(beta, x));
      const huber = Math.min(1, (RESIDUAL_MAX * error) / residual);
      equations.add(x, z, huber / (error * error));
    }
  }

  /** Moves the running figures of a series on; a closed bucket stands for what was sold a season before. */
  function remember(series: number, { y, known: ahead, past: behind }: PooledBucket, closed: boolean): void {
    const n = history.count(series);
    const place = history.append(series);
    const lag = n >= season ? season : n >= shortSeason ? shortSeason : 0;
    const naive = lag > 0 ? rows[history.at(series, n - lag) + Y]! : rows[place + LEVEL]!;
    const highest = rows[place + HIGH]!;
    const bound = highest > 0 ? WILD * highest : Y_MAX;
    const value = closed ? naive : within(y, bound);
    rows[place + Y] = value;
    if (!closed) {
      learnEffects(place, value, ahead);
      const gain = Math.max(levelGain, 1 / (n + 1));
      const size = rows[place + SIZE]!;
      const error = n > 0 ? Math.abs(value - naive) : 0;
      const scaled = size > 0 ? Math.min(SCALED_MAX, error / size) : 1;
      const square = rows[place + ERROR]! ** 2;
      rows[place + ERROR] = Math.sqrt(square + gain * (scaled * scaled - square));
      rows[place + HIGH] = Math.max(highest, Math.abs(value));
      move(place + NOISE, error, gain);
      move(place + LEVEL, value, gain);
      move(place + SIZE, Math.abs(value), gain);
      move(place + FAST, value, Math.max(FAST_GAIN, 1 / (n + 1)));
      move(place + SHORT, value, Math.max(shortGain, 1 / (n + 1)));
    }
    const slotGain = Math.max(SLOT_GAIN, 1 / (Math.floor(n / season) + 1));
    const slot = n >= season ? rows[history.at(series, n - season) + SLOT]! : value;
    rows[place + SLOT] = slot + slotGain * (value - slot);
    rememberCovariates(place, n === 0, ahead, behind);
    features.observe(place);
  }

  /** How far the value lies from the level, for the effect that each covariate's distance from its mean has had. */
  function learnEffects(place: number, value: number, ahead: Float64Array): void {
    const size = rows[place + SIZE]!;
    if (size === 0) return;
    const sold = within((value - rows[place + LEVEL]!) / size, SCALED_MAX);
    for (let c = 0; c < known; c++) {
      const distance = features.inUnits(c, ahead[c]! - rows[place + fields.mean + c]!);
      const effect = place + fields.effect + c;
      const squares = place + fields.squares + c;
      rows[effect] = memory * rows[effect]! + distance * sold;
      rows[squares] = memory * rows[squares]! + distance * distance;
    }
  }

  function rememberCovariates(
    place: number,
    first: boolean,
    ahead: Float64Array,
    behind: Float64Array,
  ): void {
    for (let c = 0; c < covariates; c++) {
      const observed = c < known ? ahead[c]! : behind[c - known]!;
      const mean = place + fields.mean + c;
      rows[place + fields.value + c] = observed;
      if (first || Number.isNaN(rows[mean]!)) rows[mean] = observed;
      else if (!Number.isNaN(observed)) move(mean, observed, levelGain);
    }
  }

  function move(place: number, value: number, gain: number): void {
    rows[place]! += gain * (value - rows[place]!);
  }

  return {
    features: features.names,
    learn(series, bucket) {
      const n = history.count(series);
      const closed = closures.closed(bucket.known, 0);
      if (!closed && n > 0 && (n + series) % every === 0) train(series, n, bucket);
      const size = n > 0 ? rows[history.at(series, n - 1) + SIZE]! : 0;
      if (size > 0) closures.learn(bucket.y, size, bucket.known, 0);
      remember(series, bucket, closed);
    },
    close() {
      for (const pair of regressions) for (const regression of pair) refresh(regression, memory);
      closures.forget(memory);
    },
    forecast(series, { calendar, known: ahead }, steps, out, from) {
      const origin = history.count(series) - 1;
      for (let i = 0; i < steps.length; i++) {
        const step = steps[i]!;
        if (closures.closed(ahead, step * known)) {
          out[from + i] = 0;
          continue;
        }
        features.build(series, origin, step, calendar.ahead[step - 1]!, ahead, step * known);
        const scaled = within(dot(regressionOf(bandOf[step]!).beta, x), FORECAST_MAX);
        out[from + i] = frame.level + frame.size * scaled;
      }
    },
    coefficients: (step, grown) => regressions[bandOf[step]!]![grown ? 1 : 0]!.beta,
  };
}

/** Buckets of the short mean: about a short season. */
function shortBuckets(shortSeason: number): number {
  const { min, max, withoutSeason } = SHORT_BUCKETS;
  return shortSeason < min ? withoutSeason : Math.min(max, shortSeason);
}

type StepBand = { readonly fromStep: number; readonly toStep: number };

/** Steps 1, 2, 3–4, 5–8, 9–16 …: each band twice as far. */
function stepBands(horizon: number): readonly StepBand[] {
  const bands: StepBand[] = [{ fromStep: 1, toStep: 1 }];
  for (let fromStep = 2; fromStep <= horizon; fromStep = bands.at(-1)!.toStep + 1) {
    bands.push({ fromStep, toStep: Math.min(horizon, 2 * (fromStep - 1)) });
  }
  return bands;
}

function bandOfStep(bands: readonly StepBand[], horizon: number): Int32Array {
  const bandOf = new Int32Array(horizon + 1);
  for (const [b, { fromStep, toStep }] of bands.entries()) bandOf.fill(b, fromStep, toStep + 1);
  return bandOf;
}

type Regression = { readonly equations: NormalEquations; readonly beta: Float64Array; solvedWeight: number };

function createRegression(features: number): Regression {
  return {
    equations: createNormalEquations(features),
    beta: new Float64Array(features),
    solvedWeight: 0,
  };
}

/** Solves where enough has come in, then forgets a little. */
function refresh(regression: Regression, memory: number): void {
  const { equations, beta } = regression;
  const news = equations.weight() - regression.solvedWeight;
  if (news > NEWS_MIN * regression.solvedWeight) {
    equations.solve(RIDGE, beta);
    regression.solvedWeight = equations.weight();
  }
  if (equations.weight() === 0) return;
  equations.forget(memory);
  regression.solvedWeight *= memory;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function within(value: number, limit: number): number {
  return Math.min(limit, Math.max(-limit, value));
}
