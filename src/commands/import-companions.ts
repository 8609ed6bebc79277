/** Companion inputs of a file into their table; rows that say what is known already are left out. */
import { basename } from 'node:path';
import {
  insertCalendarDays,
  insertProducts,
  insertPromotions,
  insertStockLevels,
  insertStores,
  insertWeather,
  readCalendarDays,
  readProducts,
  readPromotions,
  readStockLevels,
  readStores,
  readWeather,
} from '../adapters/clickhouse/companions-table.ts';
import type { Store } from '../adapters/clickhouse/client.ts';
import type { DateOrder } from '../adapters/csv/local-time.ts';
import type { CsvTable } from '../adapters/csv/open-table.ts';
import {
  CALENDAR,
  PRODUCTS,
  PROMOTIONS,
  readCompanions,
  STOCK,
  STORES,
  WEATHER,
} from '../adapters/csv/read-companions.ts';
import type { CompanionKind } from '../adapters/csv/read-companions.ts';
import { createRowProblems } from '../adapters/csv/row-problems.ts';
import type { RowProblems } from '../adapters/csv/row-problems.ts';
import { startProgress } from './progress.ts';

export const COMPANION_KINDS = ['stores', 'products', 'promotions', 'calendar', 'weather', 'stock'] as const;
export type CompanionKindName = (typeof COMPANION_KINDS)[number];

export type CompanionRequest = {
  readonly kind: CompanionKindName;
  readonly table: CsvTable;
  /** Undefined: a dry run. */
  readonly store: Store | undefined;
  readonly nowMs: number;
  readonly timeZone: string;
  readonly dateOrder: DateOrder;
  readonly map: Readonly<Record<string, string>>;
  /** Without a progress bar. */
  readonly quiet?: boolean;
};

export type CompanionSummary = {
  readonly rows: number;
  /** Good rows that were not known yet. */
  readonly stored: number;
  readonly duplicates: number;
  readonly problems: RowProblems;
};

export function importCompanions(request: CompanionRequest): Promise<CompanionSummary> {
  return IMPORTS[request.kind](request);
}

const IMPORTS: Readonly<Record<CompanionKindName, (request: CompanionRequest) => Promise<CompanionSummary>>> =
  {
    stores: (request) => importInto(request, STORES, { read: readStores, insert: insertStores }),
    products: (request) => importInto(request, PRODUCTS, { read: readProducts, insert: insertProducts }),
    promotions: (request) =>
      importInto(request, PROMOTIONS, { read: readPromotions, insert: insertPromotions }),
    calendar: (request) =>
      importInto(request, CALENDAR, { read: readCalendarDays, insert: insertCalendarDays }),
    weather: (request) => importInto(request, WEATHER, { read: readWeather, insert: insertWeather }),
    stock: (request) => importInto(request, STOCK, { read: readStockLevels, insert: insertStockLevels }),
  };

type Recorded = { readonly recordedAtMs: number };

async function importInto<R extends Recorded>(
  request: CompanionRequest,
  kind: CompanionKind<R>,
  access: {
    read: (store: Store) => Promise<R[]>;
    insert: (store: Store, rows: readonly R[]) => Promise<void>;
  },
): Promise<CompanionSummary> {
  const { table, store } = request;
  const problems = createRowProblems();
  const known = new Set((store === undefined ? [] : await access.read(store)).map(contentOf));
  const progress =
    request.quiet === true
      ? null
      : startProgress({ label: `Reading ${basename(table.path)}`, total: table.bytesTotal });
  let rows = 0;
  const fresh: R[] = [];
  let duplicates = 0;
  for await (const batch of readCompanions(table, kind, {
    ...request,
    recordedAtMs: request.nowMs,
    problems,
  })) {
    rows += batch.rows;
    for (const record of batch.records) {
      const content = contentOf(record);
      if (known.has(content)) duplicates += 1;
      else fresh.push(record);
      known.add(content);
    }
    progress?.update(table.bytesRead(), `${rows.toLocaleString('en')} rows`);
  }
  if (store !== undefined && fresh.length > 0) await access.insert(store, fresh);
  progress?.stop(`${rows.toLocaleString('en')} rows`);
  return { rows, stored: fresh.length, duplicates, problems };
}

function contentOf(record: Recorded): string {
  return JSON.stringify({ ...record, recordedAtMs: 0 });
}
