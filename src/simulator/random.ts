/**
 * Seeded randomness: a stream is named by its seed and what it is for, so that any part of the simulation can be made
 * again without the parts before it.
 *
 * Generator: sfc32 (Chris Doty-Humphrey, PractRand), seeded with a 128-bit hash of the names.
 */
export type Random = {
  /** In [0, 1). */
  uniform(): number;
  /** Mean 0, spread 1 (Box and Muller 1958). */
  normal(): number;
  /** Whole number with this mean (Knuth, TAOCP 2, 3.4.1; in parts above 30, where its product would vanish). */
  poisson(mean: number): number;
};

/** The same names give the same numbers. */
export function createRandom(...names: readonly (string | number)[]): Random {
  let [a, b, c, d] = hash128(names.join('\u0000'));
  const uniform = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    return (t >>> 0) / 4_294_967_296;
  };
  for (let warmup = 0; warmup < 12; warmup += 1) uniform();
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    poisson: (mean) => poisson(uniform, mean),
  };
}

/** Position of the first cumulative weight above `u` times the last: binary search. */
export function pick(cumulative: Float64Array, u: number): number {
  const wanted = u * (cumulative[cumulative.length - 1] as number);
  let low = 0;
  let high = cumulative.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cumulative[middle] as number) > wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function cumulate(weights: readonly number[]): Float64Array {
  let sum = 0;
  return Float64Array.from(weights, (weight) => (sum += weight));
}

function poisson(uniform: () => number, mean: number): number {
  let count = 0;
  let left = mean;
  while (left > 0) {
    const part = Math.min(left, 30);
    left -= part;
    const limit = Math.exp(-part);
    for (let product = uniform(); product > limit; product *= uniform()) count += 1;
  }
  return count;
}

/** cyrb128 (bryc, public domain). */
function hash128(text: string): [number, number, number, number] {
  let [h1, h2, h3, h4] = [1_779_033_703, 3_144_134_277, 1_013_904_242, 2_773_480_762];
  for (let at = 0; at < text.length; at += 1) {
    const k = text.charCodeAt(at);
    h1 = h2 ^ Math.imul(h1 ^ k, 597_399_067);
    h2 = h3 ^ Math.imul(h2 ^ k, 2_869_860_233);
    h3 = h4 ^ Math.imul(h3 ^ k, 951_274_213);
    h4 = h1 ^ Math.imul(h4 ^ k, 2_716_044_179);
  }
  h1 = Math.imul(h3 ^ (h1 >>> 18), 597_399_067);
  h2 = Math.imul(h4 ^ (h2 >>> 22), 2_869_860_233);
  h3 = Math.imul(h1 ^ (h3 >>> 17), 951_274_213);
  h4 = Math.imul(h2 ^ (h4 >>> 19), 2_716_044_179);
  h1 ^= h2 ^ h3 ^ h4;
  return [h1, h2 ^ h1, h3 ^ h1, h4 ^ h1];
}
