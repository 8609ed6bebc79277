import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createUnknownIds } from '../../../src/adapters/schema-registry/unknown-ids.ts';
import { manualClock } from '../../../src/clock.ts';

test('an id is remembered for its time, from when it was last added', () => {
  const clock = manualClock(1_000);
  const ids = createUnknownIds({ clock, rememberedMs: 30, idsMax: 10 });
  ids.add(7);
  clock.advance(29);
  expect([ids.has(7), ids.has(8)]).toEqual([true, false]);
  clock.advance(1);
  expect(ids.has(7)).toBe(false);
  ids.add(7);
  clock.advance(29);
  expect(ids.has(7)).toBe(true);
});

test('a clock that is set back forgets rather than remembers for ever', () => {
  const clock = manualClock(1_000_000);
  const ids = createUnknownIds({ clock, rememberedMs: 30, idsMax: 1 });
  ids.add(7);
  clock.advance(-500_000);
  expect([ids.has(7), ids.isFull()]).toEqual([false, false]);
});

test('whatever comes in: each id at most once in its time, and never more ids than there is room for', () => {
  const steps = fc.array(fc.record({ id: fc.integer({ min: 1, max: 12 }), waitMs: fc.nat(20) }), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(steps, (all) => {
      const clock = manualClock(0);
      const ids = createUnknownIds({ clock, rememberedMs: 30, idsMax: 5 });
      const asked: { id: number; atMs: number }[] = [];
      for (const { id, waitMs } of all) {
        clock.advance(waitMs);
        if (ids.has(id) || ids.isFull()) continue;
        ids.add(id);
        asked.push({ id, atMs: clock.nowMs() });
      }
      for (const [index, { id, atMs }] of asked.entries()) {
        const within = asked.slice(0, index + 1).filter((other) => atMs - other.atMs < 30);
        expect(within.filter((other) => other.id === id)).toHaveLength(1);
        expect(within.length).toBeLessThanOrEqual(5);
      }
    }),
  );
});
