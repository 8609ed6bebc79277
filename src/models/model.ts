import type { Cycle } from '../stats/slot-table.ts';
import type { Layout } from '../stats/layout.ts';
import type { Slab } from '../stats/slab.ts';

/**
 * An online model: plain state in the words it took from the record's layout, and three functions. A model is
 * built once for all series; `at` says whose record is meant. Word 0 of every record is the number of buckets
 * learned so far. No function allocates, keeps anything between calls, or reads outside the record.
 */
export type Model = {
  readonly name: string;
  readonly family: string;
  /** Standing before anything was scored, relative to the other models (> 0). */
  readonly prior: number;
  init(slab: Slab, at: number): void;
  /** Learns the bucket `y` that lies in calendar slot `slot`; the record's count is still that before it. */
  update(slab: Slab, at: number, slot: number, y: number): void;
  /** Writes the forecasts of `steps` (1 = next bucket) to `out[from…]`; `ahead[h − 1]` is the slot of step h. */
  forecast(
    slab: Slab,
    at: number,
    ahead: Int32Array,
    steps: Int32Array,
    out: Float64Array,
    from: number,
  ): void;
};

/** What a model is built from: the calendar cycle, the longest horizon and the layout to take its words from. */
export type ModelSite = { readonly cycle: Cycle; readonly horizon: number; readonly layout: Layout };

/** Offset of the count of buckets learned, in every record. */
export const COUNT = 0;
