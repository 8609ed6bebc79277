import { normalQuantile } from './normal.ts';

/** From this shape on the Wilson-Hilferty approximation is right to three digits and more. */
const LARGE_SHAPE = 30;
const NEWTON_STEPS_MAX = 20;
const TERMS_MAX = 500;
const PRECISION = 1e-9;
/** Below it all but a hair of the mass is at nothing: quantiles are taken in proportion from this shape. */
const SHAPE_MIN = 1e-3;

/**
 * Quantile of the gamma distribution of the given shape (> 0) and scale 1, for 0 < p < 1; its
 * probability is met within 1.2 % of the tail, and 0 where a double cannot be that small.
 * `gammaQuantile(0.5, 1)` → 0.693147. Starts from Wilson-Hilferty (or the power law of small shapes) and
 * follows Newton's method on the logarithm of x.
 * Source: Wilson & Hilferty (1931); Best & Roberts (1975), Algorithm AS 91; DiDonato & Morris (1986).
 */
export function gammaQuantile(p: number, shape: number): number {
  if (shape < SHAPE_MIN) return shape * (gammaQuantile(p, SHAPE_MIN) / SHAPE_MIN);
  const cube = wilsonHilferty(p, shape);
  if (shape >= LARGE_SHAPE) return cube;
  const logGammaNext = logGamma(shape + 1);
  const power = Math.exp((Math.log(p) + logGammaNext) / shape);
  let x = shape < 1 || cube <= 0.1 * shape ? Math.min(power, 1 + shape) : cube;
  if (x < Number.MIN_VALUE * 1e16) return power;
  for (let i = 0; i < NEWTON_STEPS_MAX; i++) {
    const density = Math.exp(shape * Math.log(x) - x - logGammaNext) * shape;
    const move = (gammaCdf(x, shape) - p) / density;
    x *= Math.exp(-Math.min(1, Math.max(-1, move)));
    if (Math.abs(move) < PRECISION) break;
  }
  return x;
}

/** Regularised lower incomplete gamma function P(shape, x) = Pr[X ≤ x]. Source: Numerical Recipes, 3rd ed., §6.2. */
export function gammaCdf(x: number, shape: number): number {
  if (x <= 0) return 0;
  const front = Math.exp(shape * Math.log(x) - x - logGamma(shape + 1));
  return x < shape + 1 ? front * lowerSeries(x, shape) : 1 - front * shape * upperFraction(x, shape);
}

/** Σ xⁿ / ((shape+1)…(shape+n)) */
function lowerSeries(x: number, shape: number): number {
  let term = 1;
  let sum = 1;
  for (let n = 1; n < TERMS_MAX && term > sum * 1e-16; n++) {
    term *= x / (shape + n);
    sum += term;
  }
  return sum;
}

/** Lentz's continued fraction of the upper function. */
function upperFraction(x: number, shape: number): number {
  let b = x + 1 - shape;
  let c = 1e300;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; n < TERMS_MAX; n++) {
    const a = -n * (n - shape);
    b += 2;
    d = 1 / (a * d + b);
    c = b + a / c;
    fraction *= c * d;
    if (Math.abs(c * d - 1) < 1e-16) break;
  }
  return fraction;
}

function wilsonHilferty(p: number, shape: number): number {
  const root = 1 - 1 / (9 * shape) + normalQuantile(p) / (3 * Math.sqrt(shape));
  return shape * Math.max(0, root) ** 3;
}

/** log Γ(x) for x > 0, by Lanczos' series with g = 7 and nine terms; relative error about 1e-15. */
export function logGamma(x: number): number {
  let sum = LANCZOS[0]!;
  for (let i = 1; i < LANCZOS.length; i++) sum += LANCZOS[i]! / (x - 1 + i);
  const t = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];
