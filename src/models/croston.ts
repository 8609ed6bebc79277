import type { Slab } from '../stats/slab.ts';
import type { Model, ModelSite } from './model.ts';

/** Croston's forecast, for the model that corrects it. */
export type Croston = Model & { rate(slab: Slab, at: number): number };

/**
 * Croston: size z of a demand and interval p between demands, each smoothed when a demand comes:
 * `z ← z + α·(y − z)`, `p ← p + α·(q − p)` with q buckets since the last demand; `ŷ = z / p` at every step.
 *
 * Online by nature: three numbers, two of them moving only on a demand. The first demand sets both. Limits: no
 * season; biased upwards (SBA corrects it); never forgets a product that stopped selling (TSB does).
 * Source: Croston (1972), Forecasting and stock control for intermittent demands.
 */
export function croston(
  site: ModelSite,
  settings: { readonly alpha: number; readonly prior: number },
): Croston {
  const { alpha, prior } = settings;
  const state = site.layout.take(`croston(${alpha})`, 3);
  const rate = (slab: Slab, at: number): number => {
    const interval = slab.f64[at + state + 1]!;
    return interval > 0 ? slab.f64[at + state]! / interval : 0;
  };
  return {
    name: 'croston',
    family: 'intermittent',
    prior,
    init(slab, at) {
      slab.f64.fill(0, at + state, at + state + 3);
    },
    update(slab, at, _slot, y) {
      const { f64 } = slab;
      const i = at + state;
      const waited = f64[i + 2]! + 1;
      if (y === 0) {
        f64[i + 2] = waited;
        return;
      }
      const gain = f64[i + 1] === 0 ? 1 : alpha;
      f64[i]! += gain * (y - f64[i]!);
      f64[i + 1]! += gain * (waited - f64[i + 1]!);
      f64[i + 2] = 0;
    },
    forecast(slab, at, _ahead, steps, out, from) {
      out.fill(rate(slab, at), from, from + steps.length);
    },
    rate,
  };
}
