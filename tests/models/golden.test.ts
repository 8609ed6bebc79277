import { describe, expect, test } from 'vitest';
import { adida } from '../../src/models/adida.ts';
import { croston } from '../../src/models/croston.ts';
import type { HoltWintersSettings } from '../../src/models/holt-winters.ts';
import { holtWinters } from '../../src/models/holt-winters.ts';
import type { Model, ModelSite } from '../../src/models/model.ts';
import { COUNT } from '../../src/models/model.ts';
import { sba } from '../../src/models/sba.ts';
import { seasonalAutoregression } from '../../src/models/seasonal-autoregression.ts';
import { seasonalMean } from '../../src/models/seasonal-mean.ts';
import { seasonalNaive } from '../../src/models/seasonal-naive.ts';
import { theta } from '../../src/models/theta.ts';
import { tsb } from '../../src/models/tsb.ts';
import { twoSeasons } from '../../src/models/two-seasons.ts';
import { createLayout } from '../../src/stats/layout.ts';
import { createSlab } from '../../src/stats/slab.ts';
import { ridgeRegression } from '../stats/ridge-regression.ts';

const HORIZON = 8;
const SALES = [
  30, 21, 29, 31, 40, 48, 53, 47, 37, 39, 31, 29, 17, 9, 20, 24, 27, 35, 41, 38, 27, 31, 27, 26, 21, 13,
];
const RARE = [0, 0, 5, 0, 3, 0, 0, 0, 4, 2, 0];

/** Forecasts of the next eight buckets by a model alone, season 4, made of short seasons of 4 or 2. */
function run(
  build: (site: ModelSite) => readonly Model[],
  values: readonly number[],
  shortSeason = 4,
): number[] {
  const layout = createLayout();
  layout.take('count', 1);
  const models = build({ cycle: { season: 4, shortSeason }, horizon: HORIZON, layout });
  const slab = createSlab(layout.words());
  for (const model of models) model.init(slab, 0);
  for (const [i, y] of values.entries()) {
    for (const model of models) model.update(slab, 0, i % 4, y);
    slab.f64[COUNT]! += 1;
  }
  const ahead = Int32Array.from({ length: HORIZON }, (_, h) => (values.length + h) % 4);
  const out = new Float64Array(HORIZON);
  const steps = Int32Array.from({ length: HORIZON }, (_, h) => h + 1);
  models.at(-1)!.forecast(slab, 0, ahead, steps, out, 0);
  return [...out];
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(Math.abs(actual[i]! - value)).toBeLessThan(1e-4);
}

/** Holt-Winters from the book, in component form: level, trend and seasonals as weighted means. */
function textbook(s: HoltWintersSettings, y: readonly number[]): number[] {
  const m = 4;
  let level = y.slice(0, m).reduce((sum, value) => sum + value, 0) / m;
  let trend = 0;
  const seasonal = y.slice(0, m).map((value) => (s.seasonal === 'additive' ? value - level : value / level));
  for (let t = m; t < y.length; t++) {
    const old = seasonal[t % m]!;
    const start = level + s.phi * trend;
    const gamma = Math.max(s.gamma, 1 / (Math.floor(t / m) + 1));
    if (s.seasonal === 'additive') {
      level = s.alpha * (y[t]! - old) + (1 - s.alpha) * start;
      seasonal[t % m] = gamma * (y[t]! - start) + (1 - gamma) * old;
    } else {
      level = start + s.alpha * (y[t]! - start * old);
      seasonal[t % m] = gamma * (y[t]! / start) + (1 - gamma) * old;
    }
    trend = s.phi * trend + (s.beta / s.alpha) * (level - start);
  }
  return Array.from({ length: HORIZON }, (_, i) => {
    let line = level;
    for (let j = 1; j <= i + 1; j++) line += s.phi ** j * trend;
    const index = seasonal[(y.length + i) % m]!;
    return s.seasonal === 'additive' ? line + index : line * index;
  });
}

