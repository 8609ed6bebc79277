import type { Layout } from '../stats/layout.ts';
import type { Slab } from '../stats/slab.ts';

/** Accuracy of one band's forecasts, each made before its bucket was known. NaN where nothing was scored. */
export type SeriesScores = {
  /** forecasts scored */
  readonly n: number;
  readonly mae: number;
  readonly rmse: number;
  /** mean of forecast − actual: above zero it forecasts too much */
  readonly bias: number;
  /** Σ|error| / Σ|actual| */
  readonly wape: number;
  /** MAE over the mean one-season difference of the series itself */
  readonly mase: number;
  /** 1 − MAE / MAE of seasonal naive on the same buckets: above zero it is better */
  readonly skill: number;
  /** mean pinball loss over the configured probabilities */
  readonly pinball: number;
  /** share of buckets within the 80 % and the 95 % interval; NaN if its two probabilities are not configured */
  readonly coverage80: number;
  readonly coverage95: number;
  /** mean width of the 80 % interval */
  readonly width80: number;
  /** smoothed bias over smoothed absolute error, −1…1: near ±1 the forecasts lean to one side (Trigg) */
  readonly trackingSignal: number;
};

/** Prequential scores of a series per horizon band: predict, score, learn. */
export type Prequential = {
  init(slab: Slab, at: number): void;
  count(slab: Slab, at: number, band: number): number;
  /** Scores forecast `mean` and its quantiles `quantiles[from…]` against `y`. */
  update(
    slab: Slab,
    at: number,
    band: number,
    y: number,
    mean: number,
    seasonalNaive: number,
    quantiles: Float64Array,
    from: number,
  ): void;
  /** `naiveError`: mean absolute one-season difference of the series. */
  read(slab: Slab, at: number, band: number, naiveError: number): SeriesScores;
};

/** Means are plain up to this many scored forecasts and forget beyond: an accident years ago is no news. */
const WINDOW = 1_000;
const TRACKING_GAIN = 0.05;

const FIELDS = 12;
const [N, ABS, SQUARE, BIAS, SIZE, NAIVE, PINBALL, IN80, IN95, WIDTH80, LEAN, LEAN_ABS] = Array.from(
  { length: FIELDS },
  (_, i) => i,
) as [number, number, number, number, number, number, number, number, number, number, number, number];

/**
 * Every mean moves with gain `max(1/n, 1/1000)`. Source of the measures: Hyndman & Koehler (2006), Another look at
 * measures of forecast accuracy; Gneiting & Raftery (2007) for pinball; Trigg (1964) for the tracking signal.
 */
export function createPrequential(
  layout: Layout,
  options: { readonly bands: number; readonly probabilities: readonly number[] },
): Prequential {
  const p = Float64Array.from(options.probabilities);
  const state = 2 * layout.takeSingles(`scores(${WINDOW})`, options.bands * FIELDS);
  const [low80, high80] = [find(p, 0.1), find(p, 0.9)];
  const [low95, high95] = [find(p, 0.025), find(p, 0.975)];
  return {
    init(slab, at) {
      slab.f32.fill(0, 2 * at + state, 2 * at + state + options.bands * FIELDS);
    },
    count: (slab, at, band) => slab.f32[2 * at + state + band * FIELDS + N]!,
    update(slab, at, band, y, mean, seasonalNaive, quantiles, from) {
      const { f32 } = slab;
      const i = 2 * at + state + band * FIELDS;
      const n = f32[i + N]! + 1;
      const gain = Math.max(1 / n, 1 / WINDOW);
      const error = mean - y;
      f32[i + N] = n;
      f32[i + ABS]! += gain * (Math.abs(error) - f32[i + ABS]!);
      f32[i + SQUARE]! += gain * (error * error - f32[i + SQUARE]!);
      f32[i + BIAS]! += gain * (error - f32[i + BIAS]!);
      f32[i + SIZE]! += gain * (Math.abs(y) - f32[i + SIZE]!);
      f32[i + NAIVE]! += gain * (Math.abs(seasonalNaive - y) - f32[i + NAIVE]!);
      f32[i + PINBALL]! += gain * (meanPinball(p, quantiles, from, y) - f32[i + PINBALL]!);
      f32[i + IN80]! += gain * (inside(quantiles, from + low80, from + high80, y) - f32[i + IN80]!);
      f32[i + IN95]! += gain * (inside(quantiles, from + low95, from + high95, y) - f32[i + IN95]!);
      f32[i + WIDTH80]! += gain * (quantiles[from + high80]! - quantiles[from + low80]! - f32[i + WIDTH80]!);
      const lean = Math.max(1 / n, TRACKING_GAIN);
      f32[i + LEAN]! += lean * (error - f32[i + LEAN]!);
      f32[i + LEAN_ABS]! += lean * (Math.abs(error) - f32[i + LEAN_ABS]!);
    },
    read(slab, at, band, naiveError) {
      const i = 2 * at + state + band * FIELDS;
      const field = (offset: number): number => slab.f32[i + offset]!;
      const n = field(N);
      const scored = n > 0 ? 1 : Number.NaN;
      const mae = scored * field(ABS);
      return {
        n,
        mae,
        rmse: scored * Math.sqrt(field(SQUARE)),
        bias: scored * field(BIAS),
        wape: ratio(mae, field(SIZE)),
        mase: ratio(mae, naiveError),
        skill: 1 - ratio(mae, field(NAIVE)),
        pinball: scored * field(PINBALL),
        coverage80: low80 >= 0 && high80 >= 0 ? scored * field(IN80) : Number.NaN,
        coverage95: low95 >= 0 && high95 >= 0 ? scored * field(IN95) : Number.NaN,
        width80: low80 >= 0 && high80 >= 0 ? scored * field(WIDTH80) : Number.NaN,
        trackingSignal: n > 0 && field(LEAN_ABS) === 0 ? 0 : ratio(field(LEAN), field(LEAN_ABS)),
      };
    },
  };
}

function find(probabilities: Float64Array, wanted: number): number {
  return probabilities.findIndex((p) => Math.abs(p - wanted) < 1e-9);
}

function ratio(numerator: number, denominator: number): number {
  return denominator > 0 ? numerator / denominator : Number.NaN;
}

function inside(quantiles: Float64Array, low: number, high: number, y: number): number {
  return y >= quantiles[low]! && y <= quantiles[high]! ? 1 : 0;
}

function meanPinball(p: Float64Array, quantiles: Float64Array, from: number, y: number): number {
  let sum = 0;
  for (let i = 0; i < p.length; i++) {
    const above = y - quantiles[from + i]!;
    sum += above * (above >= 0 ? p[i]! : p[i]! - 1);
  }
  return p.length > 0 ? sum / p.length : 0;
}
