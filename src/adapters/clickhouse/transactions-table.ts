/** The table `transactions`: a ticket a row, its lines as arrays. */
import type { Transaction, TransactionLine } from '../../sales/transaction.ts';
import type { EncodedRows, Row, Store, Table } from './client.ts';

const TRANSACTIONS: Table = {
  name: 'transactions',
  columns: [
    'business_date',
    'store_id',
    'transaction_id',
    'version',
    'revision',
    'event_id',
    'type',
    'training',
    'original_transaction_id',
    'register_id',
    'channel',
    'begin_time',
    'end_time',
    'time_zone',
    'currency',
    'hour',
    'day_end',
    'lines.line_id',
    'lines.sku',
    'lines.gtin',
    'lines.category',
    'lines.category_path',
    'lines.quantity_thousandths',
    'lines.unit_of_measure',
    'lines.net_amount_minor',
    'lines.unit_price_minor',
    'lines.list_price_minor',
    'lines.discount_minor',
    'lines.promotion_ids',
    'lines.coupon_ids',
    'lines.voided',
    'tender_kinds',
    'tender_amounts_minor',
    'attributes',
    'source',
    'recorded_at',
  ],
};

/** Made by `toTransactionRow`. */
export type TransactionRow = Row;

/** What a ticket's row says beyond the ticket: its buckets, its lines' categories, and where it came from. */
export type TransactionPlace = {
  /** ticketVersion of the ticket as it was sent. */
  readonly version: bigint;
  /** The UTC instant at which the local hour of its end begins. */
  readonly hourMs: number;
  /** The UTC instant at which its business date ends. */
  readonly dayEndMs: number;
  readonly categoryOf: (line: TransactionLine, index: number) => string;
  /** Such as `topic/partition` or a file's name. */
  readonly source: string;
  readonly recordedAtMs: number;
};

/** The same token stores the rows once, however often it is called. */
export function insertTransactions(
  store: Store,
  rows: readonly TransactionRow[] | EncodedRows,
  token: string,
): Promise<void> {
  return store.insert(TRANSACTIONS, rows, { token });
}

/**
 * A ticket as a row. The amounts and quantities of a RETURN come out negative, whatever sign they were sent with.
 * Times in milliseconds for DateTime64(3) columns, in seconds for DateTime columns.
 */
export function toTransactionRow(transaction: Transaction, place: TransactionPlace): TransactionRow {
  const { lines, tenders } = transaction;
  const signed = transaction.type === 'RETURN' ? negative : same;
  return [
    transaction.businessDate,
    transaction.storeId,
    transaction.transactionId,
    String(place.version),
    transaction.revision,
    transaction.eventId,
    transaction.type,
    transaction.training,
    transaction.originalTransactionId ?? '',
    transaction.registerId ?? '',
    transaction.channel,
    transaction.beginTimeMs,
    transaction.endTimeMs,
    transaction.timeZone,
    transaction.currency,
    place.hourMs / 1_000,
    place.dayEndMs / 1_000,
    lines.map((line) => line.lineId),
    lines.map((line) => line.sku),
    lines.map((line) => line.gtin ?? ''),
    lines.map((line, index) => place.categoryOf(line, index)),
    lines.map((line) => line.categoryPath.join(' > ')),
    lines.map((line) => signed(line.quantityThousandths)),
    lines.map((line) => line.unitOfMeasure),
    lines.map((line) => signed(line.netAmountMinor)),
    lines.map((line) => line.unitPriceMinor),
    lines.map((line) => line.listPriceMinor),
    lines.map((line) => signed(line.discounts.reduce((sum, discount) => sum + discount.amountMinor, 0))),
    lines.map((line) => joined(line.discounts.map((discount) => discount.promotionId))),
    lines.map((line) => joined(line.discounts.map((discount) => discount.couponId))),
    lines.map((line) => line.voided),
    tenders.map((tender) => tender.kind),
    tenders.map((tender) => signed(tender.amountMinor)),
    transaction.attributes,
    place.source,
    place.recordedAtMs,
  ];
}

function joined(ids: readonly (string | null)[]): string {
  return ids.filter((id) => id !== null).join(',');
}

function same(value: number): number {
  return value;
}

function negative(value: number): number {
  return value === 0 ? 0 : -Math.abs(value);
}
