/** Sales history that is summed up already, into `sales`, and the message that it is there. */
import { basename } from 'node:path';
import { insertSales } from '../adapters/clickhouse/insert-sales.ts';
import { bucketEndMs } from '../sales/calendar.ts';
import type { SalesRow } from '../adapters/clickhouse/insert-sales.ts';
import type { DateOrder } from '../adapters/csv/local-time.ts';
import type { CsvTable } from '../adapters/csv/open-table.ts';
import { readCompanions } from '../adapters/csv/read-companions.ts';
import { totalsKind } from '../adapters/csv/read-totals.ts';
import { createRowProblems } from '../adapters/csv/row-problems.ts';
import type { Config } from '../config.ts';
import type { AmendedBucket } from '../pipeline/messages.ts';
import { GRANULARITY_SYMBOLS } from '../pipeline/messages.ts';
import type { Platform } from '../platform.ts';
import type { Granularity } from '../sales/series.ts';
import { announceHistory } from './announce-history.ts';
import type { CompanionSummary } from './import-companions.ts';
import { startProgress } from './progress.ts';

export type TotalsRequest = {
  readonly table: CsvTable;
  readonly config: Config;
  readonly platform: Platform | undefined;
  readonly nowMs: number;
  readonly granularity: Granularity;
  readonly timeZone: string;
  readonly dateOrder: DateOrder;
  readonly storeId: string | null;
  readonly map: Readonly<Record<string, string>>;
};

export async function importTotals(request: TotalsRequest): Promise<CompanionSummary> {
  const { table, config, platform, granularity } = request;
  const problems = createRowProblems();
  const kind = totalsKind({ granularity, currency: config.currency, storeId: request.storeId });
  const progress = startProgress({ label: `Reading ${basename(table.path)}`, total: table.bytesTotal });
  const totals: SalesRow[] = [];
  let rows = 0;
  for await (const batch of readCompanions(table, kind, {
    ...request,
    recordedAtMs: request.nowMs,
    problems,
  })) {
    rows += batch.rows;
    totals.push(...batch.records);
    progress.update(table.bytesRead(), `${rows.toLocaleString('en')} rows`);
  }
  const stored =
    platform === undefined
      ? totals.length
      : await insertSales(platform.store, totals, { recordedAtMs: request.nowMs });
  progress.stop(`${rows.toLocaleString('en')} rows`);
  if (platform !== undefined && totals.length > 0) await announce(platform, totals, granularity);
  return { rows, stored, duplicates: totals.length - stored, problems };
}

async function announce(
  platform: Platform,
  totals: readonly SalesRow[],
  granularity: Granularity,
): Promise<void> {
  const first = new Map<string, number>();
  let lastMs = 0;
  for (const { storeId, bucketMs } of totals) {
    first.set(storeId, Math.min(first.get(storeId) ?? bucketMs, bucketMs));
    lastMs = Math.max(lastMs, bucketMs);
  }
  const amended: AmendedBucket[] = [...first].map(([storeId, bucketMs]) => ({
    granularity: GRANULARITY_SYMBOLS[granularity],
    bucket_ms: bucketMs,
    store_id: storeId,
  }));
  // Days end by the chain's own clock, and an hour's end is the same in any zone.
  await announceHistory(platform, {
    watermarkMs: bucketEndMs(granularity, lastMs, platform.config),
    amended,
  });
}
