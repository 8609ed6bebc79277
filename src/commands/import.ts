/** `foretill import FILE`: history and companion data from CSV. */
import { basename } from 'node:path';
import { Command, Option } from 'commander';
import { readProducts } from '../adapters/clickhouse/companions-table.ts';
import { parseMappings } from '../adapters/csv/columns.ts';
import { instantOfText } from '../adapters/csv/local-time.ts';
import { openTable } from '../adapters/csv/open-table.ts';
import type { CsvTable } from '../adapters/csv/open-table.ts';
import type { RowProblem } from '../adapters/csv/row-problems.ts';
import { tillColumns } from '../adapters/csv/till-columns.ts';
import type { TillSource } from '../adapters/csv/till-source.ts';
import { systemClock } from '../clock.ts';
import type { Config } from '../config.ts';
import { exitCodeOf, ForetillError } from '../errors.ts';
import { openPlatform } from '../platform.ts';
import type { Platform } from '../platform.ts';
import type { Granularity } from '../sales/series.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import { dataDir, keepSettings, loadConfig } from './data-dir-settings.ts';
import { COMPANION_KINDS, importCompanions } from './import-companions.ts';
import type { CompanionKindName } from './import-companions.ts';
import { importHistory } from './import-history.ts';
import { importTotals } from './import-totals.ts';
import { dateText, dirOption, jsonOption } from './options.ts';
import { addPlatformOptions, PLATFORM_ENVIRONMENT, platformPlaces } from './platform-options.ts';
import type { PlatformPlaces } from './platform-options.ts';
import { writeErrorDetailsTo } from './report-error.ts';
import { addTillOptions, KNOWN_FILES, tillSource } from './till-options.ts';
import type { TillOptions } from './till-options.ts';

type Options = TillOptions &
  PlatformPlaces & {
    readonly kind?: 'transactions' | 'sales' | CompanionKindName;
    readonly granularity: Granularity;
    readonly until?: string;
    readonly dryRun?: boolean;
    readonly dir?: string;
    readonly json?: boolean;
  };

/** What every kind of import says at the end. */
type Summary = {
  readonly file: string;
  readonly kind: string;
  readonly rows: number;
  readonly good: number;
  readonly bad: number;
  readonly duplicates: number;
  readonly details: Readonly<Record<string, string | number | null>>;
  readonly problems: readonly RowProblem[];
};

const PROBLEMS_SHOWN = 20;

const EXAMPLES = `
Examples:
  foretill import completejourney_transactions.csv.gz          a known file: found by its columns
  foretill import till.csv --kind transactions --zone Europe/Berlin --currency EUR --map sku=ItemNo --map ticket=Bon
  foretill import daily.csv --kind sales --granularity day --map units=y --map store=unique_id
  foretill import products.csv --kind products --dry-run       checks the file, stores nothing

${KNOWN_FILES}
Times without an offset are the clock of --zone: one that occurs twice (clock set back) is the first of the two, one that
never was (clock set forward) is the instant of the change.
Importing a file again changes nothing. Exit code 3: the file cannot be used, or it has no good row.
${PLATFORM_ENVIRONMENT}`;

export function importCommand(): Command {
  const command = new Command('import')
    .argument('<file>', '.csv or .csv.gz; comma, semicolon, tab or | between the columns')
    .addOption(
      new Option('--kind <kind>', 'what it holds').choices(['transactions', 'sales', ...COMPANION_KINDS]),
    )
    .addOption(new Option('--granularity <g>', 'of --kind sales').choices(['day', 'hour']).default('day'))
    .option('--until <date>', 'only what ends before this date', dateText)
    .option('--dry-run', 'read and check everything, store nothing')
    .addOption(dirOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES);
  return addPlatformOptions(addTillOptions(command)).action(runImport);
}

async function runImport(file: string, options: Options): Promise<void> {
  const dir = dataDir(options.dir);
  writeErrorDetailsTo(dir);
  const table = await openTable(file);
  const source = tillSource(table.header, options, loadConfig(dir));
  const kind = options.kind ?? (source.name === 'columns' ? undefined : 'transactions');
  if (kind === undefined) throw unknownKind(table);
  // A file that cannot be used must not decide the directory's currency and zone.
  if (kind === 'transactions') tillColumns(table.header, source);
  const settings = settingsOf(kind, source, options);
  const config = options.dryRun === true ? loadConfig(dir, settings) : keepSettings(dir, settings);
  const platform = options.dryRun === true ? undefined : await openQuietly(dir, config, options);
  try {
    const summary = await importKind(kind, { table, source, config, platform, options });
    print(summary, options);
    if (summary.good === 0) process.exitCode = exitCodeOf('INPUT_INVALID');
  } finally {
    await platform?.close();
  }
}

