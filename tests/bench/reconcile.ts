import type { Groups } from '../../src/hierarchy/groups.ts';
import { addUp, sumCount } from '../../src/hierarchy/groups.ts';
import type { ReconciliationMethod, StepForecasts } from '../../src/hierarchy/reconcile.ts';
import { createReconciler } from '../../src/hierarchy/reconcile.ts';
import { createRandom } from '../../src/simulator/random.ts';

const STEPS = 48;
/** Rounds of which the best counts: the machine may be shared. */
const ROUNDS = 5;

type Chain = { readonly stores: number; readonly categories: number; readonly share: number };

/** Both have 50,000 leaves: 100,000 series with both measures. */
const CROSSED: Chain = { stores: 500, categories: 100, share: 1 };
const SPARSE: Chain = { stores: 1_250, categories: 200, share: 0.2 };

/**
 * Seconds to reconcile 100,000 bottom series over 48 steps on one core: the chain, stores and categories above
 * them, weights anew at every step. Without the forecasts, which are made anyway and made twice for this.
 */
export function benchReconcile(): Promise<void> {
  for (const [name, chain] of [
    ['every category in every store', CROSSED],
    ['a fifth of many categories in each store', SPARSE],
  ] as const) {
    const groups = groupsOf(chain);
    const step = stepOf(groups);
    console.log(
      `${name}: ${chain.stores} stores, ${chain.categories} categories, ${groups.leaves.toLocaleString('en')} leaves`,
    );
    for (const method of ['bottom-up', 'top-down', 'min-trace'] as const) {
      const seconds = (2 * STEPS * best(groups, method, step)) / 1000;
      const each = (1e6 * seconds) / (2 * groups.leaves);
      console.log(
        `  ${method.padEnd(10)} ${seconds.toFixed(2).padStart(6)} s for both measures × ${STEPS} steps, ` +
          `${each.toFixed(1)} µs a series`,
      );
    }
  }
  return Promise.resolve();
}

/** Milliseconds of one step. */
function best(groups: Groups, method: ReconciliationMethod, step: StepForecasts): number {
  const reconciler = createReconciler(groups, method);
  const leafMean = step.leafMean.slice();
  const sumMean = step.sumMean.slice();
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS * 4; round++) {
    leafMean.set(step.leafMean);
    sumMean.set(step.sumMean);
    const begin = performance.now();
    reconciler.reconcile({ ...step, leafMean, sumMean });
    least = Math.min(least, performance.now() - begin);
  }
  return least;
}

function groupsOf({ stores, categories, share }: Chain): Groups {
  const random = createRandom('bench reconcile');
  const store: number[] = [];
  const category: number[] = [];
  for (let s = 0; s < stores; s++) {
    for (let c = 0; c < categories; c++) {
      if (random.uniform() >= share) continue;
      store.push(s);
      category.push(c);
    }
  }
  const leaves = store.length;
  return {
    leaves,
    dimensions: [
      { sums: 1, sumOf: new Int32Array(leaves) },
      { sums: stores, sumOf: Int32Array.from(store) },
      { sums: categories, sumOf: Int32Array.from(category) },
    ],
  };
}

function stepOf(groups: Groups): StepForecasts {
  const random = createRandom('bench reconcile', 'step');
  const leafMean = Float64Array.from({ length: groups.leaves }, () => 10 * random.uniform());
  const leafVariance = leafMean.map((mean) => mean + 0.1);
  const sumMean = new Float64Array(sumCount(groups));
  const sumVariance = new Float64Array(sumCount(groups));
  addUp(groups, leafMean, sumMean);
  addUp(groups, leafVariance, sumVariance);
  for (let p = 0; p < sumMean.length; p++) sumMean[p]! *= 0.95 + 0.1 * random.uniform();
  return { leafMean, leafVariance, sumMean, sumVariance };
}
