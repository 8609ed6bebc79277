/** What is asked of a backtest, apart from where its data are. */
import { grainOf } from './frequency.ts';
import type { FoldSpec } from './forecaster.ts';
import type { QuantilePlaces } from './metrics.ts';
import type { OriginRule } from './origins.ts';
import type { Panel } from './panel.ts';

export type BacktestPlan = {
  readonly dataset: string;
  /** rising; the first is the engine's short season, the longest made of whole ones its cycle */
  readonly seasons: readonly number[];
  /** lag of SeasonalNaive, and what its interval is taken from */
  readonly naiveSeason: number;
  readonly naiveWindow: number | null;
  /** lag of the scale in MASE and RMSSE */
  readonly scaleSeason: number;
  readonly horizon: number;
  readonly origins: OriginRule;
  /** of intervals, in %, rising */
  readonly levels: readonly number[];
  readonly refitEvery: number;
};

/** What the live system publishes, and what wQL needs. */
const PROBABILITIES = [0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975];

/** Those of the live system and both ends of every level, rising. */
export function probabilitiesOf(levels: readonly number[]): readonly number[] {
  const ends = levels.flatMap((level) => [lowEnd(level), highEnd(level)]);
  return [...new Set([...PROBABILITIES, ...ends])].sort((a, b) => a - b);
}

export function quantilePlaces(levels: readonly number[]): QuantilePlaces {
  const probabilities = probabilitiesOf(levels);
  return {
    count: probabilities.length,
    low80: probabilities.indexOf(0.1),
    high80: probabilities.indexOf(0.9),
    levels: levels.map((level) => ({
      low: probabilities.indexOf(lowEnd(level)),
      high: probabilities.indexOf(highEnd(level)),
    })),
  };
}

/** The cycle that the engine is given: the first season, and the longest of the others that is made of whole ones. */
export function cycleOf(seasons: readonly number[]): { season: number; shortSeason: number } {
  const shortSeason = seasons[0] ?? 1;
  const season = seasons.findLast((each) => each % shortSeason === 0) ?? shortSeason;
  return { season, shortSeason };
}

export function foldSpecOf(plan: BacktestPlan, panel: Panel, series: number): FoldSpec {
  const cycle = cycleOf(plan.seasons);
  return {
    grain: grainOf(panel.frequency, cycle.shortSeason),
    ...cycle,
    naiveSeason: plan.naiveSeason,
    naiveWindow: plan.naiveWindow,
    horizon: plan.horizon,
    probabilities: probabilitiesOf(plan.levels),
    known: panel.known,
    past: panel.past,
    refitEvery: plan.refitEvery,
    series,
  };
}

/** In thousandths of a per cent and not by (1 − p), so that 80 % begins at 0.1 exactly. */
function lowEnd(level: number): number {
  return Math.round(500 * (100 - level)) / 100_000;
}

function highEnd(level: number): number {
  return Math.round(500 * (100 + level)) / 100_000;
}
