/** Results of a backtest as aligned columns. */
import type { ReportRow } from '../backtest/report.ts';
import type { BacktestPlan } from '../backtest/plan.ts';

type Column = {
  readonly title: string;
  /** key of the row, or what makes the cell of it */
  readonly of: string;
  readonly digits: number;
};

export function resultTable(rows: readonly ReportRow[], plan: BacktestPlan): string {
  const prequential = plan.origins.kind === 'prequential';
  const { dataset, n_series: series, origins } = rows[0] ?? {};
  const head = `${dataset}: ${series} series, ${origins} ${origins === 1 ? 'origin' : 'origins'}, horizon ${plan.horizon}, seasons ${plan.seasons.join(', ')}, MASE by season ${plan.scaleSeason}`;
  return `${head}\n\n${aligned(rows, prequential ? prequentialColumns(plan) : plainColumns(plan))}`;
}

export function stepTable(rows: readonly ReportRow[], plan: BacktestPlan): string {
  return aligned(rows, [
    { title: 'model', of: 'model', digits: 0 },
    { title: 'step', of: 'step', digits: 0 },
    ...figures(['MASE', 3], ['WAPE', 2], ['RMSE', 3], ['MAE', 3]),
    { title: 'bias%', of: 'bias_pct', digits: 2 },
    ...figures(['wQL', 2]),
    ...intervals(plan, ''),
  ]);
}

function plainColumns(plan: BacktestPlan): readonly Column[] {
  return [
    { title: 'model', of: 'model', digits: 0 },
    ...figures(['MASE', 3]),
    { title: 'rel', of: 'rel_MASE_vs_SN_same_series', digits: 3 },
    ...figures(['RMSSE', 3], ['sMAPE', 2], ['WAPE', 2], ['RMSE', 3], ['MAE', 3], ['MAPE', 2]),
    { title: 'bias%', of: 'bias_pct', digits: 2 },
    ...figures(['wQL', 2]),
    ...intervals(plan, ''),
    ...TIMES,
  ];
}

function prequentialColumns(plan: BacktestPlan): readonly Column[] {
  return [
    { title: 'model', of: 'model', digits: 0 },
    ...figures(
      ['MASE_h1', 3],
      ['MASE_1toH', 3],
      ['WAPE_h1', 2],
      ['WAPE_1toH', 2],
      ['RMSE_h1', 3],
      ['wQL_h1', 2],
      ['wQL_1toH', 2],
    ),
    ...intervals(plan, '_h1'),
    ...TIMES,
  ];
}

const TIMES: readonly Column[] = [
  { title: 'seconds', of: 'wall_s', digits: 2 },
  { title: 'us/update', of: 'us_per_update', digits: 1 },
];

function figures(...names: readonly (readonly [string, number])[]): readonly Column[] {
  return names.map(([name, digits]) => ({ title: name, of: name, digits }));
}

function intervals({ levels }: BacktestPlan, suffix: string): readonly Column[] {
  return (['cov', 'width'] as const).flatMap((kind) =>
    levels.map((level) => ({ title: `${kind}${level}`, of: `${kind}${level}${suffix}`, digits: 1 })),
  );
}

/** Texts to the left, numbers to the right; what has no figure is a dash. */
function aligned(rows: readonly ReportRow[], columns: readonly Column[]): string {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ of, digits }) => cell(row[of], digits))),
  ];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i]?.length ?? 0)));
  return cells
    .map((line) =>
      line.map((text, i) => (i === 0 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join('  '),
    )
    .join('\n');
}

function cell(value: string | number | null | undefined, digits: number): string {
  if (value === null || value === undefined) return '–';
  return typeof value === 'string' ? value : value.toFixed(digits);
}
