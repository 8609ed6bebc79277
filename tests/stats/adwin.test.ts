import { expect, test } from 'vitest';
import { createRandom } from '../../src/simulator/random.ts';
import type { Random } from '../../src/simulator/random.ts';
import { createAdwin } from '../../src/stats/adwin.ts';
import { createLayout } from '../../src/stats/layout.ts';
import { createSlab } from '../../src/stats/slab.ts';

const DELTA = 0.01;
const RANGE = 3;

function start(at = 3) {
  const layout = createLayout();
  const adwin = createAdwin(layout, DELTA);
  const slab = createSlab(at + layout.words() + 1);
  slab.f64.fill(4711);
  adwin.init(slab, at);
  return { adwin, slab, at, words: layout.words() };
}

/** |error| of a good forecast, in standard errors. */
const fold = (random: Random, width = 1): number => Math.min(RANGE, Math.abs(width * random.normal()));

test('its mean is that of the last values, as many as the window is wide', () => {
  const { adwin, slab, at } = start();
  const random = createRandom('mean');
  const values: number[] = [];
  const widths = new Set<number>();
  for (let i = 0; i < 600; i++) {
    const value = Math.fround(fold(random, i % 150 < 100 ? 0.3 : 2.5));
    values.push(value);
    adwin.learn(slab, at, value);
    const width = adwin.width(slab, at);
    widths.add(width);
    const last = values.slice(-width);
    expect(adwin.mean(slab, at)).toBeCloseTo(last.reduce((sum, v) => sum + v, 0) / width, 4);
  }
  expect(Math.max(...widths)).toBeLessThanOrEqual(62);
  expect(Math.max(...widths)).toBeGreaterThan(46);
});

test('values at rest are cut no more often than promised', () => {
  const { adwin, slab, at } = start();
  const random = createRandom('at rest');
  const length = 50_000;
  let cuts = 0;
  for (let i = 0; i < length; i++) if (adwin.learn(slab, at, fold(random)) !== 0) cuts += 1;
  expect(cuts / length).toBeLessThan(DELTA / 5);
});

test.each([
  ['rise', 0.3, 0.9, 1],
  ['fall', 0.9, 0.3, -1],
])(
  'a %s is found within thirty values, and the window then holds hardly any but new ones',
  (name, from, to, sign) => {
    for (let seed = 0; seed < 20; seed++) {
      const { adwin, slab, at } = start();
      const random = createRandom(name, seed);
      for (let i = 0; i < 60; i++) adwin.learn(slab, at, from + 0.1 * random.normal());
      let values = 0;
      let change = 0;
      while (change === 0 && values < 40) {
        values += 1;
        change = adwin.learn(slab, at, to + 0.1 * random.normal());
      }
      expect(values).toBeLessThanOrEqual(30);
      expect(Math.sign(change)).toBe(sign);
      expect(adwin.width(slab, at)).toBeLessThanOrEqual(values + 8);
    }
  },
);

test('the same values give the same bits anywhere, and nothing is written beside the record', () => {
  const records = [0, 5].map((at) => {
    const run = start(at);
    const random = createRandom('bits');
    for (let i = 0; i < 333; i++) run.adwin.learn(run.slab, at, fold(random));
    expect([...run.slab.f64.subarray(0, at), run.slab.f64[at + run.words]]).toEqual(Array(at + 1).fill(4711));
    return [...new BigUint64Array(run.slab.f64.slice(at, at + run.words).buffer)];
  });
  expect(records[0]).toEqual(records[1]);
});
