/**
 * What reconciliation does to accuracy, level by level, on a till's year: 20 stores × categories, days and hours, with the
 * live engine and its own variances, over rolling origins of the last two fifths.
 */
import { existsSync } from 'node:fs';
import { sumCount } from '../../src/hierarchy/groups.ts';
import type { StepForecasts } from '../../src/hierarchy/reconcile.ts';
import { createReconciler } from '../../src/hierarchy/reconcile.ts';
import { agreeWithDay } from '../../src/hierarchy/temporal.ts';
import type { CalendarWindow, Engine } from '../../src/models/engine.ts';
import { createEngine, createForecastBuffer, createScoredBuffer } from '../../src/models/engine.ts';
import type { Slab } from '../../src/stats/slab.ts';
import { createSlab } from '../../src/stats/slab.ts';
import { scaleOf } from '../../src/backtest/metrics.ts';
import { byDay, DAYS, readTill, TILL_FILES, tillHierarchy } from './till-hierarchy.ts';
import type { TillHierarchy } from './till-hierarchy.ts';

type Granularity = 'hour' | 'day';

const SEASONS = {
  hour: { season: 168, shortSeason: 24, horizon: 48 },
  day: { season: 7, shortSeason: 7, horizon: 28 },
} as const;
const PROBABILITIES = [0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975];
/** The year begins on a Sunday: slot 0 is Monday's first. */
const FIRST_SLOT = { hour: 6 * 24, day: 6 };
const FIRST_DAY = Math.floor(0.6 * DAYS);
/** Buckets from origin to origin: no multiple of a day of hours. */
const ORIGIN_EVERY = { hour: 131, day: 7 };
const METHODS = ['base', 'bottom-up', 'top-down', 'min-trace'] as const;
type Method = (typeof METHODS)[number];

export async function benchHierarchy({ quick }: { readonly quick: boolean }): Promise<void> {
  const missing = TILL_FILES.find((path) => !existsSync(path));
  if (missing !== undefined) {
    console.log(`hierarchy: ${missing} is not there; it lies beside the repository and not in it.`);
    return;
  }
  const till = await readTill();
  const sizes = quick ? [10] : [10, 30];
  for (const categories of sizes) {
    const hours = tillHierarchy(till, categories, 24 * FIRST_DAY);
    compareLevels('hour', hours, categories);
    const days = byDay(hours);
    compareLevels('day', days, categories);
    if (categories === 10) compareDays(hours, days);
  }
}

/** MASE per level and method. */
function compareLevels(granularity: Granularity, hierarchy: TillHierarchy, categories: number): void {
  const { series, levels } = hierarchy;
  const fold = createFold(granularity, series);
  const { horizon, season } = SEASONS[granularity];
  const tallies = new Map(METHODS.map((method) => [method, levels.map(() => createMean())]));
  const length = series[0]!.length;
  const first = granularity === 'hour' ? 24 * FIRST_DAY : FIRST_DAY;
  let origins = 0;
  for (let t = 0; t < length; t++) {
    if (t >= first && t + horizon <= length && (t - first) % ORIGIN_EVERY[granularity] === 0) {
      origins++;
      const scales = series.map((y) => scaleOf(y, t, season).absolute);
      const steps = fold.stepsFrom(t, hierarchy);
      for (const method of METHODS) {
        const means = reconciled(hierarchy, steps, method);
        for (const [l, { from, to }] of levels.entries())
          for (let i = from; i < to; i++)
            tallies.get(method)![l]!.add(error(means, series[i]!, { node: i, t }) / scales[i]!);
      }
    }
    fold.learn(t);
  }
  console.log(
    `${granularity}: 20 stores × ${categories} categories, ${series.length} series, ${origins} origins, MASE`,
  );
  printRow(
    '',
    levels.map(({ name }) => name),
  );
  for (const [method, means] of tallies)
    printRow(
      method,
      means.map((mean) => mean.value().toFixed(4)),
    );
  console.log('');
}

/** Rows by step: leaves, then sums. */
function reconciled(
  { groups }: TillHierarchy,
  steps: readonly StepForecasts[],
  method: Method,
): readonly Float64Array[] {
  const reconciler = method === 'base' ? null : createReconciler(groups, method);
  return steps.map((step) => {
    const leafMean = step.leafMean.slice();
    const sumMean = step.sumMean.slice();
    reconciler?.reconcile({ ...step, leafMean, sumMean });
    return Float64Array.of(...leafMean, ...sumMean);
  });
}

function error(means: readonly Float64Array[], y: Float64Array, at: { node: number; t: number }): number {
  let sum = 0;
  for (const [h, row] of means.entries()) sum += Math.abs(row[at.node]! - y[at.t + h]!);
  return sum / means.length;
}

const WAYS = ['base', 'hours follow days', 'both by variance', 'days follow hours'] as const;

