import type { Model, ModelSite } from './model.ts';

export type AdidaSettings = { readonly alpha: number; readonly prior: number };

/** Gain of the mean interval between demands, once it has seen ten of them. */
const INTERVAL_ALPHA = 0.1;
/** Where the parts of the state lie. */
const [LEVEL, BLOCKS, SUM, FILLED, INTERVAL, DEMANDS, WAITED, SINGLES] = [0, 1, 2, 3, 4, 5, 6, 7] as const;

/**
 * ADIDA: demand is added up in blocks as long as the mean interval between demands, so that few blocks are empty, and
 * the mean bucket of a block is smoothed exponentially: `l ← l + max(α, 1/k)·(block mean − l)` at the end of the k-th
 * block; `ŷ = l` at every step.
 *
 * Online: the block being filled is its sum and length; the interval is a mean over the last ten demands or so, so
 * blocks follow a product that sells more often or less. Until the first block ends, ŷ is the mean of what was seen.
 * Limits: no season; moves only at the end of a block.
 * Source: Nikolopoulos, Syntetos, Boylan, Petropoulos & Assimakopoulos (2011), An aggregate-disaggregate intermittent
 * demand approach (ADIDA) to forecasting.
 */
export function adida(site: ModelSite, settings: AdidaSettings): Model {
  const { alpha, prior } = settings;
  const state = 2 * site.layout.takeSingles(`adida(${alpha})`, SINGLES);
  return {
    name: 'adida',
    family: 'intermittent',
    prior,
    init(slab, at) {
      slab.f32.fill(0, 2 * at + state, 2 * at + state + SINGLES);
    },
    update(slab, at, _slot, y) {
      const { f32 } = slab;
      const i = 2 * at + state;
      f32[i + WAITED]! += 1;
      if (y !== 0) {
        f32[i + DEMANDS]! += 1;
        const gain = Math.max(INTERVAL_ALPHA, 1 / f32[i + DEMANDS]!);
        f32[i + INTERVAL]! += gain * (f32[i + WAITED]! - f32[i + INTERVAL]!);
        f32[i + WAITED] = 0;
      }
      f32[i + SUM]! += y;
      f32[i + FILLED]! += 1;
      if (f32[i + DEMANDS] === 0 || f32[i + FILLED]! < Math.round(f32[i + INTERVAL]!)) return;
      f32[i + BLOCKS]! += 1;
      const mean = f32[i + SUM]! / f32[i + FILLED]!;
      f32[i + LEVEL]! += Math.max(alpha, 1 / f32[i + BLOCKS]!) * (mean - f32[i + LEVEL]!);
      f32[i + SUM] = 0;
      f32[i + FILLED] = 0;
    },
    forecast(slab, at, _ahead, steps, out, from) {
      const { f32 } = slab;
      const i = 2 * at + state;
      const first = f32[i + BLOCKS] === 0 && f32[i + FILLED]! > 0;
      out.fill(first ? f32[i + SUM]! / f32[i + FILLED]! : f32[i + LEVEL]!, from, from + steps.length);
    },
  };
}