describe('Holt-Winters equals the book', () => {
  test.each([
    ['additive', 0.2, 0.05, 0.1, 0.9],
    ['additive', 0.5, 0, 0.4, 1],
    ['multiplicative', 0.2, 0.05, 0.1, 0.9],
    ['multiplicative', 0.4, 0.01, 0.3, 0.98],
  ] as const)('%s, α %d β %d γ %d φ %d', (seasonal, alpha, beta, gamma, phi) => {
    const settings = { name: 'test', seasonal, alpha, beta, gamma, delta: 0, phi, prior: 1 };
    expectClose(
      run((site) => [holtWinters(site, settings)], SALES),
      textbook(settings, SALES),
    );
  });

  test('the first season gives level and seasonals', () => {
    const settings = {
      name: 'test',
      seasonal: 'additive',
      alpha: 0.3,
      beta: 0.1,
      gamma: 0.1,
      delta: 0,
      phi: 0.9,
    } as const;
    expectClose(
      run((site) => [holtWinters(site, { ...settings, prior: 1 })], [10, 20, 30, 40]),
      [10, 20, 30, 40, 10, 20, 30, 40],
    );
  });
});

describe('intermittent demand', () => {
  // Demands 5, 3, 4, 2 after 3, 2, 4, 1 buckets; α = 0.5: z = 5, 4, 4, 3 and p = 3, 2.5, 3.25, 2.125.
  const alpha = 0.5;

  test('Croston: size over interval', () => {
    expectClose(
      run((site) => [croston(site, { alpha, prior: 1 })], RARE),
      Array(HORIZON).fill(3 / 2.125),
    );
  });

  test('SBA: the same without its bias', () => {
    const models = (site: ModelSite): Model[] => [sba(site, { alpha, prior: 1 })];
    expectClose(run(models, RARE), Array(HORIZON).fill((0.75 * 3) / 2.125));
  });

  // Mean intervals 3, 2½, 3, 2½, so blocks of three: 0 0 5 | 0 3 0 | 0 0 4 | 2 0 …, whose means are 5/3, 1 and 4/3.
  test.each([
    [0.25, (5 / 3 + 1 + 4 / 3) / 3],
    [0.6, 0.6 * (4 / 3) + 0.4 * (0.6 * 1 + 0.4 * (5 / 3))],
  ])(
    'ADIDA: the mean bucket of blocks as long as the interval between demands, smoothed by %d',
    (gain, level) => {
      const build = (site: ModelSite): Model[] => [adida(site, { alpha: gain, prior: 1 })];
      expectClose(run(build, RARE), Array(HORIZON).fill(level));
      expectClose(run(build, [0, 0, 5]), Array(HORIZON).fill(5 / 3));
    },
  );

  test('TSB: probability times size, the probability falling in silence', () => {
    let chance = 0;
    for (const [i, y] of RARE.entries()) chance += Math.max(0.25, 1 / (i + 1)) * ((y > 0 ? 1 : 0) - chance);
    const build = (site: ModelSite): Model[] => [tsb(site, { alpha, beta: 0.25, prior: 1 })];
    expectClose(run(build, RARE), Array(HORIZON).fill(chance * 3));
    expect(run(build, [...RARE, ...Array(40).fill(0)])[0]).toBeLessThan(1e-3);
  });
});

test('seasonal naive repeats the last visit of each slot', () => {
  expectClose(
    run((site) => [seasonalNaive(site, 1)], SALES),
    [27, 26, 21, 13, 27, 26, 21, 13],
  );
});

describe('two seasons', () => {
  const build = (site: ModelSite): Model[] => {
    const naive = seasonalNaive(site, 1);
    return [naive, twoSeasons(site, naive, { alpha: 0.2, prior: 1 })];
  };

  test('each moved by its smoothed differences, the last counting two thirds', () => {
    const moved = (lag: number): number =>
      SALES.slice(lag).reduce((mean, y, i) => mean + Math.max(0.2, 1 / (i + 1)) * (y - SALES[i]! - mean), 0);
    const expected = Array.from({ length: HORIZON }, (_, h) => {
      const slot = SALES.length + (h % 4);
      const further = h < 4 ? 0 : moved(4);
      return (2 / 3) * (SALES[slot - 4]! + moved(4)) + (1 / 3) * (SALES[slot - 8]! + moved(8)) + further;
    });
    expectClose(run(build, SALES), expected);
  });

  test('while only one has passed: that one, moved', () => {
    expectClose(run(build, [10, 20, 30, 40, 13, 25]), [34, 44, 17, 29, 38, 48, 21, 33]);
  });
});

