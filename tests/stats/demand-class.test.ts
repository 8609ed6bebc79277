import { expect, test } from 'vitest';
import { createDemandClassifier } from '../../src/stats/demand-class.ts';
import { createLayout } from '../../src/stats/layout.ts';
import { createSlab } from '../../src/stats/slab.ts';

function classOf(values: readonly number[], unit = 1): string {
  const layout = createLayout();
  const classifier = createDemandClassifier(layout, 7);
  const slab = createSlab(layout.words());
  classifier.init(slab, 0);
  for (const [n, y] of values.entries()) classifier.update(slab, 0, n, unit * y);
  return classifier.classify(slab, 0);
}

const repeat = (pattern: readonly number[], times: number): number[] =>
  Array.from({ length: times * pattern.length }, (_, i) => pattern[i % pattern.length]!);

// Sizes 1 and 3: mean 2, variance 1, CV² ¼. Sizes 1, 1 and 7: mean 3, variance 8, CV² 8/9.
test.each([
  ['smooth', [1, 3]],
  ['smooth', [1, 3, 1, 3, 0]],
  ['smooth', [-1, -3]],
  ['erratic', [1, 1, 7]],
  ['intermittent', [1, 3, 0]],
  ['intermittent', [0, 0, 0, 0, 2]],
  ['lumpy', [1, 0, 1, 0, 7, 0]],
  ['intermittent', [0]],
])('%s: %j again and again', (name, pattern) => {
  for (const unit of [1, 1e-9, 1e12]) expect(classOf(repeat(pattern, 60), unit)).toBe(name);
});

test('a series of which nothing is known is intermittent', () => {
  expect(classOf([])).toBe('intermittent');
});

test('a product that is sold less and less often changes its class', () => {
  const daily = repeat([2], 300);
  expect(classOf(daily)).toBe('smooth');
  expect(classOf([...daily, ...repeat([2, 0, 0, 0], 100)])).toBe('intermittent');
});
