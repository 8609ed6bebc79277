import { describe, expect, test } from 'vitest';
import { bandsOf } from '../../src/models/bands.ts';
import { createProbes } from '../../src/models/probes.ts';
import { createLayout } from '../../src/stats/layout.ts';

test.each([
  ['hour', 48, ['1', '2-6', '7-24', '25-48'], [1, 5, 23, 47]],
  ['hour', 24, ['1', '2-6', '7-24'], [1, 5, 23]],
  ['hour', 168, ['1', '2-6', '7-24', '25-168'], [1, 5, 23, 47]],
  ['hour', 2, ['1', '2'], [1, 2]],
  ['day', 28, ['1', '2-7', '8-14', '15-28'], [1, 3, 13, 27]],
  ['day', 10, ['1', '2-7', '8-10'], [1, 3, 10]],
  ['day', 1, ['1'], [1]],
  ['week', 26, ['1', '2-4', '5-13', '14-26'], [1, 3, 8, 26]],
  ['15min', 192, ['1', '2-8', '9-96', '97-192'], [1, 5, 71, 191]],
] as const)('%s, horizon %d', (granularity, horizon, names, steps) => {
  const bands = bandsOf(granularity, horizon);
  expect(bands.map((band) => band.name)).toEqual(names);
  expect(bands.map((band) => band.scoredStep)).toEqual(steps);
  expect(bands.at(-1)!.toStep).toBe(horizon);
});

describe.each([
  ['hour', 48, 168],
  ['day', 28, 7],
  ['week', 26, 52],
  ['15min', 192, 672],
] as const)('probes, %s', (granularity, horizon, season) => {
  const bands = bandsOf(granularity, horizon);
  const probes = createProbes(createLayout(), bands, 3);

  test('each falls due once, from its own place, and is not overwritten before', () => {
    const waiting = new Map<number, { band: number; dueAt: number }>();
    let due = 0;
    for (let n = 1; n < 4 * season; n++) {
      for (const [b, band] of bands.entries()) {
        const origin = n - band.scoredStep;
        const place = probes.place(b, origin);
        expect(probes.due(b, n)).toBe(origin > 0 && waiting.get(place)?.dueAt === n);
        if (!probes.due(b, n)) continue;
        waiting.delete(place);
        due++;
      }
      for (const [b, band] of bands.entries()) {
        if (!probes.made(b, n)) continue;
        expect(waiting.has(probes.place(b, n))).toBe(false);
        waiting.set(probes.place(b, n), { band: b, dueAt: n + band.scoredStep });
      }
    }
    expect(due).toBeGreaterThan(4 * season);
  });

  test('visit every slot of the cycle', () => {
    for (const [b, band] of bands.entries()) {
      const slots = new Set<number>();
      for (let n = 1; n <= band.originEvery * season; n++) {
        if (probes.made(b, n)) slots.add((n + band.scoredStep) % season);
      }
      expect(slots.size).toBe(season);
    }
  });
});
