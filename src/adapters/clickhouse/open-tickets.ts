/** The tickets of buckets that are still open: what running totals are rebuilt from after a restart. */
import { DAY_MS, HOUR_MS } from '../../sales/durations.ts';
import type { OpenTicket } from '../../windows/open-totals.ts';
import type { Store } from './client.ts';
import { partitionFilter } from './partition-filter.ts';
import type { SourcePartition } from './partition-filter.ts';

export type OpenTicketsRequest = {
  /** Tickets with an hour or a business day that ends after this instant. */
  readonly afterMs: number;
  /** The stores of one source partition; null: all stores. */
  readonly partition: SourcePartition | null;
  /** As in `closeBuckets`. */
  readonly businessDateSkewDaysMax: number;
};

type TicketRow = {
  date: string;
  store_id: string;
  transaction_id: string;
  version_text: string;
  hour_s: number;
  day_end_s: number;
  voids: string;
  categories: string[];
  skus: string[];
  units: number[];
  revenues: number[];
};

const TICKETS_PER_PAGE = 20_000;

/** Pages of tickets in the order of business date, store and ticket, each ticket once, in its latest version. */
export async function* readOpenTickets(
  store: Store,
  request: OpenTicketsRequest,
): AsyncGenerator<OpenTicket[]> {
  const partition = partitionFilter(request.partition);
  const firstDateMs = request.afterMs - HOUR_MS - (request.businessDateSkewDaysMax + 2) * DAY_MS;
  let last = { date: isoDate(Math.max(0, firstDateMs)), store_id: '', transaction_id: '' };
  for (;;) {
    const rows = await store.query<TicketRow>(
      `SELECT toString(business_date) AS date, store_id, transaction_id, toString(version) AS version_text,
         toUnixTimestamp(hour) AS hour_s, toUnixTimestamp(day_end) AS day_end_s,
         if(type = 'VOID' AND NOT training, original_transaction_id, '') AS voids,
         NOT training AND type != 'VOID' AS counts,
         arrayFilter((value, voided) -> counts AND NOT voided, lines.category, lines.voided) AS categories,
         arrayFilter((value, voided) -> counts AND NOT voided, lines.sku, lines.voided) AS skus,
         arrayFilter((value, voided) -> counts AND NOT voided, lines.quantity_thousandths, lines.voided) AS units,
         arrayFilter((value, voided) -> counts AND NOT voided, lines.net_amount_minor, lines.voided) AS revenues
       FROM transactions FINAL
       WHERE business_date >= {last_date:Date}
         AND (business_date, store_id, transaction_id) > ({last_date:Date}, {last_store:String}, {last_ticket:String})
         AND (hour > toDateTime({after_s:Int64} - 3600, 'UTC') OR day_end > toDateTime({after_s:Int64}, 'UTC'))
         AND ${partition.sql}
       ORDER BY business_date, store_id, transaction_id
       LIMIT {limit:UInt32}`,
      {
        ...partition.params,
        after_s: Math.floor(request.afterMs / 1_000),
        last_date: last.date,
        last_store: last.store_id,
        last_ticket: last.transaction_id,
        limit: TICKETS_PER_PAGE,
      },
    );
    if (rows.length > 0) yield rows.map(toOpenTicket);
    if (rows.length < TICKETS_PER_PAGE) return;
    last = rows.at(-1)!;
  }
}

function toOpenTicket(row: TicketRow): OpenTicket {
  return {
    storeId: row.store_id,
    businessDate: row.date,
    transactionId: row.transaction_id,
    version: BigInt(row.version_text),
    hourMs: row.hour_s * 1_000,
    dayEndMs: row.day_end_s * 1_000,
    voids: row.voids === '' ? null : row.voids,
    amounts: row.skus.map((sku, i) => ({
      category: row.categories[i]!,
      sku,
      unitsThousandths: row.units[i]!,
      revenueMinor: row.revenues[i]!,
    })),
  };
}

function isoDate(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