test('seasonal mean: plain means first, then a moving one', () => {
  const means = [0, 1, 2, 3].map((slot) => {
    const visits = SALES.filter((_, i) => i % 4 === slot);
    return visits.reduce((mean, y, v) => mean + Math.max(0.25, 1 / (v + 1)) * (y - mean), 0);
  });
  const expected = Array.from({ length: HORIZON }, (_, h) => means[(SALES.length + h) % 4]!);
  expectClose(
    run((site) => [seasonalMean(site, { alpha: 0.25, prior: 1 })], SALES),
    expected,
  );
});

test('theta: level plus half the slope of the regression, times the index', () => {
  const alpha = 0.3;
  const memory = 0.95;
  const levels: number[] = [];
  const table: number[] = [];
  let overall = 0;
  for (const [t, y] of SALES.entries()) {
    const slot = t % 4;
    const before = table[slot] ?? y;
    table[slot] = before + Math.max(0.2, 1 / (Math.floor(t / 4) + 1)) * (y - before);
    overall += Math.max(0.2 / 4, 1 / (t + 1)) * (y - overall);
    const index = table[slot] / overall;
    const gain = Math.max(alpha, 1 / (t + 1));
    const level = levels.at(-1) ?? 0;
    levels.push(level + (gain * index > 1 ? 1 / index : gain) * (y - level * index));
  }
  const weights = levels.map((_, i) => memory ** (levels.length - 1 - i));
  const mass = weights.reduce((sum, w) => sum + w, 0);
  const meanTime = weights.reduce((sum, w, i) => sum + w * i, 0) / mass;
  const meanLevel = weights.reduce((sum, w, i) => sum + w * levels[i]!, 0) / mass;
  const slope =
    weights.reduce((sum, w, i) => sum + w * (i - meanTime) * (levels[i]! - meanLevel), 0) /
    weights.reduce((sum, w, i) => sum + w * (i - meanTime) ** 2, 0);
  const expected = Array.from({ length: HORIZON }, (_, i) => {
    return (levels.at(-1)! + 0.5 * slope * (i + 1)) * (table[(SALES.length + i) % 4]! / overall);
  });
  const build = (site: ModelSite): Model[] => {
    const profile = seasonalMean(site, { alpha: 0.2, prior: 1 });
    return [profile, theta(site, profile, { name: 'test', alpha, memory, prior: 1 })];
  };
  expectClose(run(build, SALES), expected);
});

describe('seasonal autoregression: ridge regression of seasonal differences, carried on from its own forecasts', () => {
  /** Regressors of bucket t, given the level l. */
  function regressors(y: readonly number[], t: number, m: number, level: number): number[] {
    const difference = (i: number): number => (i < m ? 0 : y[i]! - y[i - m]!);
    const week = (i: number): number => (i < 4 ? 0 : y[i - 4]! - y[i - m]!);
    const lags = [difference(t - 1) - level, difference(t - 2) - level];
    return m === 4 ? lags : [...lags, week(t), week(t - 1), week(t - 2)];
  }

  function expected(m: number, drift: number): number[] {
    const rows: number[][] = [];
    const targets: number[] = [];
    let scale = 0;
    let level = 0;
    for (let t = m; t < SALES.length; t++) {
      const difference = SALES[t]! - SALES[t - m]!;
      scale += Math.max(1 / (t - m + 1), 1 / 32) * (Math.abs(difference) - scale);
      if (t >= 4) {
        rows.push(regressors(SALES, t, m, level).map((value) => value / scale));
        targets.push((difference - level) / scale);
      }
      if (drift > 0) level += Math.max(drift, 1 / (t - m + 1)) * (difference - level);
    }
    const coefficients = ridgeRegression(rows, targets, 1);
    const path = [...SALES];
    for (let t = SALES.length; t < SALES.length + HORIZON; t++) {
      const moved = regressors(path, t, m, level).reduce((sum, x, i) => sum + x * coefficients[i]!, level);
      path.push(path[t - m]! + moved);
    }
    return path.slice(SALES.length);
  }

  test.each([
    ['one season', 4, 0],
    ['one season with a smoothed difference', 4, 0.3],
    ['a short season in a long one', 2, 0],
  ])('%s', (_, shortSeason, drift) => {
    const build = (site: ModelSite): Model[] => {
      const naive = seasonalNaive(site, 1);
      return [naive, seasonalAutoregression(site, naive, { drift, memory: 1, prior: 1 })];
    };
    expectClose(run(build, SALES, shortSeason), expected(shortSeason, drift));
  });
});
