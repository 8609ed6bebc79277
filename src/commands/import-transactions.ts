/**
 * Tickets of a file into `transactions`, then the totals of all their hours and days into `sales`, then a message that
 * tells the forecast role up to where history is complete. Doing it again changes nothing: tickets have the same keys
 * and versions, and closing writes only what differs.
 */
import { createHash } from 'node:crypto';
import { closeBuckets } from '../adapters/clickhouse/close-buckets.ts';
import type { Store } from '../adapters/clickhouse/client.ts';
import { insertStores, readStores } from '../adapters/clickhouse/companions-table.ts';
import { insertTransactions, toTransactionRow } from '../adapters/clickhouse/transactions-table.ts';
import type { TransactionRow } from '../adapters/clickhouse/transactions-table.ts';
import type { Ticket } from '../adapters/csv/read-tickets.ts';
import type { RowProblems } from '../adapters/csv/row-problems.ts';
import { DAY_MS } from '../sales/durations.ts';
import type { Config } from '../config.ts';
import type { PlacedTicket } from '../pipeline/ingest-step.ts';
import { placeTicket } from '../roles/ingest/place-ticket.ts';
import type { StoreCalendar } from '../sales/calendar.ts';
import { parseTransactionMessage } from '../sales/parse-transaction.ts';

export type TicketImport = {
  readonly config: Config;
  /** Undefined: a dry run, which checks everything and stores nothing. */
  readonly store: Store | undefined;
  readonly nowMs: number;
  /** What `transactions` names as the source of the rows. */
  readonly source: string;
  readonly problems: RowProblems;
  /** The product table's widest category, for lines that name none. */
  readonly categoryOfSku: (sku: string) => string | undefined;
};

export type TicketImportCounts = {
  /** Tickets that are good. */
  tickets: number;
  /** Of these, how many were stored before. */
  duplicates: number;
  lines: number;
  refused: number;
  storeIds: Set<string>;
  /** First hour, first business date and last day end of the good tickets; null: there were none. */
  fromMs: number | null;
  fromDate: string | null;
  untilMs: number | null;
};

const TICKETS_PER_INSERT = 2_000;
/** The totals of so many days are computed by one statement. */
const DAYS_PER_CLOSE = 28;

export type TicketImporter = {
  readonly counts: TicketImportCounts;
  add(tickets: readonly Ticket[]): Promise<void>;
  /** Waits for what is under way, when the import is given up. */
  giveUp(): Promise<void>;
  /** Stores what is left over, then writes the totals. */
  finish(onProgress: (done: number, total: number) => void): Promise<void>;
};