/** The next two days from midnight, each series alone: MASE of the hours and of the days. */
function compareDays(hours: TillHierarchy, days: TillHierarchy): void {
  const [hourFold, dayFold] = [createFold('hour', hours.series), createFold('day', days.series)];
  const tallies = new Map(
    WAYS.map((way) => [way, hours.levels.map(() => ({ hour: createMean(), day: createMean() }))]),
  );
  for (let day = 0; day < DAYS; day++) {
    if (day >= FIRST_DAY && day % 3 === 0 && day + 2 <= DAYS) {
      for (const [l, { from, to }] of hours.levels.entries()) {
        for (let node = from; node < to; node++) {
          const hourPath = hourFold.path(24 * day, node);
          const dayPath = dayFold.path(day, node);
          const [yHours, yDays] = [hours.series[node]!, days.series[node]!];
          const hourScale = scaleOf(yHours, 24 * day, SEASONS.hour.season).absolute;
          const dayScale = scaleOf(yDays, day, SEASONS.day.season).absolute;
          for (let step = 0; step < 2; step++) {
            for (const way of WAYS) {
              const mean = hourPath.mean.slice();
              const place = { from: 24 * step, to: 24 * step + 24 };
              const own = { mean: dayPath.mean[step]!, variance: dayPath.variance[step]! };
              let dayMean = own.mean;
              if (way === 'hours follow days')
                agreeWithDay(mean, hourPath.variance, place, { ...own, variance: 0 });
              if (way === 'both by variance') dayMean = agreeWithDay(mean, hourPath.variance, place, own);
              if (way === 'days follow hours')
                dayMean = mean.subarray(place.from, place.to).reduce((a, b) => a + b);
              let sum = 0;
              for (let h = place.from; h < place.to; h++) sum += Math.abs(mean[h]! - yHours[24 * day + h]!);
              const tally = tallies.get(way)![l]!;
              tally.hour.add(sum / 24 / hourScale);
              tally.day.add(Math.abs(dayMean - yDays[day + step]!) / dayScale);
            }
          }
        }
      }
    }
    for (let h = 0; h < 24; h++) hourFold.learn(24 * day + h);
    dayFold.learn(day);
  }
  console.log('hours and days of the same series, the next two days from midnight, MASE of hours / of days');
  printRow(
    '',
    hours.levels.map(({ name }) => name),
  );
  for (const [way, cells] of tallies)
    printRow(
      way,
      cells.map(({ hour, day }) => `${hour.value().toFixed(3)} / ${day.value().toFixed(3)}`),
    );
  console.log('');
}

/** A live engine folded over series that begin with their first sale. */
function createFold(granularity: Granularity, series: readonly Float64Array[]) {
  const spec = { granularity, ...SEASONS[granularity], probabilities: PROBABILITIES };
  const engine: Engine = createEngine(spec);
  const slab: Slab = createSlab(series.length * engine.words);
  for (let i = 0; i < series.length; i++) engine.init(slab, i * engine.words);
  const scored = createScoredBuffer(engine);
  const buffer = createForecastBuffer(engine.spec);
  const calendarAt = (t: number): CalendarWindow => {
    const slotOf = (bucket: number): number => (bucket + FIRST_SLOT[granularity]) % spec.season;
    return { slot: slotOf(t), ahead: Int32Array.from({ length: spec.horizon }, (_, h) => slotOf(t + 1 + h)) };
  };
  const begun = (i: number): boolean => engine.count(slab, i * engine.words) > 0;

  function path(t: number, i: number): { mean: Float64Array; variance: Float64Array } {
    const mean = new Float64Array(spec.horizon);
    const variance = new Float64Array(spec.horizon);
    if (!begun(i)) return { mean, variance };
    engine.forecast(slab, i * engine.words, calendarAt(t - 1), buffer);
    mean.set(buffer.mean);
    for (let h = 0; h < mean.length; h++)
      variance[h] = engine.variance(slab, i * engine.words, h + 1, mean[h]!);
    return { mean, variance };
  }

  return {
    path,
    learn(t: number): void {
      const calendar = calendarAt(t);
      for (const [i, y] of series.entries())
        if (begun(i) || y[t] !== 0) engine.step(slab, i * engine.words, y[t]!, calendar, scored);
    },
    /** Forecasts of the buckets from t on, by step. */
    stepsFrom(t: number, { groups }: TillHierarchy): StepForecasts[] {
      const paths = series.map((_, i) => path(t, i));
      const sums = sumCount(groups);
      return Array.from({ length: spec.horizon }, (_, h) => {
        const mean = Float64Array.from(paths, (one) => one.mean[h]!);
        const variance = Float64Array.from(paths, (one) => one.variance[h]!);
        return {
          leafMean: mean.slice(0, groups.leaves),
          leafVariance: variance.slice(0, groups.leaves),
          sumMean: mean.slice(groups.leaves, groups.leaves + sums),
          sumVariance: variance.slice(groups.leaves, groups.leaves + sums),
        };
      });
    },
  };
}

/** Of finite values. */
function createMean() {
  let sum = 0;
  let n = 0;
  return {
    add(value: number): void {
      if (!Number.isFinite(value)) return;
      sum += value;
      n++;
    },
    value: () => sum / n,
  };
}

function printRow(name: string, cells: readonly string[]): void {
  console.log(`  ${name.padEnd(18)}${cells.map((cell) => cell.padStart(16)).join('')}`);
}
