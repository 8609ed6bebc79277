/** Forecast of one series over its horizon: means, and a row of quantiles per step. */
export type PathForecast = { readonly mean: Float64Array; readonly quantiles: Float64Array };

/**
 * Moves a series' own forecast to the means that reconciliation gives it, a sum's to that of its leaves: the quantiles
 * move along by the same amount and keep their distances, since the node's own errors tell how wide its interval must
 * be (leaves' errors are not independent, so their intervals cannot be added). In place.
 *
 * A row that had no quantile below zero gets none (nor one below a negative mean): clamping keeps the order. And one
 * that was zero stays zero when the mean moves up: buckets without a sale are as likely as before, however small the
 * move. Examples: mean 10, quantiles 4 … 20, moved to 5 → mean 5, quantiles 0 … 15; mean 0.5, quantiles 0, 0, 2, moved
 * to 0.6 → 0, 0, 2.1.
 * Source: Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., §11.2 (bottom-up).
 */
export function moveTo({ mean, quantiles }: PathForecast, means: Float64Array): void {
  const count = quantiles.length / mean.length;
  for (let step = 0; step < mean.length; step++) {
    const shift = means[step]! - mean[step]!;
    mean[step] = means[step]!;
    if (shift === 0) continue;
    const row = step * count;
    const demand = quantiles[row]! >= 0;
    const lowest = !demand ? Number.NEGATIVE_INFINITY : Math.min(0, means[step]!);
    for (let i = row; i < row + count; i++) {
      const own = quantiles[i]!;
      if (own !== 0 || shift < 0 || !demand) quantiles[i] = Math.max(lowest, own + shift);
    }
  }
}
