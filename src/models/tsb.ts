import type { Model, ModelSite } from './model.ts';
import { COUNT } from './model.ts';

export type TsbSettings = { readonly alpha: number; readonly beta: number; readonly prior: number };

/**
 * Teunter-Syntetos-Babai: size z of a demand and probability d that a bucket has one:
 * `d ← d + β·(1[y ≠ 0] − d)` in every bucket, `z ← z + α·(y − z)` on a demand; `ŷ = d·z` at every step.
 *
 * Online by nature: two numbers. d moves in empty buckets too, so a product that stopped selling is forgotten.
 * Gain of d is `max(β, 1/n)`: the plain share at first. Limits: no season.
 * Source: Teunter, Syntetos & Babai (2011), Intermittent demand: linking forecasting to inventory obsolescence.
 */
export function tsb(site: ModelSite, settings: TsbSettings): Model {
  const { alpha, beta, prior } = settings;
  const state = site.layout.take(`tsb(${alpha},${beta})`, 2);
  return {
    name: 'tsb',
    family: 'intermittent',
    prior,
    init(slab, at) {
      slab.f64.fill(0, at + state, at + state + 2);
    },
    update(slab, at, _slot, y) {
      const { f64 } = slab;
      const i = at + state;
      const size = f64[i]!;
      const demand = y === 0 ? 0 : 1;
      if (demand === 1) f64[i] = size === 0 ? y : size + alpha * (y - size);
      f64[i + 1]! += Math.max(beta, 1 / (f64[at + COUNT]! + 1)) * (demand - f64[i + 1]!);
    },
    forecast(slab, at, _ahead, steps, out, from) {
      out.fill(slab.f64[at + state]! * slab.f64[at + state + 1]!, from, from + steps.length);
    },
  };
}
