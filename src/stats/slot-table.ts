import type { Slab } from './slab.ts';

/** The calendar cycle of a granularity: `season` slots made of whole short seasons (168 = 7 × 24, or 7 = 1 × 7). */
export type Cycle = { readonly season: number; readonly shortSeason: number };

/** A slot of a table that was never visited. */
export const UNSEEN = Number.NaN;

/**
 * Value of a calendar slot in a packed table that begins at single `base`. A slot not seen yet borrows from the
 * nearest seen slot before it at the same place of the short season (yesterday's same hour), so that an hourly
 * series has a shape after one day and not only after one week; failing that `otherwise`.
 */
export function slotValue(slab: Slab, base: number, slot: number, cycle: Cycle, otherwise: number): number {
  const value = slab.f32[base + slot]!;
  return value === value ? value : borrowed(slab.f32, base, slot, cycle, otherwise);
}

function borrowed(f32: Float32Array, base: number, slot: number, cycle: Cycle, otherwise: number): number {
  for (let back = cycle.shortSeason; back < cycle.season; back += cycle.shortSeason) {
    const value = f32[base + ((slot - back + cycle.season) % cycle.season)]!;
    if (value === value) return value;
  }
  return otherwise;
}
