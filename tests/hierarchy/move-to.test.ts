import { expect, test } from 'vitest';
import { moveTo } from '../../src/hierarchy/move-to.ts';

test.each([
  // own mean, own quantiles, sum, moved quantiles
  [10, [4, 10, 20], 15, [9, 15, 25]],
  [10, [4, 10, 20], 5, [0, 5, 15]],
  [10, [4, 10, 20], 0, [0, 0, 10]],
  [10, [0, 8, 20], -5, [-5, -5, 5]],
  [10, [-4, 10, 20], 5, [-9, 5, 15]],
  [10, [-4, 0, 20], 15, [1, 5, 25]],
  [0.5, [0, 0, 2], 0.75, [0, 0, 2.25]],
  [0, [0, 0, 0], 0.25, [0, 0, 0]],
  [10, [10, 10, 10], 12, [12, 12, 12]],
])('mean %d with %j moved to %d', (own, quantiles, sum, expected) => {
  const forecast = {
    mean: Float64Array.of(own, own),
    quantiles: Float64Array.from([...quantiles, ...quantiles]),
  };
  moveTo(forecast, Float64Array.of(sum, own));
  expect([...forecast.mean]).toEqual([sum, own]);
  expect([...forecast.quantiles]).toEqual([...expected, ...quantiles]);
});
