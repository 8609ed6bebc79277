/** Real till lines of a file: the first weeks are history, the rest is replayed. */
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { readProducts } from '../../adapters/clickhouse/companions-table.ts';
import { instantOfText } from '../../adapters/csv/local-time.ts';
import { openTable } from '../../adapters/csv/open-table.ts';
import { readTickets } from '../../adapters/csv/read-tickets.ts';
import { createRowProblems } from '../../adapters/csv/row-problems.ts';
import type { TillSource } from '../../adapters/csv/till-source.ts';
import { PRESETS } from '../../adapters/csv/till-source.ts';
import { DEFAULT_CONFIG } from '../../config.ts';
import { DAY_MS, HOUR_MS } from '../../sales/durations.ts';
import { ForetillError } from '../../errors.ts';
import type { Platform } from '../../platform.ts';
import { businessDate, dayBounds } from '../../sales/calendar.ts';
import { importCompanions } from '../import-companions.ts';
import type { CompanionKindName } from '../import-companions.ts';
import { importHistory } from '../import-history.ts';
import { tillSource } from '../till-options.ts';
import type { TillOptions } from '../till-options.ts';
import { playId } from './play.ts';
import type { Play } from './play.ts';
import { openReplay } from './replay.ts';

/** The day of the first ticket and twelve weeks are history. */
const HISTORY_DAYS = 85;
/** Days begin at midnight, people in the morning. */
const MORNING_MS = 8 * HOUR_MS;

export type FileOptions = TillOptions & {
  readonly data: string;
  readonly stores?: number;
  readonly liveFrom?: string;
};

/** Errors: those of opening and reading a file (src/adapters/csv/). */
export async function playFile(options: FileOptions): Promise<Play> {
  const path = resolve(options.data);
  const table = await openTable(path);
  const source = tillSource(table.header, options, DEFAULT_CONFIG);
  const firstMs = await firstTicketMs(path, source);
  const liveFromMs =
    options.liveFrom === undefined ? localMidnight(firstMs, source) : instantOf(options.liveFrom, source);
  const preset = PRESETS.find(({ name }) => name === source.name);
  const stores = options.stores === undefined ? '' : `, ${options.stores} stores`;
  return {
    id: playId([basename(path), table.bytesTotal, source, options.stores ?? null]),
    label: `Real till lines: ${preset?.about ?? basename(path)}${stores}`,
    settings: { currency: source.currency, timeZone: source.timeZone },
    liveFromMs,
    startMs: options.liveFrom === undefined ? liveFromMs + MORNING_MS : liveFromMs,
    chain: null,
    async importHistory(platform, stop) {
      await importBeside(path, 'products', { platform, source });
      const wanted = firstStores(options.stores);
      const history = await importHistory({
        table: await openTable(path),
        source,
        config: platform.config,
        platform,
        nowMs: platform.clock.nowMs(),
        untilMs: liveFromMs,
        categoryPath: await categoryPaths(platform),
        isWanted: wanted.isWanted,
        stopsAtLater: true,
        stop,
      });
      if (history.tickets.tickets === 0) throw noHistory(path, liveFromMs);
      return {
        historyTickets: history.tickets.tickets + history.tickets.refused + history.later,
        stores: wanted.chosen(),
      };
    },
    importCompanions: (platform) => importBeside(path, 'promotions', { platform, source, quiet: true }),
    async open(state, platform) {
      const chosen = state.stores === null ? null : new Set(state.stores);
      return openReplay({
        path,
        source,
        categoryPath: await categoryPaths(platform),
        isWanted: (storeId) => chosen === null || chosen.has(storeId),
        historyTickets: state.historyTickets,
        liveFromMs: state.liveFromMs,
        nextTicket: state.nextTicket,
      });
    },
  };
}

/** Companion files are named like the file itself: `…_transactions.csv.gz` has `…_products.csv.gz` beside it. */
async function importBeside(
  path: string,
  kind: CompanionKindName,
  { platform, source, quiet = false }: { platform: Platform; source: TillSource; quiet?: boolean },
): Promise<void> {
  const beside = path.replace(/transactions(\.csv(?:\.gz)?)$/i, `${kind}$1`);
  if (beside === path || !existsSync(beside)) return;
  await importCompanions({
    kind,
    table: await openTable(beside),
    store: platform.store,
    nowMs: platform.clock.nowMs(),
    timeZone: source.timeZone,
    dateOrder: source.dateOrder,
    map: {},
    quiet,
  });
}

async function categoryPaths(platform: Platform): Promise<(sku: string) => readonly string[] | undefined> {
  const paths = new Map(
    (await readProducts(platform.store)).map(({ sku, categoryPath }) => [sku, categoryPath]),
  );
  return (sku) => paths.get(sku);
}

/** The first so many stores that the file names. */
function firstStores(count: number | undefined): {
  isWanted: (storeId: string) => boolean;
  chosen: () => readonly string[] | null;
} {
  const chosen = new Set<string>();
  return {
    isWanted(storeId) {
      if (count === undefined || chosen.has(storeId)) return true;
      if (chosen.size >= count) return false;
      chosen.add(storeId);
      return true;
    },
    chosen: () => (count === undefined ? null : [...chosen]),
  };
}

async function firstTicketMs(path: string, source: TillSource): Promise<number> {
  const options = {
    source,
    categoryPath: () => undefined,
    isWanted: () => true,
    problems: createRowProblems(),
  };
  const { batches } = readTickets(await openTable(path), options);
  for await (const [first] of batches) if (first !== undefined) return first.message.end_time;
  throw new ForetillError('INPUT_INVALID', `${basename(path)} holds no row that can be used.`, {
    remedy: `\`foretill import ${basename(path)} --dry-run\` says what is wrong with its rows.`,
  });
}

function localMidnight(firstMs: number, source: TillSource): number {
  const calendar = { timeZone: source.timeZone, businessDayStartMinutes: 0 };
  const date = businessDate(firstMs + HISTORY_DAYS * DAY_MS, calendar);
  return dayBounds(date, calendar).startMs;
}

function instantOf(text: string, source: TillSource): number {
  const ms = instantOfText(text, { timeZone: source.timeZone, order: 'iso' });
  if (ms !== null) return ms;
  throw new ForetillError('USAGE', `--live-from ${text} is no date.`, {
    remedy: 'Use a date such as 2017-03-27.',
  });
}

function noHistory(path: string, liveFromMs: number): ForetillError {
  return new ForetillError(
    'USAGE',
    `${basename(path)} has no tickets before ${new Date(liveFromMs).toISOString().slice(0, 10)}: there is nothing to learn from.`,
    { remedy: 'Choose a later --live-from.' },
  );
}
