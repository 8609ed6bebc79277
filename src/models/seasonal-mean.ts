import { slotValue, UNSEEN } from '../stats/slot-table.ts';
import type { Slab } from '../stats/slab.ts';
import type { Model, ModelSite } from './model.ts';
import { COUNT } from './model.ts';

/** The profile that other models deseasonalise with. */
export type SeasonalMean = Model & {
  slotMean(slab: Slab, at: number, slot: number): number;
  /** Mean over the whole cycle, of the same memory as the slots. */
  overallMean(slab: Slab, at: number): number;
};

/**
 * Exponentially weighted mean by calendar slot: `m[s] ← m[s] + g·(y − m[s])`, `ŷ(t+h) = m[slot(t+h)]`, with gain
 * `g = max(alpha, 1/v)` on the v-th visit: a plain mean at first, so that it leans on no start value, then a
 * moving one.
 *
 * Online: one entry per bucket; the overall mean moves with gain `max(alpha / season, 1/n)`, the same memory.
 * Limits: follows a shift of level only after 1/alpha visits of each slot.
 * Source: Brown, Smoothing, Forecasting and Prediction (1963), applied per slot.
 */
export function seasonalMean(
  site: ModelSite,
  settings: { readonly alpha: number; readonly prior: number },
): SeasonalMean {
  const { cycle, layout } = site;
  const { alpha, prior } = settings;
  const overall = layout.take(`seasonal-mean(${alpha}).overall`, 1);
  const table = 2 * layout.takeSingles('seasonal-mean.table', cycle.season);
  return {
    name: 'seasonal-mean',
    family: 'seasonal mean',
    prior,
    init(slab, at) {
      slab.f64[at + overall] = 0;
      slab.f32.fill(UNSEEN, 2 * at + table, 2 * at + table + cycle.season);
    },
    update(slab, at, slot, y) {
      const n = slab.f64[at + COUNT]!;
      const i = 2 * at + table + slot;
      const mean = slab.f32[i]!;
      const gain = Math.max(alpha, 1 / (Math.floor(n / cycle.season) + 1));
      slab.f32[i] = mean === mean ? mean + gain * (y - mean) : y;
      slab.f64[at + overall]! += Math.max(alpha / cycle.season, 1 / (n + 1)) * (y - slab.f64[at + overall]!);
    },
    forecast(slab, at, ahead, steps, out, from) {
      const base = 2 * at + table;
      const fallback = slab.f64[at + overall]!;
      for (let i = 0; i < steps.length; i++) {
        out[from + i] = slotValue(slab, base, ahead[steps[i]! - 1]!, cycle, fallback);
      }
    },
    slotMean: (slab, at, slot) => slotValue(slab, 2 * at + table, slot, cycle, slab.f64[at + overall]!),
    overallMean: (slab, at) => slab.f64[at + overall]!,
  };
}
