import { describe, expect, test } from 'vitest';
import { createNormalEquations } from '../../../src/models/pooled/normal-equations.ts';
import { createRandom } from '../../../src/simulator/random.ts';

type Row = { readonly x: readonly number[]; readonly z: number; readonly weight?: number };

function solutionOf(rows: readonly Row[], ridge = 0): number[] {
  const features = rows[0]?.x.length ?? 2;
  const equations = createNormalEquations(features);
  for (const { x, z, weight } of rows) equations.add(Float64Array.from(x), z, weight ?? 1);
  const out = new Float64Array(features);
  equations.solve(ridge, out);
  return [...out];
}

function expectClose(found: readonly number[], expected: readonly number[]): void {
  for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 10);
}

// Points (1, 2), (2, 3), (4, 8): x̄ = 7/3, ȳ = 13/3, Sxy = 29/3, Sxx = 14/3, slope 29/14, intercept −1/2.
const LINE: readonly Row[] = [
  { x: [1, 1], z: 2 },
  { x: [1, 2], z: 3 },
  { x: [1, 4], z: 8 },
];

describe('normal equations', () => {
  test.each([
    ['a line by least squares', LINE, 0, [-1 / 2, 29 / 14]],
    // The slope is Sxy / (Sxx + ρ); the intercept is not drawn: ȳ − slope·x̄.
    ['drawn by a ridge of 14/3: half the slope', LINE, 14 / 3, [13 / 3 - (29 / 28) * (7 / 3), 29 / 28]],
    [
      'a weight of two is the row twice',
      [...LINE, LINE[2]!],
      0,
      solutionOf([LINE[0]!, LINE[1]!, { ...LINE[2]!, weight: 2 }]),
    ],
    ['an intercept alone is the mean', LINE.map(({ z }) => ({ x: [1, 0], z })), 0, [13 / 3, 0]],
    ['nothing added', [], 1, [0, 0]],
  ])('%s', (_, rows, ridge, expected) => {
    expectClose(solutionOf(rows, ridge), expected);
  });

  test('two features that are the same share what one would have, and without a ridge one is dropped', () => {
    const twins = LINE.map(({ x: [one, value], z }) => ({ x: [one!, value!, value!], z }));
    expectClose(solutionOf(twins), [-1 / 2, 29 / 14, 0]);
    const [, first, second] = solutionOf(twins, 1e-6);
    expect(first).toBeCloseTo(29 / 28, 5);
    expect(second).toBeCloseTo(29 / 28, 5);
  });

  test('what is forgotten by half counts half', () => {
    const equations = createNormalEquations(2);
    for (const { x, z } of LINE) equations.add(Float64Array.from(x), z, 1);
    equations.forget(0.5);
    expect(equations.weight()).toBe(1.5);
    equations.add(Float64Array.of(1, 3), 0, 0.5);
    const out = new Float64Array(2);
    equations.solve(0, out);
    expectClose([...out], solutionOf([...LINE, { x: [1, 3], z: 0 }]));
  });

  test('finds the coefficients of forty features', () => {
    const random = createRandom('forty');
    const beta = Array.from({ length: 40 }, (_, i) => (i % 7) - 3);
    const rows = Array.from({ length: 200 }, () => {
      const x = beta.map((_, i) => (i === 0 ? 1 : random.uniform() - 0.5));
      return { x, z: x.reduce((sum, value, i) => sum + value * beta[i]!, 0) };
    });
    expectClose(solutionOf(rows), beta);
  });
});
