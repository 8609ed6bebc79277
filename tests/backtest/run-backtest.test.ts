import { describe, expect, test } from 'vitest';
import { chooseForecasters, forecastersFor, YARDSTICK } from '../../src/backtest/forecasters.ts';
import { foldSeries } from '../../src/backtest/fold-series.ts';
import { pooledExpert } from '../../src/backtest/live-engine.ts';
import type { PanelForecaster } from '../../src/backtest/forecaster.ts';
import type { Panel } from '../../src/backtest/panel.ts';
import { createPathReader, runPooledStage } from '../../src/backtest/pooled-stage.ts';
import { foldSpecOf, probabilitiesOf, quantilePlaces } from '../../src/backtest/plan.ts';
import { reportRows, stepRows } from '../../src/backtest/report.ts';
import { runBacktest } from '../../src/backtest/run-backtest.ts';
import { createEngine, createForecastBuffer, createScoredBuffer } from '../../src/models/engine.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { createSlab } from '../../src/stats/slab.ts';
import { DAILY_PLAN, dailyPanel } from './panels.ts';

function sales(seed: string, length: number): number[] {
  const random = createRandom('backtest', seed);
  return Array.from({ length }, (_, day) => random.poisson(5 + 3 * (day % 7)));
}

const PANEL = dailyPanel(
  Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((id, i) => [id, sales(id, 60 + 3 * i)])),
);
const PLAN = DAILY_PLAN;
const SPEC = foldSpecOf(PLAN, PANEL, 1);
const ALL = { from: 0, to: PANEL.series.length, keepForecasts: true };

const LAST = forecastersFor(SPEC).at(-1)!.name;

function named(name: string): PanelForecaster {
  return forecastersFor(SPEC).find((each) => each.name === name)!;
}

describe('the fold', () => {
  test('forecasts what the live engine forecasts after the same buckets, bit by bit', () => {
    const spec = { ...SPEC, granularity: SPEC.grain };
    const engine = createEngine({ ...spec, external: [pooledExpert(SPEC)] });
    const paths = runPooledStage(PANEL, PLAN);
    const [outcome] = foldSeries(PANEL, PLAN, named('Foretill'), { ...ALL, paths });
    const read = createPathReader(PANEL, PLAN, paths);
    const path = new Float64Array(PLAN.horizon);
    const { y } = PANEL.series[0]!;
    const slab = createSlab(engine.words);
    engine.init(slab, 0);
    const scored = createScoredBuffer(engine);
    const out = createForecastBuffer(spec);
    const found: number[] = [];
    for (let day = 0; day < y.length; day++) {
      const calendar = { slot: day % 7, ahead: Int32Array.of((day + 1) % 7, (day + 2) % 7, (day + 3) % 7) };
      const origin = [y.length - 6, y.length - 3].indexOf(day + 1);
      read(0, day, origin === -1 ? null : origin, path);
      engine.step(slab, 0, y[day]!, calendar, scored, path);
      if (origin === -1) continue;
      expect(path.every(Number.isFinite)).toBe(true);
      engine.forecast(slab, 0, calendar, out, path);
      found.push(...out.mean, ...out.quantiles);
    }
    const { mean, quantiles } = outcome!.forecasts!;
    const half = quantiles.length / 2;
    expect([
      ...mean.slice(0, 3),
      ...quantiles.slice(0, half),
      ...mean.slice(3),
      ...quantiles.slice(half),
    ]).toEqual(found);
    expect(outcome!.updates).toBe(y.length - 3);
  });

  test.each(forecastersFor(SPEC).map(({ name }) => name))('%s sees nothing of what it forecasts', (name) => {
    const week = { ...PLAN, horizon: 7, origins: { kind: 'last', count: 2, step: 7 } as const };
    const known = sales('a', 60).slice(0, 46);
    const forecasts = [0, 900].map((after) => {
      const panel = dailyPanel({ a: [...known, ...Array<number>(14).fill(after)] });
      const share = { ...ALL, to: 1, paths: runPooledStage(panel, week) };
      return foldSeries(panel, week, named(name), share)[0]!.forecasts!.mean;
    });
    const [low, high] = forecasts as [Float64Array, Float64Array];
    expect(high.slice(0, 7)).toEqual(low.slice(0, 7));
    expect(high.slice(7)).not.toEqual(low.slice(7));
  });

  test('each bucket brings its covariates, and those of the horizon as far as they are known', () => {
    const panel = dailyPanel({ a: [1, 2, 3, 4, 5] }, { promotion: [10, 20, 30, 40, 50] });
    const seen: number[][] = [];
    const spy: PanelForecaster = {
      name: 'spy',
      kind: 'online',
      pooled: false,
      create: () => ({
        learn: (_, { y, known, calendar }) => void seen.push([y, calendar.slot, ...calendar.ahead, ...known]),
        forecast: (_, _bucket, out) => void out.mean.fill(0),
      }),
    };
    foldSeries(panel, { ...PLAN, horizon: 2, origins: { kind: 'last', count: 2, step: 1 } }, spy, {
      ...ALL,
      to: 1,
    });
    expect(seen).toEqual([
      [1, 0, 1, 2, 10, 20, 30],
      [2, 1, 2, 3, 20, 30, 40],
      [3, 2, 3, 4, 30, 40, 50],
    ]);
  });

  test('a series that is too short is not learned at all', () => {
    const [outcome] = foldSeries(dailyPanel({ a: [1, 2, 3, 4] }), PLAN, named('Foretill'), { ...ALL, to: 1 });
    expect([outcome!.updates, outcome!.tally.mase.length, outcome!.forecasts!.mean.length]).toEqual([
      0, 0, 0,
    ]);
  });
});

