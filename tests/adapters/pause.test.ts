import { expect, test } from 'vitest';
import { pauseMs } from '../../src/adapters/pause.ts';

test.each([
  [1, [100, 200, 400, 800, 1_000, 1_000]],
  [0, [50, 100, 200, 400, 500, 500]],
])('twice as long each time, up to the maximum, at least half of it (chance %d)', (random, expected) => {
  const limits = { retryDelayMs: 100, retryDelayMsMax: 1_000 };
  expect([1, 2, 3, 4, 5, 50].map((attempt) => pauseMs(attempt, limits, () => random))).toEqual(expected);
});
