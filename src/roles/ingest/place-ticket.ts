/** Where a ticket counts: its hour, its business day, and the category of each line. The same for ingest and import. */
import type { PlacedTicket } from '../../pipeline/ingest-step.ts';
import { dayBounds, hourStartMs } from '../../sales/calendar.ts';
import type { StoreCalendar } from '../../sales/calendar.ts';
import { ticketVersion } from '../../sales/ticket-version.ts';
import type { Transaction } from '../../sales/transaction.ts';

const UNCATEGORISED = 'UNCATEGORISED';

export function placeTicket(
  transaction: Transaction,
  calendar: StoreCalendar,
  context: {
    readonly recordTimestampMs: number;
    /** The product table's widest category, for lines that name none. */
    readonly categoryOfSku: (sku: string) => string | undefined;
  },
): PlacedTicket {
  return {
    transaction,
    version: ticketVersion(transaction),
    hourMs: hourStartMs(transaction.endTimeMs, calendar.timeZone),
    dayEndMs: dayBounds(transaction.businessDate, calendar).endMs,
    categoryOf: (line) => line.categoryPath[0] ?? context.categoryOfSku(line.sku) ?? UNCATEGORISED,
    recordTimestampMs: context.recordTimestampMs,
  };
}