/** Sales are in one currency and one chain's days for good; companions only when the options say so. */
function settingsOf(
  kind: NonNullable<Options['kind']>,
  source: TillSource,
  options: Options,
): Partial<Config> {
  const sales = kind === 'transactions' || kind === 'sales';
  return {
    ...(sales || options.currency !== undefined ? { currency: source.currency } : {}),
    ...(sales || options.zone !== undefined ? { timeZone: source.timeZone } : {}),
  };
}

function openQuietly(dir: string, config: Config, options: Options): Promise<Platform> {
  const telemetry = createTelemetry({ level: 'warn', format: 'human' });
  const places = platformPlaces(options);
  return openPlatform({ dir, config, clock: systemClock, telemetry, ...places });
}

type Work = {
  readonly table: CsvTable;
  readonly source: TillSource;
  readonly config: Config;
  readonly platform: Platform | undefined;
  readonly options: Options;
};

async function importKind(kind: NonNullable<Options['kind']>, work: Work): Promise<Summary> {
  const { table, source, config, platform, options } = work;
  const common = { file: basename(table.path), kind };
  if (kind === 'transactions') return { ...common, ...(await transactions(work)) };
  const request = {
    table,
    nowMs: systemClock.nowMs(),
    timeZone: source.timeZone,
    dateOrder: options.dates,
    map: parseMappings(options.map),
  };
  const { rows, stored, duplicates, problems } =
    kind === 'sales'
      ? await importTotals({
          ...request,
          config,
          platform,
          granularity: options.granularity,
          storeId: source.storeId,
        })
      : await importCompanions({ ...request, kind, store: platform?.store });
  const bad = problems.count();
  return {
    ...common,
    rows,
    good: rows - bad,
    bad,
    duplicates,
    details: { new: stored },
    problems: problems.kept(),
  };
}

async function transactions({
  table,
  source,
  config,
  platform,
  options,
}: Work): Promise<Omit<Summary, 'file' | 'kind'>> {
  const untilMs = options.until === undefined ? null : untilOf(options.until, source);
  const products = platform === undefined ? [] : await readProducts(platform.store);
  const paths = new Map(products.map(({ sku, categoryPath }) => [sku, categoryPath]));
  const { rows, tickets, later, problems } = await importHistory({
    table,
    source,
    config,
    platform,
    nowMs: systemClock.nowMs(),
    untilMs,
    categoryPath: (sku) => paths.get(sku),
  });
  return {
    rows: rows.rows,
    good: tickets.lines,
    bad: problems.count(),
    duplicates: tickets.duplicates,
    details: {
      tickets: tickets.tickets,
      'tickets after --until': later,
      'rows of no item': rows.ignored,
      stores: tickets.storeIds.size,
      from: tickets.fromMs === null ? null : new Date(tickets.fromMs).toISOString(),
      to: tickets.untilMs === null ? null : new Date(tickets.untilMs).toISOString(),
    },
    problems: problems.kept(),
  };
}

function untilOf(text: string, source: TillSource): number {
  const ms = instantOfText(text, { timeZone: source.timeZone, order: 'iso' });
  if (ms !== null) return ms;
  throw new ForetillError('USAGE', `--until ${text} is no date.`, {
    remedy: 'Use a date such as 2017-03-27.',
  });
}

function unknownKind(table: CsvTable): ForetillError {
  return new ForetillError(
    'USAGE',
    `${basename(table.path)} is none of the known files. It has the columns: ${table.header.join(', ')}.`,
    {
      remedy:
        'Say what it holds with --kind, e.g. --kind transactions; `foretill import --help` has examples.',
    },
  );
}

function print(summary: Summary, options: Options): void {
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ ...summary, dryRun: options.dryRun === true })}\n`);
    return;
  }
  const number = (value: number) => value.toLocaleString('en');
  const lines = [
    `${summary.file}: ${number(summary.rows)} rows of ${summary.kind}${options.dryRun === true ? ' (dry run: nothing stored)' : ''}`,
    `  good        ${number(summary.good)} rows`,
    `  bad         ${number(summary.bad)} rows, left out`,
    `  duplicates  ${number(summary.duplicates)}, there already`,
    ...Object.entries(summary.details)
      .filter(([, value]) => value !== null && value !== 0)
      .map(([name, value]) => `  ${name.padEnd(11)} ${typeof value === 'number' ? number(value) : value}`),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  for (const { line, column, reason } of summary.problems.slice(0, PROBLEMS_SHOWN)) {
    process.stderr.write(`  line ${line}${column === '' ? '' : `, column ${column}`}: ${reason}\n`);
  }
  if (summary.bad > PROBLEMS_SHOWN)
    process.stderr.write(`  … and ${number(summary.bad - PROBLEMS_SHOWN)} more (--json shows up to 1,000)\n`);
}
