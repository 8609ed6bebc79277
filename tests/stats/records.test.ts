import { expect, test } from 'vitest';
import { createLayout } from '../../src/stats/layout.ts';
import { createSeenRange } from '../../src/stats/seen-range.ts';
import { createSlab, growSlab } from '../../src/stats/slab.ts';
import { slotValue, UNSEEN } from '../../src/stats/slot-table.ts';

test('a layout gives parts words of their own, singles rounded up to whole words', () => {
  const layout = createLayout();
  expect([layout.take('a', 3), layout.takeSingles('b', 5), layout.take('c', 1)]).toEqual([0, 3, 6]);
  expect(layout.words()).toBe(7);
  expect(layout.text()).toBe('a@0+3 b@3+3 c@6+1');
});

test('a grown slab begins with the same bits and both views show one memory', () => {
  const slab = createSlab(2);
  slab.f64[0] = 1.5;
  slab.f32.set([Number.NaN, 7], 2);
  const grown = growSlab(slab, 5);
  expect(grown.f64.length).toBe(5);
  expect(new BigUint64Array(grown.f64.buffer, 0, 2)).toEqual(new BigUint64Array(slab.f64.buffer));
  expect([grown.f64[0], grown.f32[3]]).toEqual([1.5, 7]);
  expect(growSlab(grown, 1).f64.length).toBe(5);
});

test.each([
  ['seen itself', 0, 10],
  ["the day before's", 4, 12],
  ["two days before's", 7, 12],
  ["the day before's, over the end of the cycle", 2, 13],
])('slot value, %s', (_, slot, expected) => {
  const slab = createSlab(6);
  slab.f32.fill(UNSEEN);
  slab.f32.set([10, 12], 0);
  slab.f32[8] = 13;
  const cycle = { season: 9, shortSeason: 3 };
  expect(slotValue(slab, 0, slot, cycle, -1)).toBe(expected);
  slab.f32.fill(UNSEEN);
  expect(slotValue(slab, 0, slot, cycle, -1)).toBe(-1);
});

test.each([
  ['nothing seen yet: believed', [], 0, 0, 1e12, 1e12],
  ['within four times all seen', [100], 100, 1, 390, 390],
  ['beyond it, but not beyond eight errors', [100], 100, 100, 880, 880],
  ['beyond both', [100], 100, 10, 1e12, 400],
  ['beyond both, downwards', [100, -5], 100, 10, -1e12, -400],
  ['returns within sight', [100], 100, 10, -300, -300],
])('taming, %s', (_, seen, mean, scale, y, expected) => {
  const layout = createLayout();
  const range = createSeenRange(layout);
  const slab = createSlab(layout.words());
  range.init(slab, 0);
  for (const value of seen) range.update(slab, 0, value, 0.5);
  expect(range.tame(slab, 0, y, mean, scale)).toBe(expected);
});
