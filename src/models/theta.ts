import type { Model, ModelSite } from './model.ts';
import { COUNT } from './model.ts';
import type { SeasonalMean } from './seasonal-mean.ts';

export type ThetaSettings = {
  readonly name: string;
  readonly alpha: number;
  /** What a bucket still counts in the trend after one more bucket. */
  readonly memory: number;
  readonly prior: number;
};

/** Below this overall mean there is no shape to divide by, and a reciprocal could overflow. */
const OVERALL_MIN = 1e-12;

/**
 * Theta, online: the mean of two lines through the deseasonalised series, one (θ = 2) carried on by simple
 * exponential smoothing, one (θ = 0) the straight trend; that is `ŷ(t+h) = (l + ½·b·h)·index(slot(t+h))`.
 * l is smoothed with gain `max(alpha, 1/n)`; b is the slope of a least-squares line through l with weights
 * `memoryᵏ` on the k-th last bucket. Seasonal indices are those of the seasonal mean, over its overall mean.
 *
 * Online: the weighted sums 1, t, t², l, t·l are kept with now as t = 0, so moving on by one bucket is five
 * multiplications. The level takes alpha·error (see Holt-Winters), less where that would answer an error by more than all of it. Where the overall mean is
 * not positive the indices are 1. Limits: the same shape on every level; a trend that turns shows after 1/(1−memory).
 * Source: Assimakopoulos & Nikolopoulos (2000), The theta model; Hyndman & Billah (2003), Unmasking the theta method.
 */
export function theta(site: ModelSite, profile: SeasonalMean, settings: ThetaSettings): Model {
  const { alpha, memory } = settings;
  const state = site.layout.take(`theta-${settings.name}(${alpha},${memory})`, 6);
  return {
    name: `theta-${settings.name}`,
    family: 'theta',
    prior: settings.prior,
    init(slab, at) {
      slab.f64.fill(0, at + state, at + state + 6);
    },
    update(slab, at, slot, y) {
      const { f64 } = slab;
      const i = at + state;
      const overall = profile.overallMean(slab, at);
      const index = overall > OVERALL_MIN ? Math.max(0, profile.slotMean(slab, at, slot) / overall) : 1;
      const gain = Math.max(alpha, 1 / (f64[at + COUNT]! + 1));
      const level = f64[i]! + (gain * index > 1 ? 1 / index : gain) * (y - f64[i]! * index);
      const s0 = f64[i + 1]!;
      const s1 = f64[i + 2]!;
      const sl = f64[i + 4]!;
      f64[i] = level;
      f64[i + 1] = memory * s0 + 1;
      f64[i + 2] = memory * (s1 - s0);
      f64[i + 3] = memory * (f64[i + 3]! - 2 * s1 + s0);
      f64[i + 4] = memory * sl + level;
      f64[i + 5] = memory * (f64[i + 5]! - sl);
    },
    forecast(slab, at, ahead, steps, out, from) {
      const { f64 } = slab;
      const i = at + state;
      const level = f64[i]!;
      const spread = f64[i + 1]! * f64[i + 3]! - f64[i + 2]! * f64[i + 2]!;
      const slope =
        f64[at + COUNT]! > 2 * site.cycle.shortSeason && spread > 0
          ? (f64[i + 1]! * f64[i + 5]! - f64[i + 2]! * f64[i + 4]!) / spread
          : 0;
      const overall = profile.overallMean(slab, at);
      const perMean = overall > OVERALL_MIN ? 1 / overall : 0;
      profile.forecast(slab, at, ahead, steps, out, from);
      for (let k = 0; k < steps.length; k++) {
        const index = perMean > 0 ? Math.max(0, out[from + k]! * perMean) : 1;
        out[from + k] = (level + 0.5 * slope * steps[k]!) * index;
      }
    },
  };
}
