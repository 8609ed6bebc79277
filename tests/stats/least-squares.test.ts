import { describe, expect, test } from 'vitest';
import { createRandom } from '../../src/simulator/random.ts';
import { createLayout } from '../../src/stats/layout.ts';
import { createLeastSquares } from '../../src/stats/least-squares.ts';
import { createSlab } from '../../src/stats/slab.ts';
import { ridgeRegression } from './ridge-regression.ts';

const TERMS = 3;

function createBench(memory: number, ridge: number) {
  const layout = createLayout();
  layout.take('before', 2);
  const regression = createLeastSquares(layout, { name: 'test', terms: TERMS, memory, ridge });
  const slab = createSlab(layout.words());
  regression.init(slab, 0);
  return {
    learn: (x: readonly number[], y: number): void => regression.learn(slab, 0, Float64Array.from(x), y),
    coefficients: (): number[] =>
      [0, 1, 2].map((i) =>
        regression.predict(
          slab,
          0,
          Float64Array.from([0, 1, 2], (j) => (i === j ? 1 : 0)),
        ),
      ),
  };
}

function expectClose(actual: readonly number[], expected: readonly number[], error: number): void {
  for (const [i, value] of expected.entries()) expect(Math.abs(actual[i]! - value)).toBeLessThan(error);
}

test.each([0.1, 1, 10])('without forgetting it is ridge regression: ridge %d', (ridge) => {
  const bench = createBench(1, ridge);
  const random = createRandom('ridge', ridge);
  const rows: number[][] = [];
  const values: number[] = [];
  for (let i = 0; i < 60; i++) {
    const x = [random.normal(), random.normal(), 1];
    const y = 0.7 * x[0]! - 0.4 * x[1]! + 0.2 + 0.3 * random.normal();
    rows.push(x);
    values.push(y);
    bench.learn(x, y);
    expectClose(bench.coefficients(), ridgeRegression(rows, values, ridge), 1e-4);
  }
});

test('with forgetting it follows coefficients that change', () => {
  const bench = createBench(0.98, 1);
  const random = createRandom('change');
  for (const truth of [
    [0.9, 0, -0.5],
    [-0.3, 0.6, 0.2],
  ]) {
    for (let i = 0; i < 400; i++) {
      const x = [random.normal(), random.normal(), random.normal()];
      bench.learn(x, x.reduce((sum, value, k) => sum + value * truth[k]!, 0) + 0.05 * random.normal());
    }
    expectClose(bench.coefficients(), truth, 0.05);
  }
});

describe('stays sound where the textbook form does not', () => {
  const truth = [0.5, -0.2, 0.1];
  const learnTruth = (bench: ReturnType<typeof createBench>): void => {
    const random = createRandom('again');
    for (let i = 0; i < 2_000; i++) {
      const x = [random.normal(), random.normal(), random.normal()];
      bench.learn(
        x,
        x.reduce((sum, value, k) => sum + value * truth[k]!, 0),
      );
    }
  };
  test.each([
    ['no news for long', () => [0, 0, 0]],
    ['one direction only', (i: number) => [1 + (i % 3), 2 + 2 * (i % 3), 0]],
    ['regressors that are all but the same', (i: number) => [i % 7, (i % 7) + 1e-7 * (i % 5), 1]],
    ['rows of all sizes', (i: number) => [10 ** ((i % 9) - 4), 10 ** ((i % 7) - 3), 1]],
  ])('%s', (_, row) => {
    const bench = createBench(0.99, 1);
    for (let i = 0; i < 20_000; i++) bench.learn(row(i), (i % 2) - 0.5);
    expect(bench.coefficients().every((value) => Math.abs(value) < 100)).toBe(true);
    learnTruth(bench);
    expectClose(bench.coefficients(), truth, 0.01);
  });
});
