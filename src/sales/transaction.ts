/**
 * A POS transaction after parsing: trusted, complete, with exact integers.
 *
 * Units: `…Thousandths` are integer thousandths of the unit of measure (1.25 kg = 1250), `…Minor` integer minor
 * units of the currency (cents), `…Ms` UTC instants in milliseconds, `businessDate` the store's own trading day.
 * Quantities and amounts are signed from the shop's side: sold is positive, returned negative.
 */
export type TransactionType = 'SALE' | 'RETURN' | 'EXCHANGE' | 'VOID';

export type Discount = {
  readonly promotionId: string | null;
  readonly couponId: string | null;
  readonly amountMinor: number;
};

export type TransactionLine = {
  readonly lineId: string;
  readonly sku: string;
  readonly gtin: string | null;
  /** From the widest to the narrowest, e.g. `['GROCERY', 'COLD CEREAL']`. Empty: taken from the product table. */
  readonly categoryPath: readonly string[];
  readonly quantityThousandths: number;
  readonly unitOfMeasure: string;
  readonly unitPriceMinor: number | null;
  readonly listPriceMinor: number | null;
  readonly discounts: readonly Discount[];
  readonly netAmountMinor: number;
  readonly voided: boolean;
};

export type Tender = { readonly kind: string; readonly amountMinor: number };

export type Transaction = {
  readonly eventId: string;
  readonly transactionId: string;
  readonly revision: number;
  readonly originalTransactionId: string | null;
  readonly type: TransactionType;
  readonly training: boolean;
  readonly storeId: string;
  readonly registerId: string | null;
  readonly channel: string;
  readonly beginTimeMs: number;
  readonly endTimeMs: number;
  readonly timeZone: string;
  /** `YYYY-MM-DD` */
  readonly businessDate: string;
  readonly currency: string;
  readonly lines: readonly TransactionLine[];
  readonly tenders: readonly Tender[];
  readonly attributes: Readonly<Record<string, string>>;
};

export type RejectReason =
  | 'malformed'
  | 'unknown_schema'
  | 'missing_field'
  | 'invalid_value'
  | 'out_of_range'
  | 'unknown_time_zone'
  | 'currency_mismatch'
  | 'time_in_future'
  | 'time_too_old'
  | 'business_date_mismatch'
  | 'card_data';

/** Why a transaction was refused: a stable code for counting, the field's path, and a sentence for people. */
export type Problem = { readonly reason: RejectReason; readonly path: string; readonly message: string };

export type Parsed =
  | { readonly ok: true; readonly transaction: Transaction }
  | { readonly ok: false; readonly problems: readonly Problem[] };
