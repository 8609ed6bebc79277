/** Panels for tests: series of numbers, a day each from Monday 2024-01-01 on, or as many buckets of an index. */
import { buildPanel, createSeriesRows } from '../../src/backtest/panel.ts';
import type { Panel } from '../../src/backtest/panel.ts';
import type { BacktestPlan } from '../../src/backtest/plan.ts';
import { DAY_MS } from '../../src/sales/durations.ts';

const MONDAY_MS = Date.UTC(2024, 0, 1);

export function dailyPanel(
  series: Readonly<Record<string, readonly number[]>>,
  known: Readonly<Record<string, readonly number[]>> = {},
): Panel {
  const longest = Object.values(series).reduce((most, values) => Math.max(most, values.length), 0);
  const times = Array.from({ length: longest }, (_, day) => MONDAY_MS + day * DAY_MS);
  const names = Object.keys(known);
  const rows = Object.entries(series).map(([id, values]) => {
    const packed = createSeriesRows(names.length);
    for (const [day, y] of values.entries()) {
      packed.add({
        ds: day,
        y,
        covariates: names.map((name) => known[name]![day]!),
        test: false,
        line: day + 2,
      });
    }
    return [id, packed] as const;
  });
  return buildPanel({
    frequency: { kind: 'width', name: 'D', widthMs: DAY_MS },
    rows: new Map(rows),
    ds: times.map((time) => new Date(time).toISOString().slice(0, 10)),
    times,
    known: names,
    past: [],
  }).panel;
}

export const DAILY_PLAN: BacktestPlan = {
  dataset: 'test',
  seasons: [7],
  naiveSeason: 7,
  naiveWindow: null,
  scaleSeason: 7,
  horizon: 3,
  origins: { kind: 'last', count: 2, step: 3 },
  levels: [80, 95],
  refitEvery: 1,
};