async function rowsOf(panel: Panel, threads: number) {
  const models = ['Foretill', YARDSTICK];
  const outcomes = await runBacktest({ panel, plan: PLAN, models, keepForecasts: false, threads });
  const figures = [...reportRows(outcomes, panel, PLAN), ...stepRows(outcomes, PLAN)];
  return figures.map((row) =>
    Object.fromEntries(Object.entries(row).filter(([key]) => !/_s$|cpu_|us_per/.test(key))),
  );
}

test('the answer does not depend on how many threads there are', async () => {
  const one = await rowsOf(PANEL, 1);
  expect(await rowsOf(PANEL, 3)).toEqual(one);
  expect(one[0]).toMatchObject({ dataset: 'test', model: 'Foretill', n_series: 5, origins: 2 });
  expect(one[1]).toMatchObject({ model: YARDSTICK, rel_MASE_vs_SN_same_series: 1 });
  expect(one).toHaveLength(2 + 2 * PLAN.horizon);
});

test('where promotions and closures are known ahead, what all series teach beats every one that looks at its own', async () => {
  const random = createRandom('promoted');
  const days = Array.from({ length: 300 }, (_, day) => day);
  const promotion = days.map(() => (random.uniform() < 0.25 ? 1 : 0));
  const open = days.map((day) => (day % 17 === 5 ? 0 : 1));
  const shop = (size: number, lift: number): number[] =>
    days.map(
      (day) => open[day]! * random.poisson(size * (1 + 0.5 * Math.sin(day)) * (1 + lift * promotion[day]!)),
    );
  const shops = Array.from(
    { length: 10 },
    (_, i) => [`shop ${i}`, shop(20 + 15 * i, 0.6 + 0.04 * i)] as const,
  );
  const panel = dailyPanel(Object.fromEntries(shops), { promotion, open });
  const plan = { ...PLAN, horizon: 7, origins: { kind: 'last', count: 6, step: 7 } as const };
  const models = chooseForecasters(foldSpecOf(plan, panel, 1), 'online,experts');
  const outcomes = await runBacktest({ panel, plan, models, keepForecasts: false });
  const mase = new Map(reportRows(outcomes, panel, plan).map((row) => [row['model'], row['MASE'] as number]));
  const alone = models.filter((name) => name !== 'pooled' && name !== 'Foretill');
  const best = Math.min(...alone.map((name) => mase.get(name)!));
  expect(mase.get('pooled')).toBeLessThan(0.6 * best);
  expect(mase.get('Foretill')).toBeLessThan(0.8 * best);
});

