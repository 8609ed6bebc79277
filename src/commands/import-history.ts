/** Till lines of a file into a data directory, from opening the file to telling the forecast role. */
import { basename } from 'node:path';
import type { CsvTable } from '../adapters/csv/open-table.ts';
import { readTickets } from '../adapters/csv/read-tickets.ts';
import type { TicketCounts } from '../adapters/csv/read-tickets.ts';
import { createRowProblems } from '../adapters/csv/row-problems.ts';
import type { RowProblems } from '../adapters/csv/row-problems.ts';
import type { TillSource } from '../adapters/csv/till-source.ts';
import type { Config } from '../config.ts';
import type { Platform } from '../platform.ts';
import { dayBucketMs } from '../sales/calendar.ts';
import { announceHistory } from './announce-history.ts';
import { startTicketImport } from './import-transactions.ts';
import type { TicketImportCounts } from './import-transactions.ts';
import { startProgress } from './progress.ts';

export type HistoryRequest = {
  readonly table: CsvTable;
  readonly source: TillSource;
  readonly config: Config;
  /** Undefined: a dry run. */
  readonly platform: Platform | undefined;
  readonly nowMs: number;
  /** Tickets that end at or after it are no history; null: all are. */
  readonly untilMs: number | null;
  readonly categoryPath: (sku: string) => readonly string[] | undefined;
  readonly isWanted?: (storeId: string) => boolean;
  /** Stops reading where the file, if it is in the order of time, has come to tickets that are no history. */
  readonly stopsAtLater?: boolean;
  /** Throws its reason between two batches of rows. */
  readonly stop?: AbortSignal;
};

export type HistorySummary = {
  readonly rows: TicketCounts;
  readonly tickets: TicketImportCounts;
  /** Tickets from `untilMs` on, as far as they were read. */
  readonly later: number;
  readonly problems: RowProblems;
};

export async function importHistory(request: HistoryRequest): Promise<HistorySummary> {
  const { table, source, config, platform, untilMs } = request;
  const problems = createRowProblems();
  const importer = await startTicketImport({
    config,
    store: platform?.store,
    nowMs: request.nowMs,
    source: basename(table.path),
    problems,
    categoryOfSku: (sku) => request.categoryPath(sku)?.[0],
  });
  const { counts, batches } = readTickets(table, {
    source,
    categoryPath: request.categoryPath,
    isWanted: request.isWanted ?? (() => true),
    problems,
  });
  const reading = startProgress({ label: `Reading ${basename(table.path)}`, total: table.bytesTotal });
  let later = 0;
  try {
    for await (const tickets of batches) {
      request.stop?.throwIfAborted();
      const history = tickets.filter(({ message }) => untilMs === null || message.end_time < untilMs);
      await importer.add(history);
      later += tickets.length - history.length;
      if (history.length === 0 && request.stopsAtLater === true) break;
      reading.update(table.bytesRead(), `${counts.rows.toLocaleString('en')} rows`);
    }
  } catch (error) {
    reading.giveUp();
    await importer.giveUp();
    throw error;
  }
  reading.stop(`${counts.rows.toLocaleString('en')} rows`);
  await total(importer);
  if (platform !== undefined) await announce(platform, importer.counts, untilMs);
  return { rows: counts, tickets: importer.counts, later, problems };
}

async function total(importer: Awaited<ReturnType<typeof startTicketImport>>): Promise<void> {
  const totalling = startProgress({ label: 'Adding up hours and days', total: 100 });
  await importer.finish((done, all) => totalling.update((100 * done) / all));
  totalling.stop();
}

async function announce(
  platform: Platform,
  counts: TicketImportCounts,
  untilMs: number | null,
): Promise<void> {
  const { fromMs, fromDate, untilMs: lastMs, storeIds } = counts;
  if (fromMs === null || fromDate === null || lastMs === null) return;
  await announceHistory(platform, {
    watermarkMs: untilMs ?? lastMs,
    amended: [...storeIds].flatMap((storeId) => [
      { granularity: 'HOUR' as const, bucket_ms: fromMs, store_id: storeId },
      { granularity: 'DAY' as const, bucket_ms: dayBucketMs(fromDate), store_id: storeId },
    ]),
  });
}
