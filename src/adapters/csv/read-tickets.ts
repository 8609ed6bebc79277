/**
 * Till lines to transactions: rows with the same ticket number, which must follow each other, become one. What is
 * wrong with a row is noted with its line and column, and the row left out; the rest of its ticket still counts.
 */
import { createHash } from 'node:crypto';
import type { TransactionLineMessage, TransactionMessage } from '../../sales/transaction-message.ts';
import type { CsvTable } from './open-table.ts';
import { RowFault, saleReader } from './read-sale.ts';
import type { Sale, SaleReader } from './read-sale.ts';
import type { CsvRow } from './parse-rows.ts';
import type { RowProblems } from './row-problems.ts';
import type { TillSource } from './till-source.ts';

export type Ticket = {
  readonly message: TransactionMessage;
  /** Line of the file with its first row. */
  readonly line: number;
};

export type TicketOptions = {
  readonly source: TillSource;
  /** From the widest to the narrowest; undefined: not known, the file's own columns are asked. */
  readonly categoryPath: (sku: string) => readonly string[] | undefined;
  /** Tickets of other stores are passed over, unread. */
  readonly isWanted: (storeId: string) => boolean;
  readonly problems: RowProblems;
};

export type TicketCounts = {
  /** Rows read, wanted stores only. */
  rows: number;
  /** Rows that stand for no item. */
  ignored: number;
  /** Lines of the tickets handed out. */
  lines: number;
};

/** Ticket numbers remembered to notice a ticket that comes back after others; beyond it the oldest are forgotten. */
const TICKETS_REMEMBERED_MAX = 2_000_000;

/** Throws INPUT_INVALID or USAGE when columns are missing, before anything is read. */
export function readTickets(
  table: CsvTable,
  options: TicketOptions,
): { readonly counts: TicketCounts; readonly batches: AsyncIterable<readonly Ticket[]> } {
  const counts: TicketCounts = { rows: 0, ignored: 0, lines: 0 };
  const reader = saleReader({
    header: table.header,
    source: options.source,
    categoryPath: options.categoryPath,
  });
  return { counts, batches: gather(table, options, { counts, reader }) };
}

type OpenTicket = { readonly sales: Sale[]; readonly line: number };

async function* gather(
  table: CsvTable,
  options: TicketOptions,
  { counts, reader }: { counts: TicketCounts; reader: SaleReader },
): AsyncGenerator<readonly Ticket[]> {
  const begun = rememberTickets();
  let open: OpenTicket | null = null;
  for await (const rows of table.batches) {
    const tickets: Ticket[] = [];
    for (const row of rows) {
      if (!options.isWanted(reader.storeId(row))) continue;
      counts.rows += 1;
      const sale = saleOf(row, reader, { counts, problems: options.problems });
      if (sale === null) continue;
      if (open !== null && open.sales[0]?.ticketKey === sale.ticketKey) {
        open.sales.push(sale);
        continue;
      }
      if (open !== null) tickets.push(ticketOf(open, options.source, counts));
      open = begun.add(sale.ticketKey) ? { sales: [sale], line: row.line } : null;
      if (open === null) options.problems.add(scattered(row.line, sale.ticket));
    }
    if (tickets.length > 0) yield tickets;
  }
  if (open !== null) yield [ticketOf(open, options.source, counts)];
}

function saleOf(
  row: CsvRow,
  reader: SaleReader,
  { counts, problems }: { counts: TicketCounts; problems: RowProblems },
): Sale | null {
  try {
    const sale = reader.sale(row);
    if (sale === null) counts.ignored += 1;
    return sale;
  } catch (error) {
    if (!(error instanceof RowFault)) throw error;
    problems.add({ line: row.line, column: error.column, reason: error.message });
    return null;
  }
}

function ticketOf(open: OpenTicket, source: TillSource, counts: TicketCounts): Ticket {
  const { sales, line } = open;
  const first = sales[0] as Sale;
  const times = sales.map((sale) => sale.timeMs);
  const lines = sales.map((sale, at) =>
    sale.line.line_id === null ? { ...sale.line, line_id: String(at + 1) } : sale.line,
  );
  counts.lines += lines.length;
  return {
    line,
    message: {
      event_id: eventId(source.name, first.ticketKey),
      transaction_id: first.ticket,
      revision: 0,
      original_transaction_id: null,
      type: typeOf(lines),
      training: false,
      store_id: first.storeId,
      register_id: first.registerId,
      channel: 'store',
      begin_time: Math.min(...times),
      end_time: Math.max(...times),
      time_zone: source.timeZone,
      business_date: first.businessDate,
      currency: source.currency,
      lines,
      tenders: [],
      attributes: {},
    },
  };
}

function typeOf(lines: readonly TransactionLineMessage[]): TransactionMessage['type'] {
  const negative = lines.filter((line) => line.quantity_thousandths < 0).length;
  if (negative === 0) return 'SALE';
  return negative === lines.length ? 'RETURN' : 'EXCHANGE';
}

/** The same ticket always has the same id, so that sending or importing it again changes nothing. */
function eventId(source: string, ticketKey: string): string {
  return createHash('sha256').update(`${source}\n${ticketKey}`).digest('hex').slice(0, 32);
}

function scattered(line: number, ticket: string): { line: number; column: string; reason: string } {
  return {
    line,
    column: 'ticket',
    reason: `ticket ${ticket} began further up and other tickets came between: sort the file by ticket`,
  };
}

/** Remembers in two generations, so that forgetting costs nothing. */
function rememberTickets(): { add(key: string): boolean } {
  let recent = new Set<string>();
  let older = new Set<string>();
  return {
    add(key) {
      if (recent.has(key) || older.has(key)) return false;
      if (recent.size >= TICKETS_REMEMBERED_MAX / 2) [older, recent] = [recent, new Set()];
      recent.add(key);
      return true;
    },
  };
}
