/** Least-trace (or top-down) means of the bottom nodes of a table, for one measure. */
import type { Hierarchy } from '../hierarchy/nodes.ts';
import type { ReconciliationMethod } from '../hierarchy/reconcile.ts';
import { createReconciler } from '../hierarchy/reconcile.ts';
import type { ForecastBuffer } from '../models/engine.ts';
import { createForecastBuffer } from '../models/engine.ts';
import type { SeriesTable } from './series-table.ts';

export type LeafMeans = {
  /** Writes the means of leaf `i` of the hierarchy, a step each. */
  read(i: number, out: Float64Array): void;
};

/** Rows of the horizon: leaf by leaf at one step lie side by side, as the reconciler wants them. */
type Rows = { readonly mean: Float64Array; readonly variance: Float64Array; readonly length: number };

/** `forecast` writes a node's own forecast and returns the place of its record, or −1 when it has none. */
export function* reconcileLeaves(
  { engine, records }: SeriesTable,
  { groups, leafNodes, sumNodes }: Hierarchy,
  method: ReconciliationMethod,
  forecast: (node: number, buffer: ForecastBuffer) => number,
): Generator<void, LeafMeans> {
  const { horizon } = engine.spec;
  const buffer = createForecastBuffer(engine.spec);

  function* readAll(nodes: readonly number[]): Generator<void, Rows> {
    const length = nodes.length;
    const mean = new Float64Array(length * horizon);
    const variance = new Float64Array(length * horizon).fill(Number.POSITIVE_INFINITY);
    for (const [i, node] of nodes.entries()) {
      const place = forecast(node, buffer);
      if (place === -1) continue;
      for (let h = 0; h < horizon; h += 1) {
        mean[h * length + i] = buffer.mean[h] as number;
        variance[h * length + i] = engine.variance(records.slab, place, h + 1, buffer.mean[h] as number);
      }
      yield;
    }
    return { mean, variance, length };
  }

  const leaves = yield* readAll(leafNodes);
  const sums = yield* readAll(sumNodes);
  const reconciler = createReconciler(groups, method);
  for (let h = 0; h < horizon; h += 1) {
    const row = (rows: Rows, values: Float64Array): Float64Array =>
      values.subarray(h * rows.length, (h + 1) * rows.length);
    reconciler.reconcile({
      leafMean: row(leaves, leaves.mean),
      leafVariance: row(leaves, leaves.variance),
      sumMean: row(sums, sums.mean),
      sumVariance: row(sums, sums.variance),
    });
    yield;
  }
  return {
    read(i, out) {
      for (let h = 0; h < horizon; h += 1) out[h] = leaves.mean[h * leaves.length + i] as number;
    },
  };
}
