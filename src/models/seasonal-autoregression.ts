import { createLeastSquares } from '../stats/least-squares.ts';
import type { Slab } from '../stats/slab.ts';
import type { Model, ModelSite } from './model.ts';
import { COUNT } from './model.ts';
import type { SeasonalNaive } from './seasonal-naive.ts';

export type SeasonalAutoregressionSettings = {
  /** gain of the smoothed difference l; 0 where there is none */
  readonly drift: number;
  /** what a bucket still counts in the coefficients after one more bucket */
  readonly memory: number;
  readonly prior: number;
};

/** Rows that say "nought" to every coefficient, so that two days of history do not make a model. */
const RIDGE = 1;
/** The size of a difference is a mean over some eight cycles. */
const SCALE_CYCLES = 8;
/** A forecast goes at most this many mean differences away from a day ago. */
const REACH = 8;
/** Where the parts of the state lie: d and w of the last two buckets, the smoothed difference, the size of one. */
const [LAST, LAST_BUT_ONE, WEEK, WEEK_BEFORE, LEVEL, SCALE, SINGLES] = [0, 1, 2, 3, 4, 5, 6] as const;

/**
 * Autoregression on seasonal differences, by recursive least squares: with m the short season, M the cycle,
 * d(t) = y(t) − y(t−m), w(t) = y(t−M) − y(t−m) and l the smoothed d,
 *
 *     ŷ(t) = y(t−m) + l + φ₁·(d(t−1) − l) + φ₂·(d(t−2) − l) + ψ₀·w(t) + ψ₁·w(t−1) + ψ₂·w(t−2)
 *
 * and so on from its own forecasts. An hour is yesterday's hour, moved by as much as the last hours were off
 * yesterday's (φ), and as much of last week's hour as helps (ψ = 1, −φ₁, −φ₂ is last week's, moved by the last
 * errors). Where m = M there is no w.
 *
 * Online: differences are divided by their own mean size, so no unit and no shift matters. What was a day and a week
 * ago stands in the seasonal naive's table, by slot, or in the forecast so far. Every step stays within eight mean
 * differences of a day before, so no coefficient makes it explode. Limits: it repeats the noise of single buckets, so
 * it is made for smooth series and poor on counts; before a whole cycle it says what was a day before.
 * Source: Box, Jenkins, Reinsel & Ljung, Time Series Analysis, 5th ed., ch. 9 (seasonal ARI).
 */
export function seasonalAutoregression(
  site: ModelSite,
  naive: SeasonalNaive,
  settings: SeasonalAutoregressionSettings,
): Model {
  const { cycle, layout } = site;
  const { season, shortSeason } = cycle;
  const { drift, memory } = settings;
  const nested = season > shortSeason;
  const terms = nested ? 5 : 2;
  const state = 2 * layout.takeSingles(`seasonal-autoregression(${drift})`, SINGLES);
  const regression = createLeastSquares(layout, {
    name: 'seasonal-autoregression',
    terms,
    memory,
    ridge: RIDGE,
  });
  const x = new Float64Array(terms);
  const path = new Float64Array(site.horizon);
  const dayBefore = Uint16Array.from({ length: season }, (_, slot) => (slot + season - shortSeason) % season);

  function regress(
    last: number,
    lastButOne: number,
    week: number,
    weekLast: number,
    weekBefore: number,
  ): void {
    x[0] = last;
    x[1] = lastButOne;
    if (!nested) return;
    x[2] = week;
    x[3] = weekLast;
    x[4] = weekBefore;
  }

  /** The value of `slot` about `lag` buckets before `path[place]`: from the path where that has been there, else learned. */
  function latest(
    slab: Slab,
    at: number,
    ahead: Int32Array,
    place: number,
    lag: number,
    slot: number,
  ): number {
    if (place < lag) return naive.value(slab, at, slot);
    if (ahead[place - lag] === slot) return path[place - lag]!;
    for (let i = place - 1; i >= 0; i--) if (ahead[i] === slot) return path[i]!;
    return naive.value(slab, at, slot);
  }

  return {
    name: 'seasonal-autoregression',
    family: 'autoregression',
    prior: settings.prior,
    init(slab, at) {
      slab.f32.fill(0, 2 * at + state, 2 * at + state + SINGLES);
      regression.init(slab, at);
    },
    update(slab, at, slot, y) {
      const { f32 } = slab;
      const n = slab.f64[at + COUNT]! - shortSeason;
      const weekAgo = naive.replaced(slab, at);
      const dayAgo = nested ? naive.value(slab, at, dayBefore[slot]!) : weekAgo;
      if (n < 0 || Number.isNaN(dayAgo)) return;
      const i = 2 * at + state;
      const difference = y - dayAgo;
      const week = Number.isNaN(weekAgo) ? 0 : weekAgo - dayAgo;
      const gain = Math.max(1 / (n + 1), 1 / (SCALE_CYCLES * season));
      f32[i + SCALE]! += gain * (Math.abs(difference) - f32[i + SCALE]!);
      const scale = f32[i + SCALE]!;
      const level = f32[i + LEVEL]!;
      if (scale > 0 && !Number.isNaN(weekAgo)) {
        regress(
          (f32[i + LAST]! - level) / scale,
          (f32[i + LAST_BUT_ONE]! - level) / scale,
          week / scale,
          f32[i + WEEK]! / scale,
          f32[i + WEEK_BEFORE]! / scale,
        );
        regression.learn(slab, at, x, (difference - level) / scale);
      }
      if (drift > 0) f32[i + LEVEL]! += Math.max(drift, 1 / (n + 1)) * (difference - level);
      f32[i + LAST_BUT_ONE] = f32[i + LAST]!;
      f32[i + LAST] = difference;
      f32[i + WEEK_BEFORE] = f32[i + WEEK]!;
      f32[i + WEEK] = week;
    },
    forecast(slab, at, ahead, steps, out, from) {
      const { f32 } = slab;
      const i = 2 * at + state;
      const level = f32[i + LEVEL]!;
      const reach = REACH * f32[i + SCALE]!;
      let last = f32[i + LAST]!;
      let lastButOne = f32[i + LAST_BUT_ONE]!;
      let weekLast = f32[i + WEEK]!;
      let weekBefore = f32[i + WEEK_BEFORE]!;
      for (let step = 1, k = 0; k < steps.length; step++) {
        const slot = ahead[step - 1]!;
        const dayAgo = latest(slab, at, ahead, step - 1, shortSeason, dayBefore[slot]!);
        const week = nested ? latest(slab, at, ahead, step - 1, season, slot) - dayAgo : 0;
        regress(last - level, lastButOne - level, week, weekLast, weekBefore);
        const difference = within(level + regression.predict(slab, at, x), reach);
        path[step - 1] = dayAgo + difference;
        if (steps[k] === step) out[from + k++] = path[step - 1]!;
        lastButOne = last;
        last = difference;
        weekBefore = weekLast;
        weekLast = week;
      }
    },
  };
}

function within(value: number, limit: number): number {
  return Math.min(limit, Math.max(-limit, value));
}
