import { normalQuantile } from '../stats/normal.ts';

const STEPS = 128;
/** Closer to p than this part of it the mass at zero leaves next to nothing below the quantile. */
const SHARE_MAX = 1 - 1 / STEPS;

/**
 * Φ⁻¹((p − P₀)/(1 − P₀)) − Φ⁻¹(p): how far the z of probability p lies lower among the buckets that are not empty, when
 * a part P₀ < p of all is. From a table in P₀/p, a row per probability; exact to 0.01 up to P₀ = 0.9·p, and held where
 * the two all but meet.
 */
export function createPositiveShift(probabilities: Float64Array): (index: number, mass: number) => number {
  const width = STEPS + 1;
  const table = new Float64Array(probabilities.length * width);
  for (const [i, p] of probabilities.entries()) {
    for (let s = 0; s < width; s++) {
      const mass = p * Math.min(SHARE_MAX, s / STEPS);
      table[i * width + s] = normalQuantile((p - mass) / (1 - mass)) - normalQuantile(p);
    }
  }
  return (index, mass) => {
    const place = (STEPS * mass) / probabilities[index]!;
    const step = Math.min(STEPS - 1, Math.floor(place));
    const left = table[index * width + step]!;
    const right = table[index * width + step + 1]!;
    return left + (place - step) * (right - left);
  };
}
