import type { Slab } from '../stats/slab.ts';
import { UNSEEN } from '../stats/slot-table.ts';
import type { Model, ModelSite } from './model.ts';
import { COUNT } from './model.ts';

/** Smoothing of one Holt-Winters: gains of level, trend and the two seasonals, and the trend's damping. */
export type HoltWintersSettings = {
  readonly name: string;
  readonly seasonal: 'additive' | 'multiplicative';
  readonly alpha: number;
  readonly beta: number;
  /** gain of the place in the short season (hour of the day, or day of the week) */
  readonly gamma: number;
  /** gain of the short season's place in the cycle (day of the week), where there is one */
  readonly delta: number;
  readonly phi: number;
  readonly prior: number;
};

/** No multiplicative level gain may answer an error by more than this part of it. */
const RESPONSE_MAX = 0.9;
/** A multiplicative seasonal learns from an error of at most this many levels. */
const ERROR_LEVELS_MAX = 8;
const INDEX_MAX = 50;

/**
 * Damped Holt-Winters with two seasonals, in error-correction form. With s = place in the short season and w = day
 * within the cycle (absent for daily series), e = y − ŷ:
 *
 *     additive        ŷ(t+h) = l + φₕ·b + s + w        s ← s + γ·e       w ← w + δ·e
 *     multiplicative  ŷ(t+h) = (l + φₕ·b)·s·w          s ← s + γ·e/l′    w ← w + δ·e/l′
 *     both            l ← l′ + α·e, with l′ = l + φ·b;  b ← φ·b + β·e;  φₕ = φ + φ² + … + φʰ
 *
 * The additive form is ETS(A,Ad,A) to the letter (the classical γ* and β* are γ = γ*·(1−α), β = α·β*). The
 * multiplicative level takes α·e and not α·e/s: the natural-gradient step of a Poisson likelihood, which a night
 * hour with an index of 0.01 cannot blow up; α is lowered to 0.9/(s·w) where an index is huge.
 *
 * Online: no fitting; several settings run side by side and the combination chooses. The first short season is
 * kept raw and becomes the first level and seasonals; after it seasonal gains fall from ½ as 1/(visits + 1) down to
 * γ and δ. Hour-of-day × day-of-week takes 24 + 7 numbers where a table of the week takes 168, and learns every hour
 * from every day. Limits: days whose hours are shaped differently; the seasonal mean covers those.
 * Source: Hyndman, Koehler, Ord & Snyder, Forecasting with Exponential Smoothing (2008), ch. 3; Taylor (2003),
 * Short-term electricity demand forecasting using double seasonal exponential smoothing.
 */
