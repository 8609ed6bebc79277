/** Forecast of one series over its horizon: means, and a row of quantiles per step. */
export type PathForecast = { readonly mean: Float64Array; readonly quantiles: Float64Array };

/** Adds a leaf's means to the running sum of an upper node, step by step. Begin with `sum.fill(0)`. */
export function addLeaf(sum: Float64Array, leafMean: Float64Array): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += leafMean[i]!;
}

/**
 * Moves an upper node's own forecast to the sum of its leaves: its means become `sum`, its quantiles move along by
 * the same amount and keep their distances, since the node's own errors tell how wide the sum's interval must be
 * (leaves' errors are not independent, so their intervals cannot be added). In place.
 *
 * A row that had no quantile below zero gets none (nor one below a negative sum): clamping keeps the order. Example:
 * mean 10, quantiles 4 … 20, sum 5 → mean 5, quantiles 0 … 15.
 * Source: Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., §11.2 (bottom-up).
 */
export function moveToSum(forecast: PathForecast, sum: Float64Array): void {
  const { mean, quantiles } = forecast;
  const count = quantiles.length / mean.length;
  for (let step = 0; step < mean.length; step++) {
    const shift = sum[step]! - mean[step]!;
    mean[step] = sum[step]!;
    const row = step * count;
    const lowest = quantiles[row]! < 0 ? Number.NEGATIVE_INFINITY : Math.min(0, sum[step]!);
    for (let i = row; i < row + count; i++) quantiles[i] = Math.max(lowest, quantiles[i]! + shift);
  }
}
