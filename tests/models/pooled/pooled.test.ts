import { describe, expect, test } from 'vitest';
import type { PooledSpec } from '../../../src/models/pooled/pooled.ts';
import { createPooled } from '../../../src/models/pooled/pooled.ts';
import { createRandom } from '../../../src/simulator/random.ts';
import { DAY, HOUR, WEEK } from '../engine-specs.ts';

type Panel = {
  /** per series its buckets, beginning at moment `start` */
  readonly series: readonly { readonly start: number; readonly y: readonly number[] }[];
  /** value of each covariate known ahead at a moment */
  readonly known?: (series: number, moment: number) => readonly number[];
  /** value of each covariate that is known only with its bucket */
  readonly past?: (series: number, moment: number) => readonly number[];
};

/** Goes through a panel moment by moment; the forecasts of all series that have a bucket in the last one. */
function run(
  base: typeof DAY,
  panel: Panel,
  order: (series: number[]) => number[] = (all) => all,
): number[][] {
  const covariates = panel.known?.(0, 0).length ?? 0;
  const past = panel.past?.(0, 0).length ?? 0;
  const spec: PooledSpec = { ...base, known: covariates, past, series: panel.series.length };
  const pooled = createPooled(spec);
  const end = Math.max(...panel.series.map(({ start, y }) => start + y.length));
  const steps = Int32Array.from({ length: spec.horizon }, (_, i) => i + 1);
  const out = new Float64Array(spec.horizon);
  const bucketOf = (i: number, moment: number) => {
    const { start, y } = panel.series[i]!;
    const rows = Array.from({ length: 1 + spec.horizon }, (_, h) => panel.known?.(i, moment + h) ?? []);
    return {
      y: y[moment - start]!,
      calendar: {
        slot: moment % spec.season,
        ahead: steps.map((step) => (moment + step) % spec.season),
      },
      known: Float64Array.from(rows.flat()),
      past: Float64Array.from(panel.past?.(i, moment) ?? []),
    };
  };
  let forecasts: number[][] = [];
  for (let moment = 0; moment < end; moment++) {
    const here = order(
      [...panel.series.keys()].filter((i) => {
        const { start, y } = panel.series[i]!;
        return moment >= start && moment < start + y.length;
      }),
    );
    for (const i of here) pooled.learn(i, bucketOf(i, moment));
    pooled.close();
    if (moment % 17 !== 0 && moment !== end - 1) continue;
    forecasts = [];
    for (const i of here) {
      pooled.forecast(i, bucketOf(i, moment), steps, out, 0);
      forecasts[i] = [...out];
    }
  }
  return forecasts;
}

const LENGTH = { '15min': 800, hour: 420, day: 120, week: 130 };

function shops(spec: typeof DAY, count: number, seed: string): Panel {
  const random = createRandom('pooled', seed);
  const series = Array.from({ length: count }, (_, s) => ({
    start: 3 * s,
    y: Array.from({ length: LENGTH[spec.granularity] - 3 * s }, (_, i) =>
      random.poisson(5 * (s + 1) * (1.2 + Math.sin((2 * Math.PI * (i + 3 * s)) / spec.shortSeason))),
    ),
  }));
  return { series };
}

describe.each([DAY, HOUR, WEEK])('pooled expert, $granularity', (spec) => {
  test('once more gives the same bits', () => {
    expect(run(spec, shops(spec, 4, 'again'))).toEqual(run(spec, shops(spec, 4, 'again')));
  });

  test('in which order the series of a moment come changes the rounding of sums and no more', () => {
    const panel = shops(spec, 5, 'order');
    const plain = run(spec, panel);
    const turned = run(spec, panel, (all) => all.toReversed());
    for (const [i, row] of plain.entries()) {
      for (const [h, value] of row.entries()) expect(turned[i]![h]! / value).toBeCloseTo(1, 6);
    }
  });

  test('four times the sales of one series are four times its forecast, to the bit, and the others’ stay', () => {
    const panel = shops(spec, 3, 'scale');
    const scaled = panel.series.map(({ start, y }, i) => ({ start, y: i === 1 ? y.map((v) => 4 * v) : y }));
    const plain = run(spec, panel);
    const found = run(spec, { series: scaled });
    expect(found).toEqual(plain.map((row, i) => (i === 1 ? row.map((value) => 4 * value) : row)));
  });

  const wild: readonly [string, (i: number) => number][] = [
    ['zeros', () => 0],
    ['a constant', () => 7],
    ['1e15', (i) => 1e15 - (i % 3)],
    ['1e300', (i) => (i % 2 === 0 ? 1e300 : 1)],
    ['alternating signs', (i) => (i % 2 === 0 ? 1e6 : -1e6)],
    ['denormal', () => 5e-324],
    ['sparse', (i) => (i % 41 === 40 ? 3 : 0)],
    ['a mean near zero', (i) => (i % 2 === 0 ? 1 : -1) * 1e5 + (i % 5)],
    ['growing by half each bucket', (i) => 1.5 ** Math.min(i, 80)],
    ['sales, then silence', (i) => (i < 60 ? 50 : 0)],
  ];

  test.each(wild)('one series of %s: finite, and within sight of it', (_, value) => {
    const y = Array.from({ length: LENGTH[spec.granularity] }, (_, i) => value(i));
    const [forecast] = run(spec, { series: [{ start: 0, y }] });
    const highest = 1.1 * 10 * Math.max(...y.map(Math.abs), 1e-300);
    for (const each of forecast!) expect(Math.abs(each)).toBeLessThanOrEqual(highest);
  });

  test('all of them beside shops: the shops’ forecasts stay within sight of their sales', () => {
    const panel = shops(spec, 5, 'wild');
    const length = LENGTH[spec.granularity];
    const company = wild.map(([, value]) => ({ start: 0, y: Array.from({ length }, (_, i) => value(i)) }));
    const forecasts = run(spec, { series: [...panel.series, ...company, { start: length - 1, y: [5] }] });
    for (const [i, { y }] of panel.series.entries()) {
      for (const value of forecasts[i]!) expect(Math.abs(value)).toBeLessThan(2 * Math.max(...y));
    }
    expect(forecasts.flat().every(Number.isFinite)).toBe(true);
    for (const value of forecasts.at(-1)!) expect(Math.abs(value)).toBeLessThan(50);
  });

  test('a constant is forecast as itself', () => {
    const y = Array<number>(LENGTH[spec.granularity]).fill(12);
    for (const value of run(spec, {
      series: [
        { start: 0, y },
        { start: 0, y: y.map((v) => 3 * v) },
      ],
    })[0]!) {
      expect(value).toBeCloseTo(12, 6);
    }
  });
});

