import { UNSEEN } from '../stats/slot-table.ts';
import type { Model, ModelSite } from './model.ts';
import { COUNT } from './model.ts';
import type { SeasonalNaive } from './seasonal-naive.ts';

export type TwoSeasonsSettings = {
  /** gain of the smoothed differences */
  readonly alpha: number;
  readonly prior: number;
};

/** What the season before the last one counts: half as much as the last. */
const OLDER = 1 / 3;
/** Differences from the season before the last one that make it worth a word. */
const DIFFERENCES_MIN = 4;

/**
 * The last two seasons, each moved to today's level: `ŷ(t+h) = ⅔·(y(t+h−m) + l₁) + ⅓·(y(t+h−2m) + l₂)`, where l₁ and
 * l₂ are y(t) − y(t−m) and y(t) − y(t−2m), smoothed with gain `max(alpha, 1/n)`; l₁ once more for every further season ahead.
 *
 * For long seasons of which only two or three have been seen, weeks of a year above all: a seasonal index would have
 * to be told from the level by very few visits, while a past season as it was, moved as a whole, keeps its shape.
 * Online: the seasonal naive's table, and a second one that takes what the first one drops. Limits: a season older
 * than two counts no more; the seasonal naive until a season has passed.
 * Source: the seasonal naive with drift of Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed.,
 * §5.2, its drift smoothed exponentially.
 */
export function twoSeasons(site: ModelSite, naive: SeasonalNaive, settings: TwoSeasonsSettings): Model {
  const { cycle, layout } = site;
  const { season } = cycle;
  const { alpha, prior } = settings;
  const moves = layout.take(`two-seasons(${alpha})`, 2);
  const table = 2 * layout.takeSingles('two-seasons.table', season);
  return {
    name: 'two-seasons',
    family: 'naive',
    prior,
    init(slab, at) {
      slab.f64.fill(0, at + moves, at + moves + 2);
      slab.f32.fill(UNSEEN, 2 * at + table, 2 * at + table + season);
    },
    update(slab, at, slot, y) {
      const { f64, f32 } = slab;
      const last = naive.replaced(slab, at);
      if (Number.isNaN(last)) return;
      const n = Math.max(0, f64[at + COUNT]! - season);
      const i = 2 * at + table + slot;
      const older = f32[i]!;
      f64[at + moves]! += Math.max(alpha, 1 / (n + 1)) * (y - last - f64[at + moves]!);
      if (!Number.isNaN(older)) {
        const gain = Math.max(alpha, 1 / (Math.max(0, n - season) + 1));
        f64[at + moves + 1]! += gain * (y - older - f64[at + moves + 1]!);
      }
      f32[i] = last;
    },
    forecast(slab, at, ahead, steps, out, from) {
      const { f64, f32 } = slab;
      const enough = f64[at + COUNT]! >= 2 * season + DIFFERENCES_MIN;
      for (let k = 0; k < steps.length; k++) {
        const slot = ahead[steps[k]! - 1]!;
        const further = Math.floor((steps[k]! - 1) / season) * f64[at + moves]!;
        const last = naive.value(slab, at, slot) + f64[at + moves]! + further;
        const older = f32[2 * at + table + slot]! + f64[at + moves + 1]! + further;
        out[from + k] = enough && !Number.isNaN(older) ? last + OLDER * (older - last) : last;
      }
    },
  };
}
