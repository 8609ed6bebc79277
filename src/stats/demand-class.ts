import type { Layout } from './layout.ts';
import type { Slab } from './slab.ts';

export type DemandClass = 'smooth' | 'erratic' | 'intermittent' | 'lumpy';

/** Mean buckets from demand to demand from which a series counts as intermittent. */
const INTERVAL_CUT = 1.32;
/** Squared coefficient of variation of the sizes of demands from which they count as erratic. */
const VARIATION_CUT = 0.49;
/** Everything is a mean over some 26 cycles… */
const MEMORY_CYCLES = 26;
/** …and no fewer buckets than this. */
const MEMORY_MIN = 104;
/** Where the parts of the state lie: share of buckets with demand, demands, mean of their sizes, and of the squares. */
const [SHARE, DEMANDS, SIZE, SQUARE, SINGLES] = [0, 1, 2, 3, 4] as const;

/**
 * How a series is demanded, by the mean interval between demands (ADI) and the squared coefficient of variation of
 * their sizes (CV²):
 *
 *     smooth        ADI < 1.32   CV² < 0.49        erratic   ADI < 1.32   CV² ≥ 0.49
 *     intermittent  ADI ≥ 1.32   CV² < 0.49        lumpy     ADI ≥ 1.32   CV² ≥ 0.49
 *
 * Online: exponentially weighted means of four numbers, plain means at first. A demand is a bucket that is not zero,
 * its size is without sign. Limits: a shop that is shut at night is intermittent by the hour; before the first demand
 * a series counts as intermittent.
 * Source: Syntetos, Boylan & Croston (2005), On the categorization of demand patterns.
 */
export type DemandClassifier = {
  init(slab: Slab, at: number): void;
  /** Learns bucket `y`, before which `n` were learned. */
  update(slab: Slab, at: number, n: number, y: number): void;
  classify(slab: Slab, at: number): DemandClass;
};

export function createDemandClassifier(layout: Layout, season: number): DemandClassifier {
  const state = 2 * layout.takeSingles('demand-class', SINGLES);
  const gainMin = 1 / Math.max(MEMORY_MIN, MEMORY_CYCLES * season);
  return {
    init(slab, at) {
      slab.f32.fill(0, 2 * at + state, 2 * at + state + SINGLES);
    },
    update(slab, at, n, y) {
      const { f32 } = slab;
      const i = 2 * at + state;
      f32[i + SHARE]! += Math.max(gainMin, 1 / (n + 1)) * ((y === 0 ? 0 : 1) - f32[i + SHARE]!);
      if (y === 0) return;
      const size = Math.abs(y);
      f32[i + DEMANDS]! += 1;
      const gain = Math.max(gainMin, 1 / f32[i + DEMANDS]!);
      f32[i + SIZE]! += gain * (size - f32[i + SIZE]!);
      f32[i + SQUARE]! += gain * (size * size - f32[i + SQUARE]!);
    },
    classify(slab, at) {
      const { f32 } = slab;
      const i = 2 * at + state;
      const size = f32[i + SIZE]!;
      const erratic = f32[i + SQUARE]! >= (1 + VARIATION_CUT) * size * size && size > 0;
      if (f32[i + SHARE]! * INTERVAL_CUT > 1) return erratic ? 'erratic' : 'smooth';
      return erratic ? 'lumpy' : 'intermittent';
    },
  };
}