describe('covariates known ahead', () => {
  const promo = (i: number, day: number): number =>
    createRandom('promo', String(i), String(day)).uniform() < 0.2 ? 1 : 0;
  const open = (day: number): number => (day % 31 === 20 ? 0 : 1);
  const shopsWithPromotions = (covariates: (i: number, day: number) => number[]): Panel => {
    const random = createRandom('promotions');
    const series = Array.from({ length: 12 }, (_, i) => ({
      start: 0,
      y: Array.from(
        { length: 400 },
        (_, day) =>
          open(day) *
          random.poisson(
            8 * (i + 1) * (1 + 0.4 * Math.sin((2 * Math.PI * day) / 7)) * (1 + 0.8 * promo(i, day)),
          ),
      ),
    }));
    return { series, known: covariates };
  };

  test('a promotion’s lift is learned from all, and comes on the day it is announced for', () => {
    const panel = shopsWithPromotions((i, day) => [promo(i, day), open(day)]);
    const blind = shopsWithPromotions((_, day) => [0, open(day)]);
    const shape = (day: number): number => 1 + 0.4 * Math.sin((2 * Math.PI * day) / 7);
    const errorOf = (forecasts: number[][]): number => {
      let sum = 0;
      for (const [i, row] of forecasts.entries()) {
        for (let h = 1; h <= 14; h++) {
          const day = 399 + h;
          const truth = open(day) * 8 * (i + 1) * shape(day) * (1 + 0.8 * promo(i, day));
          sum += Math.abs(row[h - 1]! - truth) / (8 * (i + 1));
        }
      }
      return sum / (forecasts.length * 14);
    };
    const seeing = errorOf(run(DAY, panel));
    expect(seeing).toBeLessThan(0.12);
    expect(seeing).toBeLessThan(0.4 * errorOf(run(DAY, blind)));
  });

  test('a day that is closed is forecast as exactly zero, and leaves the level alone', () => {
    const forecasts = run(
      DAY,
      shopsWithPromotions((i, day) => [promo(i, day), open(day)]),
    );
    const closed = Array.from({ length: 28 }, (_, h) => open(400 + h) === 0);
    expect(closed.filter(Boolean)).toHaveLength(1);
    for (const row of forecasts) expect(row.map((value) => value === 0)).toEqual(closed);
  });

  test('what is known only afterwards tells of the next bucket', () => {
    const calls = (i: number, day: number): number =>
      createRandom('calls', String(i), String(day)).poisson(10);
    const truth = (i: number, day: number): number => (i + 1) * (50 + 5 * calls(i, day - 1));
    const series = Array.from({ length: 6 }, (_, i) => ({
      start: 0,
      y: Array.from({ length: 300 }, (_, day) => truth(i, day)),
    }));
    const missed = (forecasts: number[][]): number =>
      forecasts.reduce((sum, row, i) => sum + Math.abs(row[0]! / truth(i, 300) - 1), 0) / forecasts.length;
    const seeing = missed(run(DAY, { series, past: (i, day) => [calls(i, day)] }));
    expect(seeing).toBeLessThan(0.02);
    expect(seeing).toBeLessThan(0.3 * missed(run(DAY, { series })));
  });

  test('missing values are borne', () => {
    const holes = (i: number, day: number): number[] => [
      day % 3 === 0 ? Number.NaN : promo(i, day),
      day < 200 ? Number.NaN : open(day),
      Number.NaN,
      1e308 * (day % 2),
    ];
    const forecasts = run(DAY, shopsWithPromotions(holes));
    expect(forecasts.flat().every(Number.isFinite)).toBe(true);
  });
});
