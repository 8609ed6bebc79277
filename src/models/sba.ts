import type { Croston } from './croston.ts';
import type { Model } from './model.ts';

/**
 * Syntetos-Boylan approximation: `ŷ = (1 − α/2)·z / p`, Croston's forecast without its bias, which is about α/2.
 *
 * Online: it has no state of its own, it reads Croston's. Limits: Croston's others.
 * Source: Syntetos & Boylan (2005), The accuracy of intermittent demand estimates.
 */
export function sba(croston: Croston, settings: { readonly alpha: number; readonly prior: number }): Model {
  const factor = 1 - settings.alpha / 2;
  return {
    name: 'sba',
    family: 'intermittent',
    prior: settings.prior,
    init() {},
    update() {},
    forecast(slab, at, _ahead, steps, out, from) {
      out.fill(factor * croston.rate(slab, at), from, from + steps.length);
    },
  };
}
