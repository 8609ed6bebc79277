/** Outcomes of a backtest as rows, by the names that the reference's tables have. */
import { YARDSTICK } from './forecasters.ts';
import { figuresOf, meanOf, medianOf, seriesMase } from './metrics.ts';
import type { Figures } from './metrics.ts';
import { originsOf } from './origins.ts';
import type { Panel } from './panel.ts';
import type { BacktestPlan } from './plan.ts';
import type { ModelOutcome } from './run-backtest.ts';

/** One model on one set; null where there is nothing to compute a figure from. */
export type ReportRow = Readonly<Record<string, string | number | null>>;

type Judged = {
  readonly outcome: ModelOutcome;
  readonly plan: BacktestPlan;
  /** series that are long enough for the plan */
  readonly series: number;
  readonly origins: number;
};

/** Columns of a plan with origins at the end of each series, in the order of the outcomes. */
export function reportRows(
  outcomes: readonly ModelOutcome[],
  panel: Panel,
  plan: BacktestPlan,
): readonly ReportRow[] {
  const counts = panel.series.map((series) => originsOf(plan.origins, series, plan.horizon).length);
  const series = counts.filter((count) => count > 0).length;
  const origins = counts.reduce((most, count) => Math.max(most, count), 0);
  const yardstick = outcomes.find(({ model }) => model === YARDSTICK);
  const yardstickMase = yardstick === undefined ? Number.NaN : maseOf(yardstick);
  return outcomes.map((outcome) => {
    const judged = { outcome, plan, series, origins };
    return plan.origins.kind === 'prequential' ? prequentialRow(judged) : plainRow(judged, yardstickMase);
  });
}

function plainRow({ outcome, plan, series, origins }: Judged, yardstickMase: number): ReportRow {
  const tallies = outcome.series.map(({ tally }) => tally);
  const all = figuresOf(tallies, { fromStep: 1, toStep: plan.horizon }, plan.levels.length);
  const mase = maseOf(outcome);
  return {
    dataset: plan.dataset,
    model: outcome.model,
    n_series: series,
    origins,
    MASE: rounded(mase),
    MASE_med: rounded(medianOf(tallies.flatMap((tally) => [...tally.mase]))),
    RMSSE: rounded(meanOf(tallies.flatMap((tally) => [...tally.rmsse]))),
    sMAPE: rounded(all.smape),
    WAPE: rounded(all.wape),
    RMSE: rounded(all.rmse),
    MAE: rounded(all.mae),
    MAPE: rounded(all.mape),
    bias_pct: rounded(all.biasPct),
    wQL: rounded(all.wql),
    ...intervalColumns('cov', '', plan, all),
    wall_s: rounded(outcome.wallSeconds),
    cpu_s: rounded(outcome.cpuSeconds),
    cpu_ms_per_fit: rounded((1_000 * outcome.cpuSeconds) / (series * origins)),
    note: '',
    rel_MASE_vs_SN_same_series: rounded(mase / yardstickMase),
    ...intervalColumns('width', '', plan, all),
    us_per_update: rounded(microsPerUpdate(outcome)),
  };
}

function prequentialRow({ outcome, plan, series, origins }: Judged): ReportRow {
  const tallies = outcome.series.map(({ tally }) => tally);
  const levels = plan.levels.length;
  const nextStep = { fromStep: 1, toStep: 1 };
  const allSteps = { fromStep: 1, toStep: plan.horizon };
  const next = figuresOf(tallies, nextStep, levels);
  const all = figuresOf(tallies, allSteps, levels);
  return {
    dataset: plan.dataset,
    model: outcome.model,
    n_series: series,
    origins,
    H: plan.horizon,
    MASE_h1: rounded(seriesMase(tallies, nextStep, levels)),
    MASE_1toH: rounded(seriesMase(tallies, allSteps, levels)),
    WAPE_h1: rounded(next.wape),
    WAPE_1toH: rounded(all.wape),
    RMSE_h1: rounded(next.rmse),
    ...intervalColumns('cov', '_h1', plan, next),
    ...intervalColumns('cov', '_1toH', plan, all),
    wQL_h1: rounded(next.wql),
    wQL_1toH: rounded(all.wql),
    wall_s: rounded(outcome.wallSeconds),
    cpu_s: rounded(outcome.cpuSeconds),
    origins_per_s: rounded((series * origins) / outcome.wallSeconds),
    note: '',
    ...intervalColumns('width', '_h1', plan, next),
    us_per_update: rounded(microsPerUpdate(outcome)),
  };
}

/** Figures of every step of the horizon, for each model. */
export function stepRows(outcomes: readonly ModelOutcome[], plan: BacktestPlan): readonly ReportRow[] {
  return outcomes.flatMap(({ model, series }) => {
    const tallies = series.map(({ tally }) => tally);
    return Array.from({ length: plan.horizon }, (_, i) => {
      const at = figuresOf(tallies, { fromStep: i + 1, toStep: i + 1 }, plan.levels.length);
      return {
        dataset: plan.dataset,
        model,
        step: i + 1,
        points: at.points,
        MASE: rounded(at.mase),
        WAPE: rounded(at.wape),
        RMSE: rounded(at.rmse),
        MAE: rounded(at.mae),
        bias_pct: rounded(at.biasPct),
        wQL: rounded(at.wql),
        ...intervalColumns('cov', '', plan, at),
        ...intervalColumns('width', '', plan, at),
      };
    });
  });
}

/** `cov80`, `cov95` …, one per level. */
function intervalColumns(
  kind: 'cov' | 'width',
  suffix: string,
  plan: BacktestPlan,
  figures: Figures,
): ReportRow {
  return Object.fromEntries(
    plan.levels.map((level, i) => {
      const { coverage, width } = figures.intervals[i]!;
      return [`${kind}${level}${suffix}`, rounded(kind === 'cov' ? coverage : width)];
    }),
  );
}

function maseOf({ series }: ModelOutcome): number {
  return meanOf(series.flatMap(({ tally }) => [...tally.mase]));
}

function microsPerUpdate({ series, cpuSeconds }: ModelOutcome): number {
  return (1e6 * cpuSeconds) / series.reduce((sum, { updates }) => sum + updates, 0);
}

/** To four digits, as the reference's tables are; null for what is no number. */
function rounded(value: number): number | null {
  return Number.isFinite(value) ? Math.round(value * 1e4) / 1e4 : null;
}
