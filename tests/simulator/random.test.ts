import { describe, expect, test } from 'vitest';
import { createRandom, cumulate, pick } from '../../src/simulator/random.ts';

const N = 20_000;

function sample(draw: () => number): { mean: number; variance: number } {
  const values = Array.from({ length: N }, draw);
  const mean = values.reduce((sum, value) => sum + value, 0) / N;
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / N };
}

test('the same names give the same numbers, other names others', () => {
  const numbers = (...names: (string | number)[]) => {
    const { uniform } = createRandom(...names);
    return [uniform(), uniform(), uniform()];
  };
  expect(numbers('a', 1)).toEqual(numbers('a', 1));
  expect(numbers('a', 1)).not.toEqual(numbers('a', 2));
  expect(numbers('a', 12)).not.toEqual(numbers('a1', 2));
});

describe('moments within five standard errors', () => {
  test.each<readonly [string, () => number, number, number]>([
    ['uniform', createRandom('u').uniform, 1 / 2, 1 / 12],
    ['normal', createRandom('n').normal, 0, 1],
    ['Poisson 0.3', () => createRandom0.poisson(0.3), 0.3, 0.3],
    ['Poisson 4', () => createRandom0.poisson(4), 4, 4],
    ['Poisson 100', () => createRandom0.poisson(100), 100, 100],
  ])('%s', (_name, draw, mean, variance) => {
    const found = sample(draw);
    const error = Math.sqrt(variance / N);
    expect(Math.abs(found.mean - mean)).toBeLessThan(5 * error);
    expect(found.variance / variance).toBeGreaterThan(0.93);
    expect(found.variance / variance).toBeLessThan(1.07);
  });
});

const createRandom0 = createRandom('poisson');

test.each<readonly [number, number]>([
  [0, 0],
  [0.249, 0],
  [0.25, 2],
  [0.999, 2],
])('a pick at %s of weights 1, 0, 3 is number %s', (u, expected) => {
  expect(pick(cumulate([1, 0, 3]), u)).toBe(expected);
});
