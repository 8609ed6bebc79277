/** `foretill backtest`: how accurate forecasts would have been, on any file or a reference protocol. */
import { basename, dirname, join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { DateOrder } from '../adapters/csv/local-time.ts';
import { openTable } from '../adapters/csv/open-table.ts';
import { createRowProblems } from '../adapters/csv/row-problems.ts';
import type { RowProblems } from '../adapters/csv/row-problems.ts';
import { chooseForecasters, heavyNames } from '../backtest/forecasters.ts';
import { usualHorizon, usualSeasons } from '../backtest/frequency.ts';
import { scaleOf } from '../backtest/metrics.ts';
import { originsOf } from '../backtest/origins.ts';
import type { Panel } from '../backtest/panel.ts';
import { cycleOf, foldSpecOf } from '../backtest/plan.ts';
import type { BacktestPlan } from '../backtest/plan.ts';
import { protocolPanel } from '../backtest/protocol-panel.ts';
import { readPanel } from '../backtest/read-panel.ts';
import type { PanelReading } from '../backtest/read-panel.ts';
import { readProtocol } from '../backtest/read-protocol.ts';
import { reportRows, stepRows } from '../backtest/report.ts';
import { runBacktest } from '../backtest/run-backtest.ts';
import { ForetillError } from '../errors.ts';
import { demandWritable, writeForecasts } from './backtest-forecasts.ts';
import { resultTable, stepTable } from './backtest-table.ts';
import { jsonOption, wholeNumber } from './options.ts';
import { startProgress } from './progress.ts';
import type { Progress } from './progress.ts';

type Options = {
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
  readonly models: string;
  readonly levels: readonly number[];
  readonly refit?: number;
  readonly protocol?: string;
  readonly root?: string;
  readonly threads?: number;
  readonly byStep?: boolean;
  readonly json?: boolean;
  readonly out?: string;
};

const HORIZON_MAX = 10_000;
const SEASON_MAX = 100_000;
const ORIGINS_MAX = 100_000;
const THREADS_MAX = 256;
const PROBLEMS_SHOWN = 20;

const EXAMPLES = `
Examples:
  foretill backtest daily.csv.gz --horizon 14 --origins 4
  foretill backtest sales.csv --id store --time week --target revenue --freq W --known promotion,holiday
  foretill backtest m4.csv.gz --season 24,168 --split-column split --models experts
  foretill backtest --protocol reference/protocol_cj_daily.json --root . --json

A row of the file is one bucket of one series: unique_id, ds, y, in any order; covariates in further columns. The last
--origins origins lie --step buckets apart, the last one --horizon buckets before the end; with --split-column the rows
that it calls "test" are forecast. Every model sees each bucket once, in the order of time, as the live system does.
  models  Foretill is the live engine, SeasonalNaive the yardstick; sets: online (both), experts (each of the engine's
          alone), heavy, all
  MASE    mean error over the mean difference from one season before; rel is MASE over SeasonalNaive's
  wQL     weighted quantile loss in % of what was sold; cov80 is how often the 80 % interval held, width80 its width in
          % of what was sold; us/update are microseconds of one core per series and bucket
The answer depends on nothing but file and options. Exit code 3: the file cannot be used, or it has no good row.`;

export function backtestCommand(): Command {
  return new Command('backtest')
    .argument('[file]', 'long .csv or .csv.gz; comma, semicolon, tab or | between the columns')
    .option('--id <column>', 'whose series a row belongs to', 'unique_id')
    .option('--time <column>', 'its date, time, or whole number', 'ds')
    .option('--target <column>', 'what was sold', 'y')
    .option(
      '--freq <frequency>',
      '15min, h, D, W, M, Q, Y, or 1 for a count (default: as the rows lie apart)',
    )
    .addOption(
      new Option('--dates <order>', 'how dates are written').choices(['iso', 'dmy', 'mdy']).default('iso'),
    )
    .option('--season <lengths>', 'buckets of a cycle, e.g. 24,168 (default: by frequency)', seasonList)
    .option(
      '--mase-season <length>',
      'season of MASE and SeasonalNaive (default: the longest)',
      wholeNumber(1, SEASON_MAX),
    )
    .option(
      '--horizon <steps>',
      'buckets forecast ahead (default: by frequency)',
      wholeNumber(1, HORIZON_MAX),
    )
    .addOption(
      new Option('--origins <n>', 'how often it is forecast (default: 1)')
        .argParser(wholeNumber(1, ORIGINS_MAX))
        .conflicts('splitColumn'),
    )
    .addOption(
      new Option('--step <n>', 'buckets between origins (default: the horizon)')
        .argParser(wholeNumber(1, ORIGINS_MAX))
        .conflicts('splitColumn'),
    )
    .option('--split-column <column>', 'its rows "test" are forecast, from the rows before')
    .option('--known <columns>', 'covariates known ahead, comma separated', nameList, [])
    .option('--past <columns>', 'covariates known only afterwards', nameList, [])
    .option('--models <names>', 'models or sets, comma separated', 'online')
    .option('--levels <percents>', 'intervals', levelList, [80, 95])
    .option('--refit <n>', 'heavy models are fitted anew at every n-th origin', wholeNumber(1, ORIGINS_MAX))
    .addOption(
      new Option('--protocol <file>', 'take data and plan from a reference protocol').conflicts([
        'freq',
        'season',
        'maseSeason',
        'horizon',
        'origins',
        'step',
        'splitColumn',
        'id',
        'time',
        'target',
        'dates',
        'known',
        'past',
      ]),
    )
    .option('--root <directory>', 'what paths in the protocol begin at (default: above its directory)')
    .option('--threads <n>', 'default: as many as there are cores', wholeNumber(1, THREADS_MAX))
    .option('--by-step', 'also the figures of each step of the horizon')
    .addOption(jsonOption())
    .option('--out <file>', 'write every forecast to this .csv')
    .addHelpText('after', EXAMPLES)
    .action(backtest);
}

type Task = { readonly reading: PanelReading; readonly plan: BacktestPlan };

async function backtest(file: string | undefined, options: Options): Promise<void> {
  if (options.out !== undefined) await demandWritable(options.out);
  const problems = createRowProblems();
  const { reading, plan } = await openTask(file, options, problems);
  const { panel } = reading;
  tellProblems(problems);
  demandOrigins(panel, plan);
  tellNotes(reading, plan);
  const models = chooseModels(panel, plan, options.models);
  const progress = startProgress({
    label: `Backtest of ${plan.dataset}`,
    total: models.length * panel.series.length,
  });
  const outcomes = await runBacktest({
    panel,
    plan,
    models,
    keepForecasts: options.out !== undefined,
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    onProgress: (done, _total, model) => progress.update(done, model),
  }).catch((error: unknown) => {
    progress.giveUp();
    throw error;
  });
  progress.stop(`${models.length} models`);
  const rows = reportRows(outcomes, panel, plan);
  const steps = options.byStep === true ? stepRows(outcomes, plan) : [];
  if (options.json === true) {
    const withSteps = rows.map((row) =>
      options.byStep === true
        ? { ...row, by_step: steps.filter((step) => step['model'] === row['model']) }
        : row,
    );
    process.stdout.write(`${JSON.stringify(withSteps)}\n`);
  } else {
    process.stdout.write(`${resultTable(rows, plan)}\n`);
    if (steps.length > 0) process.stdout.write(`\n${stepTable(steps, plan)}\n`);
  }
  if (options.out !== undefined) await writeForecasts(options.out, outcomes, panel, plan);
}

function openTask(file: string | undefined, options: Options, problems: RowProblems): Promise<Task> {
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

async function openProtocol(path: string, options: Options, problems: RowProblems): Promise<Task> {
  const protocol = await readProtocol(path);
  const root = options.root ?? join(dirname(path), '..');
  const reading = await protocolPanel(protocol, root, problems);
  const refitEvery = options.refit ?? protocol.plan.refitEvery;
  return { reading, plan: { ...protocol.plan, levels: options.levels, refitEvery } };
}

async function openFile(file: string, options: Options, problems: RowProblems): Promise<Task> {
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

function planOf(file: string, panel: Panel, options: Options): BacktestPlan {
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
function demandOrigins(panel: Panel, plan: BacktestPlan): void {
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

function tellProblems(problems: RowProblems): void {
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

function tellNotes({ panel, gaps }: PanelReading, plan: BacktestPlan): void {
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

function chooseModels(panel: Panel, plan: BacktestPlan, wanted: string): readonly string[] {
  const spec = foldSpecOf(plan, panel, 1);
  const models = chooseForecasters(spec, wanted);
  if (/\bheavy\b/i.test(wanted) && heavyNames(spec).length === 0)
    process.stderr.write('note: this version has no heavy models yet; the others run\n');
  return models;
}

function nameList(text: string): readonly string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function seasonList(text: string): readonly number[] {
  const lengths = text.split(',').map((each) => wholeNumber(1, SEASON_MAX)(each.trim()));
  return [...new Set(lengths)].sort((a, b) => a - b);
}

function levelList(text: string): readonly number[] {
  const levels = text.split(',').map((each) => Number(each.trim() === '' ? Number.NaN : each));
  if (levels.every((level) => level > 0 && level < 100)) return [...new Set(levels)].sort((a, b) => a - b);
  throw new InvalidArgumentError('It must be per cents between 0 and 100, such as 80,95.');
}
