import { expect, test } from 'vitest';
import { createPrequential } from '../../src/scoring/prequential.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { createLayout } from '../../src/stats/layout.ts';
import { createSlab } from '../../src/stats/slab.ts';

const probabilities = [0.025, 0.1, 0.5, 0.9, 0.975];

function createBench(p: readonly number[] = probabilities) {
  const layout = createLayout();
  const scores = createPrequential(layout, { bands: 2, probabilities: p });
  const slab = createSlab(layout.words());
  scores.init(slab, 0);
  return { scores, slab };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

test('nothing scored is no number, but for the count', () => {
  const { scores, slab } = createBench();
  const { n, ...measures } = scores.read(slab, 0, 0, 1);
  expect(n).toBe(0);
  expect(Object.values(measures).every(Number.isNaN)).toBe(true);
});

test('equals the measures computed over all forecasts at once', () => {
  const { scores, slab } = createBench();
  const random = createRandom('scores');
  const rows = Array.from({ length: 200 }, () => {
    const mean = 20 + 5 * random.normal();
    return {
      mean,
      naive: mean + 6 * random.normal(),
      y: random.poisson(20),
      q: [-9, -5, 0, 5, 9].map((d) => mean + d),
    };
  });
  for (const { mean, naive, y, q } of rows) {
    scores.update(slab, 0, 1, y, mean, naive, Float64Array.from([0, ...q]), 1);
  }
  const errors = rows.map(({ mean, y }) => mean - y);
  const mae = meanOf(errors.map(Math.abs));
  const size = meanOf(rows.map(({ y }) => Math.abs(y)));
  const pinball = rows.map(({ y, q }) =>
    meanOf(
      q.map((value, i) => Math.max(probabilities[i]! * (y - value), (probabilities[i]! - 1) * (y - value))),
    ),
  );
  const within = (low: number, high: number): number =>
    meanOf(rows.map(({ y, q }) => (y >= q[low]! && y <= q[high]! ? 1 : 0)));
  const expected = {
    n: 200,
    mae,
    rmse: Math.sqrt(meanOf(errors.map((e) => e * e))),
    bias: meanOf(errors),
    wape: mae / size,
    mase: mae / 4,
    skill: 1 - mae / meanOf(rows.map(({ naive, y }) => Math.abs(naive - y))),
    pinball: meanOf(pinball),
    coverage80: within(1, 3),
    coverage95: within(0, 4),
    width80: 10,
  };
  const { trackingSignal, ...actual } = scores.read(slab, 0, 1, 4);
  for (const [name, value] of Object.entries(expected)) {
    expect(actual[name as keyof typeof actual], name).toBeCloseTo(value, 4);
  }
  expect(Math.abs(trackingSignal)).toBeLessThan(1);
  expect(scores.count(slab, 0, 0)).toBe(0);
});

test.each([
  ['always too high', 12, 1],
  ['always too low', 8, -1],
  ['always right', 10, 0],
])('the tracking signal tells the side: %s', (_, mean, signal) => {
  const { scores, slab } = createBench();
  for (let i = 0; i < 30; i++) scores.update(slab, 0, 0, 10, mean, 10, new Float64Array(5), 0);
  expect(scores.read(slab, 0, 0, 1).trackingSignal).toBeCloseTo(signal, 5);
});

test('intervals that are not configured are not scored', () => {
  const { scores, slab } = createBench([0.5]);
  scores.update(slab, 0, 0, 10, 9, 8, Float64Array.of(9), 0);
  const { coverage80, coverage95, width80, mae } = scores.read(slab, 0, 0, 0);
  expect([coverage80, coverage95, width80].every(Number.isNaN)).toBe(true);
  expect(mae).toBe(1);
});

test('an accident of long ago fades', () => {
  const { scores, slab } = createBench();
  scores.update(slab, 0, 0, 1e6, 0, 0, new Float64Array(5), 0);
  for (let i = 0; i < 12_000; i++) scores.update(slab, 0, 0, 1, 0, 0, new Float64Array(5), 0);
  expect(scores.read(slab, 0, 0, 1).mae).toBeLessThan(1.1);
});