export async function startTicketImport(deps: TicketImport): Promise<TicketImporter> {
  const { config, store, nowMs } = deps;
  const counts: TicketImportCounts = {
    tickets: 0,
    duplicates: 0,
    lines: 0,
    refused: 0,
    storeIds: new Set(),
    fromMs: null,
    fromDate: null,
    untilMs: null,
  };
  const calendars = new Map<string, StoreCalendar>();
  const known = store === undefined ? [] : await readStores(store);
  for (const row of known) calendars.set(row.storeId, row);
  const newStores = new Map<string, StoreCalendar>();
  let waiting: PlacedTicket[] = [];
  const hadTickets = store !== undefined && (await holdsTickets(store));
  /** One insert is under way while the next tickets are read. */
  let inserting: Promise<void> = Promise.resolve();

  const calendarOf = (storeId: string, timeZone: string | undefined): StoreCalendar =>
    calendars.get(storeId) ?? {
      timeZone: timeZone ?? config.timeZone,
      businessDayStartMinutes: config.businessDayStartMinutes,
    };

  function take({ message, line }: Ticket): void {
    const parsed = parseTransactionMessage(message, { ...config, calendarOf, recordTimestampMs: nowMs });
    if (!parsed.ok) {
      counts.refused += 1;
      const [problem] = parsed.problems;
      deps.problems.add({ line, column: problem?.path ?? '', reason: problem?.message ?? 'refused' });
      return;
    }
    const { transaction } = parsed;
    const calendar = calendarOf(transaction.storeId, transaction.timeZone);
    if (!calendars.has(transaction.storeId)) {
      calendars.set(transaction.storeId, calendar);
      newStores.set(transaction.storeId, calendar);
    }
    const placed = placeTicket(transaction, calendar, {
      recordTimestampMs: nowMs,
      categoryOfSku: deps.categoryOfSku,
    });
    counts.tickets += 1;
    counts.lines += transaction.lines.length;
    counts.storeIds.add(transaction.storeId);
    counts.fromMs = Math.min(counts.fromMs ?? placed.hourMs, placed.hourMs);
    if (counts.fromDate === null || transaction.businessDate < counts.fromDate)
      counts.fromDate = transaction.businessDate;
    counts.untilMs = Math.max(counts.untilMs ?? placed.dayEndMs, placed.dayEndMs);
    waiting.push(placed);
  }

  async function insert(tickets: readonly PlacedTicket[]): Promise<void> {
    if (store === undefined || tickets.length === 0) return;
    if (hadTickets) counts.duplicates += await countStored(store, tickets);
    const rows = tickets.map((ticket) => toRow(ticket, deps));
    const token = createHash('sha256')
      .update(JSON.stringify(tickets.map(identity)))
      .digest('hex');
    await insertTransactions(store, rows, `import:${token}`);
  }

  return {
    counts,
    async add(tickets) {
      for (const ticket of tickets) take(ticket);
      for (; waiting.length >= TICKETS_PER_INSERT; waiting = waiting.slice(TICKETS_PER_INSERT)) {
        await inserting;
        inserting = insert(waiting.slice(0, TICKETS_PER_INSERT));
        // Its failure is reported where it is awaited.
        inserting.catch(() => {});
      }
    },
    async giveUp() {
      await inserting.catch(() => {});
    },
    async finish(onProgress) {
      await inserting;
      await insert(waiting);
      waiting = [];
      if (store === undefined || counts.fromMs === null || counts.untilMs === null) return;
      await insertStores(
        store,
        [...newStores].map(([storeId, calendar]) => ({
          storeId,
          name: storeId,
          ...calendar,
          recordedAtMs: nowMs,
        })),
      );
      const total = counts.untilMs - counts.fromMs;
      for (let afterMs = counts.fromMs; afterMs < counts.untilMs; afterMs += DAYS_PER_CLOSE * DAY_MS) {
        const untilMs = Math.min(counts.untilMs, afterMs + DAYS_PER_CLOSE * DAY_MS);
        await closeBuckets(store, {
          afterMs,
          untilMs,
          partition: null,
          recordedAtMs: nowMs,
          businessDateSkewDaysMax: config.businessDateSkewDaysMax,
        });
        onProgress(untilMs - counts.fromMs, total);
      }
    },
  };
}

function toRow(ticket: PlacedTicket, { source, nowMs }: TicketImport): TransactionRow {
  return toTransactionRow(ticket.transaction, { ...ticket, source, recordedAtMs: nowMs });
}

/** What makes an insert the same insert: the tickets, their contents and the categories they count in. */
function identity({ transaction, version, categoryOf }: PlacedTicket): readonly unknown[] {
  const { businessDate, storeId, transactionId, lines } = transaction;
  return [businessDate, storeId, transactionId, String(version), lines.map(categoryOf)];
}

async function holdsTickets(store: Store): Promise<boolean> {
  return (await store.query('SELECT 1 FROM transactions LIMIT 1')).length > 0;
}

/** How many of the tickets are in the table already, in whatever version. */
async function countStored(store: Store, tickets: readonly PlacedTicket[]): Promise<number> {
  const dates = tickets.map(({ transaction }) => transaction.businessDate).sort();
  const rows = await store.query<{ n: number }>(
    `SELECT uniqExact(business_date, store_id, transaction_id) AS n FROM transactions
     WHERE business_date >= {first:Date} AND business_date <= {last:Date}
       AND concat(toString(business_date), ' ', store_id, ' ', transaction_id) IN {keys:Array(String)}`,
    {
      first: dates[0] as string,
      last: dates.at(-1) as string,
      keys: tickets.map(({ transaction: t }) => `${t.businessDate} ${t.storeId} ${t.transactionId}`),
    },
  );
  return rows[0]?.n ?? 0;
}
