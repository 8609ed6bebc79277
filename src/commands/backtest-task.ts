/** The series and the plan of a backtest, from a file and options or from a protocol, and what is to be said of them. */
import { basename, dirname, join } from 'node:path';
import type { DateOrder } from '../adapters/csv/local-time.ts';
import { openTable } from '../adapters/csv/open-table.ts';
import type { RowProblems } from '../adapters/csv/row-problems.ts';
import { usualHorizon, usualSeasons } from '../backtest/frequency.ts';
import { scaleOf } from '../backtest/metrics.ts';
import { originsOf } from '../backtest/origins.ts';
import type { Panel } from '../backtest/panel.ts';
import { cycleOf } from '../backtest/plan.ts';
import type { BacktestPlan } from '../backtest/plan.ts';
import { protocolPanel } from '../backtest/protocol-panel.ts';
import { readPanel } from '../backtest/read-panel.ts';
import type { PanelReading } from '../backtest/read-panel.ts';
import { readProtocol } from '../backtest/read-protocol.ts';
import { ForetillError } from '../errors.ts';
import { startProgress } from './progress.ts';
import type { Progress } from './progress.ts';

/** What decides upon series and plan. */
export type TaskOptions = {
  readonly id: string;
  readonly time: string;
  readonly target: string;
  readonly freq?: string;
  readonly dates: DateOrder;
  readonly season?: readonly number[];
  readonly maseSeason?: number;
  readonly horizon?: number;
  readonly origins?: number;
  readonly step?: number;
  readonly splitColumn?: string;
  readonly known: readonly string[];
  readonly past: readonly string[];
  readonly levels: readonly number[];
  readonly refit?: number;
  readonly protocol?: string;
  readonly root?: string;
};

export type Task = { readonly reading: PanelReading; readonly plan: BacktestPlan };

const PROBLEMS_SHOWN = 20;

export function openTask(
  file: string | undefined,
  options: TaskOptions,
  problems: RowProblems,
): Promise<Task> {
  if (options.protocol !== undefined && file !== undefined) {
    throw new ForetillError('USAGE', '--protocol names its data itself.', {
      remedy: `Leave ${file} out, or --protocol; --root says where the protocol's paths begin.`,
    });
  }
  if (options.protocol !== undefined) return openProtocol(options.protocol, options, problems);
  if (file !== undefined) return openFile(file, options, problems);
  throw new ForetillError('USAGE', 'There is nothing to test on.', {
    remedy: 'Name a file, e.g. foretill backtest daily.csv, or --protocol FILE; --help has examples.',
  });
}

async function openProtocol(path: string, options: TaskOptions, problems: RowProblems): Promise<Task> {
  const protocol = await readProtocol(path);
  const root = options.root ?? join(dirname(path), '..');
  const reading = await protocolPanel(protocol, root, problems);
  const refitEvery = options.refit ?? protocol.plan.refitEvery;
  return { reading, plan: { ...protocol.plan, levels: options.levels, refitEvery } };
}

async function openFile(file: string, options: TaskOptions, problems: RowProblems): Promise<Task> {
  const table = await openTable(file);
  const label = `Reading ${basename(file)}`;
  let progress: Progress | null = null;
  const reading = await readPanel({
    table,
    columns: {
      id: options.id,
      time: options.time,
      target: options.target,
      split: options.splitColumn ?? null,
      known: options.known,
      past: options.past,
    },
    frequency: options.freq ?? null,
    dateOrder: options.dates,
    problems,
    onRows(rows) {
      progress ??= startProgress({ label, total: table.bytesTotal });
      progress.update(table.bytesRead(), `${rows.toLocaleString('en')} rows`);
    },
  }).catch((error: unknown) => {
    progress?.giveUp();
    throw error;
  });
  (progress as Progress | null)?.stop(`${reading.rows.toLocaleString('en')} rows`);
  return { reading, plan: planOf(file, reading.panel, options) };
}

