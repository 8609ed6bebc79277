import { currencyExponent } from './money.ts';
import { JsonFields } from './json-fields.ts';
import type { Problems } from './problems.ts';
import { TRANSACTION_LIMITS } from './transaction-limits.ts';
import type { DiscountMessage, TransactionLineMessage, TransactionMessage } from './transaction-message.ts';
import type { TransactionType } from './transaction.ts';

const QUANTITY_DIGITS = 3;

/**
 * A transaction as JSON in the form of the wire message. The names are the same; besides them quantities and amounts
 * may be decimals in `quantity`, `net_amount`, `unit_price`, `list_price` and `amount`, and times ISO 8601. Fields
 * that are not known are passed over.
 */
export function readTransactionJson(
  value: unknown,
  context: { readonly currency: string; readonly recordTimestampMs: number },
  problems: Problems,
): TransactionMessage {
  const fields = new JsonFields(value, '', problems);
  const digits = currencyExponent(context.currency);
  const type = fields.text('type');
  const endTime = fields.optionalTime('end_time');
  if (!fields.has('end_time')) fields.missing('end_time');
  if (!fields.has('lines') && type !== 'VOID') fields.missing('lines');
  return {
    event_id: fields.text('event_id'),
    transaction_id: fields.text('transaction_id'),
    revision: fields.integer('revision', 0),
    original_transaction_id: fields.optionalText('original_transaction_id'),
    // Checked with everything else that is on the wire.
    type: type as TransactionType,
    training: fields.boolean('training', false),
    store_id: fields.text('store_id'),
    register_id: fields.optionalText('register_id'),
    channel: fields.optionalText('channel') ?? 'store',
    ...readTimes(fields, endTime, context.recordTimestampMs),
    time_zone: fields.optionalText('time_zone'),
    currency: fields.optionalText('currency'),
    lines: fields.objects('lines', TRANSACTION_LIMITS.lines).map((line) => readLine(line, digits)),
    tenders: fields.objects('tenders', TRANSACTION_LIMITS.tenders).map((tender) => ({
      kind: tender.text('kind'),
      amount_minor: tender.decimal('amount', 'amount_minor', digits),
    })),
    attributes: fields.textMap('attributes'),
  };
}

/** Without an end_time there is nothing to hold the other two against. */
function readTimes(
  fields: JsonFields,
  endTime: number | null,
  otherwise: number,
): Pick<TransactionMessage, 'begin_time' | 'end_time' | 'business_date'> {
  const beginTime = fields.optionalTime('begin_time');
  const businessDate = fields.optionalText('business_date');
  if (endTime === null) return { begin_time: null, end_time: otherwise, business_date: null };
  return { begin_time: beginTime, end_time: endTime, business_date: businessDate };
}

function readLine(line: JsonFields, digits: number): TransactionLineMessage {
  return {
    line_id: line.optionalText('line_id'),
    sku: line.text('sku'),
    gtin: line.optionalText('gtin'),
    category_path: line.texts('category_path'),
    quantity_thousandths: line.decimal('quantity', 'quantity_thousandths', QUANTITY_DIGITS),
    unit_of_measure: line.optionalText('unit_of_measure') ?? 'each',
    unit_price_minor: line.optionalDecimal('unit_price', 'unit_price_minor', digits),
    list_price_minor: line.optionalDecimal('list_price', 'list_price_minor', digits),
    discounts: line
      .objects('discounts', TRANSACTION_LIMITS.discountsPerLine)
      .map((discount) => readDiscount(discount, digits)),
    net_amount_minor: line.decimal('net_amount', 'net_amount_minor', digits),
    voided: line.boolean('voided', false),
  };
}

function readDiscount(discount: JsonFields, digits: number): DiscountMessage {
  return {
    promotion_id: discount.optionalText('promotion_id'),
    coupon_id: discount.optionalText('coupon_id'),
    amount_minor: discount.decimal('amount', 'amount_minor', digits),
  };
}