export function holtWinters(site: ModelSite, settings: HoltWintersSettings): Model {
  const { cycle, layout } = site;
  const { alpha, beta, gamma, delta, phi } = settings;
  const multiplicative = settings.seasonal === 'multiplicative';
  const { season, shortSeason } = cycle;
  const days = season / shortSeason;
  const neutral = multiplicative ? 1 : 0;
  const id = `holt-winters-${settings.name}(${alpha},${beta},${gamma},${delta},${phi})`;
  const level = layout.take(`${id}.level`, 1);
  const trend = layout.take('trend', 1);
  const table = 2 * layout.takeSingles('seasonals', shortSeason + days);
  const damping = dampingSums(phi, site.horizon);
  const place = Uint16Array.from({ length: season }, (_, slot) => slot % shortSeason);
  const day = Uint16Array.from({ length: season }, (_, slot) => Math.floor(slot / shortSeason));

  function begin(slab: Slab, at: number, slot: number, y: number): void {
    const { f64, f32 } = slab;
    const n = f64[at + COUNT]!;
    const base = 2 * at + table;
    f32[base + place[slot]!] = y;
    f64[at + level]! += (y - f64[at + level]!) / (n + 1);
    if (n + 1 < shortSeason) return;
    const mean = f64[at + level]!;
    for (let i = base; i < base + shortSeason; i++) {
      const raw = f32[i]!;
      f32[i] = raw === raw ? firstIndex(raw, mean) : neutral;
    }
  }

  function firstIndex(raw: number, mean: number): number {
    if (!multiplicative) return raw - mean;
    return mean > 0 ? Math.min(INDEX_MAX, Math.max(0, raw / mean)) : 1;
  }

  function updateAdditive(slab: Slab, at: number, slot: number, y: number): void {
    const { f64, f32 } = slab;
    const n = f64[at + COUNT]!;
    const s = 2 * at + table + place[slot]!;
    const w = 2 * at + table + shortSeason + day[slot]!;
    const carried = phi * f64[at + trend]!;
    const expected = f64[at + level]! + carried;
    const error = y - expected - f32[s]! - f32[w]!;
    f64[at + level] = expected + alpha * error;
    f64[at + trend] = carried + beta * error;
    f32[s]! += Math.max(gamma, 1 / (Math.floor(n / shortSeason) + 1)) * error;
    if (days > 1) f32[w]! += Math.max(delta, 1 / (shortSeason * (Math.floor(n / season) + 1))) * error;
  }

  function updateMultiplicative(slab: Slab, at: number, slot: number, y: number): void {
    const { f64, f32 } = slab;
    const n = f64[at + COUNT]!;
    const s = 2 * at + table + place[slot]!;
    const w = 2 * at + table + shortSeason + day[slot]!;
    const carried = phi * f64[at + trend]!;
    const expected = Math.max(0, f64[at + level]! + carried);
    const index = f32[s]! * f32[w]!;
    const error = y - expected * index;
    const gain = alpha * index > RESPONSE_MAX ? RESPONSE_MAX / index : alpha;
    f64[at + level] = Math.max(0, expected + gain * error);
    f64[at + trend] = carried + beta * error;
    const unit = Math.max(expected, Math.abs(error) / ERROR_LEVELS_MAX);
    if (unit === 0) return;
    const relative = error / unit;
    f32[s] = bounded(f32[s]! + Math.max(gamma, 1 / (Math.floor(n / shortSeason) + 1)) * relative);
    if (days > 1) {
      f32[w] = bounded(
        f32[w]! + Math.max(delta, 1 / (shortSeason * (Math.floor(n / season) + 1))) * relative,
      );
    }
  }

  return {
    name: `holt-winters-${settings.name}`,
    family: `${settings.seasonal} Holt-Winters`,
    prior: settings.prior,
    init(slab, at) {
      slab.f64[at + level] = 0;
      slab.f64[at + trend] = 0;
      const base = 2 * at + table;
      slab.f32.fill(UNSEEN, base, base + shortSeason);
      slab.f32.fill(neutral, base + shortSeason, base + shortSeason + days);
    },
    update(slab, at, slot, y) {
      if (slab.f64[at + COUNT]! < shortSeason) begin(slab, at, slot, y);
      else if (multiplicative) updateMultiplicative(slab, at, slot, y);
      else updateAdditive(slab, at, slot, y);
    },
    forecast(slab, at, ahead, steps, out, from) {
      const { f64, f32 } = slab;
      const l = f64[at + level]!;
      const b = f64[at + trend]!;
      const base = 2 * at + table;
      const started = f64[at + COUNT]! >= shortSeason;
      for (let i = 0; i < steps.length; i++) {
        const step = steps[i]!;
        const slot = ahead[step - 1]!;
        const trended = l + damping[step]! * b;
        const s = f32[base + place[slot]!]!;
        const w = f32[base + shortSeason + day[slot]!]!;
        out[from + i] = !started ? l : multiplicative ? Math.max(0, trended) * s * w : trended + s + w;
      }
    },
  };
}

function bounded(index: number): number {
  return Math.min(INDEX_MAX, Math.max(0, index));
}

/** φ + φ² + … + φʰ by step h. */
function dampingSums(phi: number, horizon: number): Float64Array {
  const sums = new Float64Array(horizon + 1);
  let power = 1;
  for (let h = 1; h <= horizon; h++) {
    power *= phi;
    sums[h] = sums[h - 1]! + power;
  }
  return sums;
}
