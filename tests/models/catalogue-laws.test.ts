import { describe, expect, test } from 'vitest';
import { createCatalogue } from '../../src/models/catalogue.ts';
import type { EngineSpec } from '../../src/models/engine.ts';
import { COUNT } from '../../src/models/model.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { createLayout } from '../../src/stats/layout.ts';
import type { Slab } from '../../src/stats/slab.ts';
import { createSlab } from '../../src/stats/slab.ts';
import { DAY, HOUR, QUARTER_HOUR, WEEK, windowAt } from './engine-specs.ts';

/** All models of a catalogue on one record, without the engine around them. */
function createBench(spec: EngineSpec) {
  const layout = createLayout();
  layout.take('count', 1);
  const { models } = createCatalogue(spec.granularity, { cycle: spec, horizon: spec.horizon, layout });
  const steps = Int32Array.from({ length: spec.horizon }, (_, i) => i + 1);
  return {
    models,
    words: layout.words(),
    start(): Slab {
      const slab = createSlab(layout.words());
      for (const model of models) model.init(slab, 0);
      return slab;
    },
    learn(slab: Slab, values: readonly number[]): Slab {
      for (const y of values) {
        const { slot } = windowAt(spec, slab.f64[COUNT]!);
        for (const model of models) model.update(slab, 0, slot, y);
        slab.f64[COUNT]! += 1;
      }
      return slab;
    },
    forecast(slab: Slab, model: number): number[] {
      const out = new Float64Array(spec.horizon);
      const { ahead } = windowAt(spec, slab.f64[COUNT]! - 1);
      models[model]!.forecast(slab, 0, ahead, steps, out, 0);
      return [...out];
    },
  };
}

const LENGTH = { '15min': 2_000, hour: 500, day: 150, week: 200 };
/** Families that claim: y + c for all buckets gives ŷ + c. The others multiply, and claim scale only. */
const SHIFT_EQUIVARIANT = new Set(['naive', 'seasonal mean', 'additive Holt-Winters', 'autoregression']);

describe.each([DAY, HOUR, WEEK, QUARTER_HOUR])('catalogue, $granularity', (spec) => {
  const bench = createBench(spec);
  const random = createRandom('catalogue', spec.granularity);
  const values = Array.from({ length: LENGTH[spec.granularity] }, (_, i) =>
    random.poisson(4 + 3 * (i % spec.shortSeason)),
  );
  const cases = bench.models.map((model, index) => ({ name: model.name, family: model.family, index }));

  test('names are unique', () => {
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  });

  test.each(cases)('$name: finite from the first bucket on', ({ index }) => {
    const slab = bench.start();
    for (const y of [...values.slice(0, 60), 0, 1e12, -1e12, 0, 0, 3]) {
      bench.learn(slab, [y]);
      expect(bench.forecast(slab, index).every(Number.isFinite)).toBe(true);
    }
  });

  test.each(cases)('$name: zeros give zeros', ({ index }) => {
    const slab = bench.learn(bench.start(), Array(60).fill(0));
    expect(bench.forecast(slab, index).every((value) => value === 0)).toBe(true);
  });

  test.each(cases)('$name: a constant is forecast as itself', ({ index }) => {
    const slab = bench.learn(bench.start(), Array(LENGTH[spec.granularity]).fill(12));
    const expected = bench.models[index]!.name === 'sba' ? 12 * 0.95 : 12;
    for (const value of bench.forecast(slab, index))
      expect(Math.abs(value / expected - 1)).toBeLessThan(1e-3);
  });

  test.each(cases)('$name: scale equivariant', ({ index }) => {
    const plain = bench.forecast(bench.learn(bench.start(), values), index);
    const scaled = bench.forecast(
      bench.learn(
        bench.start(),
        values.map((y) => 1024 * y),
      ),
      index,
    );
    expect(scaled).toEqual(plain.map((value) => 1024 * value));
  });

  test.each(cases.filter(({ family }) => SHIFT_EQUIVARIANT.has(family)))(
    '$name: shift equivariant',
    ({ index }) => {
      const plain = bench.forecast(bench.learn(bench.start(), values), index);
      const shifted = bench.forecast(
        bench.learn(
          bench.start(),
          values.map((y) => y + 500),
        ),
        index,
      );
      for (const [h, value] of shifted.entries()) expect(value).toBeCloseTo(plain[h]! + 500, 2);
    },
  );

  test.each(cases)('$name: some steps are forecast as among all', ({ index }) => {
    const slab = bench.learn(bench.start(), values);
    const all = bench.forecast(slab, index);
    const steps = Int32Array.of(1, 5, spec.horizon);
    const out = new Float64Array(5).fill(-1);
    const { ahead } = windowAt(spec, values.length - 1);
    bench.models[index]!.forecast(slab, 0, ahead, steps, out, 1);
    expect([...out]).toEqual([-1, all[0], all[4], all[spec.horizon - 1], -1]);
  });
});