describe('SeasonalNaive on numbers made by hand', () => {
  // Weeks of 1…7, each higher than the one before by the next of these.
  const steps = [0, 2, 1, 3];
  const weeks = steps.flatMap((_, week) => {
    const height = steps.slice(0, week + 1).reduce((sum, step) => sum + step, 0);
    return [1, 2, 3, 4, 5, 6, 7].map((day) => day + height);
  });
  const plan = { ...PLAN, horizon: 7, origins: { kind: 'last', count: 1, step: 7 } as const };

  test('every figure', async () => {
    const panel = dailyPanel({ a: weeks, b: weeks.map((y) => 2 * y) });
    const outcomes = await runBacktest({
      panel,
      plan,
      models: [YARDSTICK],
      keepForecasts: false,
      threads: 1,
    });
    const [row] = reportRows(outcomes, panel, plan);
    // Series a: errors of 3 where differences were 2 and 1 (mean 1.5, of squares 2.5); b is twice a in all.
    expect(row).toMatchObject({
      n_series: 2,
      origins: 1,
      MASE: 2,
      MASE_med: 2,
      RMSSE: Math.round(1e4 * Math.sqrt(9 / 2.5)) / 1e4,
      // Σ|e| = 21 + 42, Σ|y| = 70 + 140
      WAPE: 30,
      MAE: 4.5,
      RMSE: Math.round(1e4 * Math.sqrt((9 + 36) / 2)) / 1e4,
      bias_pct: -30,
      rel_MASE_vs_SN_same_series: 1,
      // The actual lies 3 above the mean, σ = √2.5: beyond the 80 % end at 2.03, within the 95 % end at 3.10.
      cov80: 0,
      cov95: 100,
      // Per point of a: 0.1·(3 + z) + 0.5·3 + 0.9·(3 − z) with z = 1.28155·√2.5; 7 points, Σ|y| 70.
      wQL: Math.round(1e4 * ((200 * 7 * (4.5 - 0.8 * 1.2815515655446 * Math.sqrt(2.5))) / 3 / 70)) / 1e4,
      width80: Math.round(1e4 * ((100 * 7 * 2 * 1.2815515655446 * Math.sqrt(2.5)) / 70)) / 1e4,
    });
  });

  test('prequential: the scale is that of the first origin, each series counts once', async () => {
    const panel = dailyPanel({ a: weeks });
    const preq = { ...plan, horizon: 2, origins: { kind: 'prequential', share: 0.25 } as const };
    const outcomes = await runBacktest({ panel, plan: preq, models: [YARDSTICK], keepForecasts: false });
    expect(reportRows(outcomes, panel, preq)[0]).toMatchObject({
      n_series: 1,
      origins: 6,
      H: 2,
      MASE_h1: 2,
      MASE_1toH: 2,
      WAPE_h1: Math.round((1e6 * 18) / (7 + 8 + 9 + 10 + 11 + 12)) / 1e4,
      RMSE_h1: 3,
    });
  });
});

describe('models are chosen by name and by set', () => {
  test.each([
    ['online', ['Foretill', YARDSTICK]],
    ['foretill', ['Foretill', YARDSTICK]],
    [` ${LAST} , FORETILL `, ['Foretill', YARDSTICK, LAST]],
    ['online,heavy', ['Foretill', YARDSTICK]],
  ])('%s', (wanted, expected) => {
    expect(chooseForecasters(SPEC, wanted)).toEqual(expected);
  });

  test('experts are those of the engine, and the pooled one', () => {
    const engine = createEngine({ ...SPEC, granularity: SPEC.grain });
    const names = [...engine.experts.map(({ name }) => name), 'pooled'];
    expect(chooseForecasters(SPEC, 'experts')).toEqual([YARDSTICK, ...names]);
    expect(chooseForecasters(SPEC, 'all')).toEqual(['Foretill', YARDSTICK, ...names]);
  });

  test.each([
    ['prophet', /no model "prophet"/],
    ['', /no model ""/],
    ['heavy', /no heavy models yet/],
  ])('%j is told', (wanted, message) => {
    expect(() => chooseForecasters(SPEC, wanted)).toThrow(message);
  });
});

test.each([
  [[80, 95], 9],
  [[80], 9],
  [[60, 99], 13],
])('quantiles of levels %j are those of the live system and their own ends', (levels, count) => {
  const probabilities = probabilitiesOf(levels);
  const places = quantilePlaces(levels);
  expect([probabilities.length, places.count]).toEqual([count, count]);
  expect([probabilities[places.low80], probabilities[places.high80]]).toEqual([0.1, 0.9]);
  for (const [i, { low, high }] of places.levels.entries()) {
    expect(probabilities[low]).toBeCloseTo(0.5 - levels[i]! / 200, 12);
    expect(probabilities[high]).toBeCloseTo(0.5 + levels[i]! / 200, 12);
  }
});
