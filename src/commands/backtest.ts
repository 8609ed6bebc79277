/** `foretill backtest`: how accurate forecasts would have been, on any file or a reference protocol. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { createRowProblems } from '../adapters/csv/row-problems.ts';
import { chooseForecasters, heavyNames } from '../backtest/forecasters.ts';
import type { Panel } from '../backtest/panel.ts';
import { foldSpecOf } from '../backtest/plan.ts';
import type { BacktestPlan } from '../backtest/plan.ts';
import { reportRows, stepRows } from '../backtest/report.ts';
import { runBacktest } from '../backtest/run-backtest.ts';
import { demandWritable, writeForecasts } from './backtest-forecasts.ts';
import { resultTable, stepTable } from './backtest-table.ts';
import { demandOrigins, openTask, tellNotes, tellProblems } from './backtest-task.ts';
import type { TaskOptions } from './backtest-task.ts';
import { jsonOption, wholeNumber } from './options.ts';
import { startProgress } from './progress.ts';

type Options = TaskOptions & {
  readonly models: string;
  readonly threads?: number;
  readonly byStep?: boolean;
  readonly json?: boolean;
  readonly out?: string;
};

const HORIZON_MAX = 10_000;
const SEASON_MAX = 100_000;
const ORIGINS_MAX = 100_000;
const THREADS_MAX = 256;

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
