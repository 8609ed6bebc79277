import { slotValue, UNSEEN } from '../stats/slot-table.ts';
import type { Slab } from '../stats/slab.ts';
import type { Model, ModelSite } from './model.ts';

/** The table of latest values that other models look up. */
export type SeasonalNaive = Model & {
  /** The latest value of a calendar slot. */
  value(slab: Slab, at: number, slot: number): number;
  /** What the last bucket learned took the place of: the value a cycle before it, NaN when there was none. */
  replaced(slab: Slab, at: number): number;
};

/**
 * Seasonal naive: the last value seen in the same calendar slot, `ŷ(t+h) = y at the latest visit of slot(t+h)`.
 *
 * Online: one table entry is overwritten per bucket. It is the yardstick of MASE and skill. By slot and not by lag,
 * so a 23- or 25-hour day shifts nothing. Limits: repeats every accident once.
 * Source: Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., §5.2.
 */
export function seasonalNaive(site: ModelSite, prior: number): SeasonalNaive {
  const { cycle, layout } = site;
  const last = layout.take('seasonal-naive.last', 1);
  const before = layout.take('seasonal-naive.replaced', 1);
  const table = 2 * layout.takeSingles('seasonal-naive.table', cycle.season);
  return {
    name: 'seasonal-naive',
    family: 'naive',
    prior,
    init(slab, at) {
      slab.f64[at + last] = 0;
      slab.f64[at + before] = UNSEEN;
      slab.f32.fill(UNSEEN, 2 * at + table, 2 * at + table + cycle.season);
    },
    update(slab, at, slot, y) {
      slab.f64[at + last] = y;
      slab.f64[at + before] = slab.f32[2 * at + table + slot]!;
      slab.f32[2 * at + table + slot] = y;
    },
    forecast(slab, at, ahead, steps, out, from) {
      const base = 2 * at + table;
      const fallback = slab.f64[at + last]!;
      for (let i = 0; i < steps.length; i++) {
        out[from + i] = slotValue(slab, base, ahead[steps[i]! - 1]!, cycle, fallback);
      }
    },
    value: (slab, at, slot) => slotValue(slab, 2 * at + table, slot, cycle, slab.f64[at + last]!),
    replaced: (slab, at) => slab.f64[at + before]!,
  };
}
