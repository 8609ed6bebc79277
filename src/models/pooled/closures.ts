/**
 * Which values of a covariate known ahead mean that nothing is sold: `open = 0`, `closed = 1`. A covariate that has
 * been 0 or 1 only is a switch; a value of it closes when buckets with it have sold less than `SOLD_MAX` of their
 * series' usual size on average, over at least `SEEN_MIN` buckets, while its other value sells.
 *
 * Closed buckets are forecast as exactly zero, teach no regression and do not move a level: the shop was shut, demand
 * was not gone. Counts fade with the pooled expert's own memory. Limits: an average over all series, so a switch
 * that closes only some of them closes none; the first `SEEN_MIN` closed buckets are taken as sales.
 */
export type Closures = {
  /** Whether covariates `known[from…]` say that the bucket is closed. */
  closed(known: Float64Array, from: number): boolean;
  /** Learns that a series of usual size `size` (> 0) sold `y` under `known[from…]`. */
  learn(y: number, size: number, known: Float64Array, from: number): void;
  forget(memory: number): void;
};

const SEEN_MIN = 20;
const SOLD_MAX = 0.01;
/** What the other value sells at least, so that a panel of zeros closes nothing. */
const OPEN_MIN = 0.1;
/** One bucket counts as no more than this many times the usual size. */
const RATIO_MAX = 4;

export function createClosures(covariates: number): Closures {
  const isSwitch = new Uint8Array(covariates).fill(1);
  // Per covariate the value 0, then the value 1.
  const seen = new Float64Array(2 * covariates);
  const sold = new Float64Array(2 * covariates);
  const shuts = (c: number, value: number): boolean => {
    const here = 2 * c + value;
    const other = 2 * c + 1 - value;
    return (
      seen[here]! >= SEEN_MIN &&
      sold[here]! < SOLD_MAX * seen[here]! &&
      sold[other]! > OPEN_MIN * seen[other]!
    );
  };
  return {
    closed(known, from) {
      for (let c = 0; c < covariates; c++) {
        const value = known[from + c]!;
        if (isSwitch[c] === 1 && (value === 0 || value === 1) && shuts(c, value)) return true;
      }
      return false;
    },
    learn(y, size, known, from) {
      const ratio = Math.min(RATIO_MAX, Math.abs(y) / size);
      for (let c = 0; c < covariates; c++) {
        const value = known[from + c]!;
        if (value === 0 || value === 1) {
          seen[2 * c + value]! += 1;
          sold[2 * c + value]! += ratio;
        } else if (!Number.isNaN(value)) isSwitch[c] = 0;
      }
    },
    forget(memory) {
      for (let i = 0; i < seen.length; i++) {
        seen[i]! *= memory;
        sold[i]! *= memory;
      }
    },
  };
}