function planOf(file: string, panel: Panel, options: TaskOptions): BacktestPlan {
  const seasons = options.season ?? usualSeasons(panel.frequency);
  const longest = seasons.at(-1) ?? 1;
  const split = options.splitColumn !== undefined;
  const longestTest = panel.series.reduce(
    (most, { y, trainLength }) => Math.max(most, y.length - trainLength),
    1,
  );
  const horizon = options.horizon ?? (split ? longestTest : usualHorizon(panel.frequency));
  return {
    dataset: basename(file).replace(/(\.csv|\.txt|\.tsv)?(\.gz)?$/i, ''),
    seasons,
    naiveSeason: options.maseSeason ?? longest,
    naiveWindow: null,
    scaleSeason: options.maseSeason ?? longest,
    horizon,
    origins: split
      ? { kind: 'split' }
      : { kind: 'last', count: options.origins ?? 1, step: options.step ?? horizon },
    levels: options.levels,
    refitEvery: options.refit ?? 1,
  };
}

/** Throws INPUT_INVALID when no series is long enough. */
export function demandOrigins(panel: Panel, plan: BacktestPlan): void {
  if (panel.series.some((series) => originsOf(plan.origins, series, plan.horizon).length > 0)) return;
  const longest = panel.series.reduce((most, { y }) => Math.max(most, y.length), 0);
  if (plan.origins.kind === 'split') {
    throw new ForetillError('INPUT_INVALID', 'No series has both rows called "test" and rows before them.', {
      remedy: 'Check --split-column, or leave it out and use --origins.',
    });
  }
  const needed =
    plan.origins.kind === 'last' ? plan.horizon + plan.origins.step * (plan.origins.count - 1) + 1 : 0;
  throw new ForetillError(
    'INPUT_INVALID',
    `No series is long enough: the longest has ${longest} buckets${needed > 0 ? `, and this needs ${needed}` : ''}.`,
    { remedy: 'Use a shorter --horizon, fewer --origins or a smaller --step.' },
  );
}

export function tellProblems(problems: RowProblems): void {
  const count = problems.count();
  if (count === 0) return;
  const shown = [...problems.kept()].sort((a, b) => a.line - b.line).slice(0, PROBLEMS_SHOWN);
  process.stderr.write(`${count.toLocaleString('en')} rows with problems:\n`);
  for (const { line, column, reason } of shown) {
    process.stderr.write(`  line ${line}${column === '' ? '' : `, column ${column}`}: ${reason}\n`);
  }
  if (count > PROBLEMS_SHOWN)
    process.stderr.write(`  … and ${(count - PROBLEMS_SHOWN).toLocaleString('en')} more\n`);
}

export function tellNotes({ panel, gaps }: PanelReading, plan: BacktestPlan): void {
  const short = panel.series.filter(
    (each) => originsOf(plan.origins, each, plan.horizon).length === 0,
  ).length;
  const { season, shortSeason } = cycleOf(plan.seasons);
  const unused = plan.seasons.filter((each) => each !== season && each !== shortSeason);
  const notes = [
    ...(short > 0 ? [`${short} of ${panel.series.length} series are too short and left out`] : []),
    ...(gaps > 0
      ? [
          `${gaps.toLocaleString('en')} buckets are missing between rows; rows are taken as they follow each other`,
        ]
      : []),
    ...(hasScale(panel, plan)
      ? []
      : [
          `no MASE: before its origin no series is longer than a season (${plan.scaleSeason}), or none ever changes`,
        ]),
    ...(unused.length > 0
      ? [`the engine's cycle is ${season}; it makes no use of season ${unused.join(', ')}`]
      : []),
  ];
  for (const note of notes) process.stderr.write(`note: ${note}\n`);
}

function hasScale(panel: Panel, plan: BacktestPlan): boolean {
  return panel.series.some((series) => {
    const last = originsOf(plan.origins, series, plan.horizon).at(-1) ?? 0;
    return scaleOf(series.y, last, plan.scaleSeason).absolute > 0;
  });
}
