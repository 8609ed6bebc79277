import { slotValue, UNSEEN } from '../stats/slot-table.ts';
import type { Model, ModelSite } from './model.ts';

/**
 * Seasonal naive: the last value seen in the same calendar slot, `ŷ(t+h) = y at the latest visit of slot(t+h)`.
 *
 * Online: one table entry is overwritten per bucket. It is the yardstick of MASE and skill. By slot and not by lag,
 * so a 23- or 25-hour day shifts nothing. Limits: repeats every accident once.
 * Source: Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., §5.2.
 */
export function seasonalNaive(site: ModelSite, prior: number): Model {
  const { cycle, layout } = site;
  const last = layout.take('seasonal-naive.last', 1);
  const table = 2 * layout.takeSingles('seasonal-naive.table', cycle.season);
  return {
    name: 'seasonal-naive',
    family: 'naive',
    prior,
    init(slab, at) {
      slab.f64[at + last] = 0;
      slab.f32.fill(UNSEEN, 2 * at + table, 2 * at + table + cycle.season);
    },
    update(slab, at, slot, y) {
      slab.f64[at + last] = y;
      slab.f32[2 * at + table + slot] = y;
    },
    forecast(slab, at, ahead, steps, out, from) {
      const base = 2 * at + table;
      const fallback = slab.f64[at + last]!;
      for (let i = 0; i < steps.length; i++) {
        out[from + i] = slotValue(slab, base, ahead[steps[i]! - 1]!, cycle, fallback);
      }
    },
  };
}
