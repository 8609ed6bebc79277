/**
 * A POS transaction as it is on the wire (schemas/topics/retail.pos.transaction.v1-value.avsc), before it is parsed:
 * well-formed, but not yet believed. Fields that are null are derived by the parser.
 */
import type { TransactionType } from './transaction.ts';

export type DiscountMessage = {
  readonly promotion_id: string | null;
  readonly coupon_id: string | null;
  readonly amount_minor: number;
};

export type TransactionLineMessage = {
  readonly line_id: string | null;
  readonly sku: string;
  readonly gtin: string | null;
  readonly category_path: readonly string[];
  readonly quantity_thousandths: number;
  readonly unit_of_measure: string;
  readonly unit_price_minor: number | null;
  readonly list_price_minor: number | null;
  readonly discounts: readonly DiscountMessage[];
  readonly net_amount_minor: number;
  readonly voided: boolean;
};

/** Times are UTC milliseconds. */
export type TransactionMessage = {
  readonly event_id: string;
  readonly transaction_id: string;
  readonly revision: number;
  readonly original_transaction_id: string | null;
  readonly type: TransactionType;
  readonly training: boolean;
  readonly store_id: string;
  readonly register_id: string | null;
  readonly channel: string;
  readonly begin_time: number | null;
  readonly end_time: number;
  readonly time_zone: string | null;
  readonly business_date: string | null;
  readonly currency: string | null;
  readonly lines: readonly TransactionLineMessage[];
  readonly tenders: readonly { readonly kind: string; readonly amount_minor: number }[];
  readonly attributes: Readonly<Record<string, string>>;
};
