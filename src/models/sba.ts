import { croston } from './croston.ts';
import type { Model, ModelSite } from './model.ts';

export type SbaSettings = { readonly alpha: number; readonly prior: number };

/**
 * Syntetos-Boylan approximation: `ŷ = (1 − α/2)·z / p`, Croston's forecast without its bias, which is about α/2.
 *
 * Online: its state is Croston's. Limits: Croston's others.
 * Source: Syntetos & Boylan (2005), The accuracy of intermittent demand estimates.
 */
export function sba(site: ModelSite, { alpha, prior }: SbaSettings): Model {
  const base = croston(site, { alpha, prior });
  const factor = 1 - alpha / 2;
  return {
    ...base,
    name: 'sba',
    forecast(slab, at, _ahead, steps, out, from) {
      out.fill(factor * base.rate(slab, at), from, from + steps.length);
    },
  };
}
