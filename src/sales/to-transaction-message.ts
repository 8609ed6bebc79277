import type { TransactionMessage } from './transaction-message.ts';
import type { Transaction } from './transaction.ts';

/** A transaction as it goes on the wire; parsing it again gives the same transaction. */
export function toTransactionMessage(transaction: Transaction): TransactionMessage {
  return {
    event_id: transaction.eventId,
    transaction_id: transaction.transactionId,
    revision: transaction.revision,
    original_transaction_id: transaction.originalTransactionId,
    type: transaction.type,
    training: transaction.training,
    store_id: transaction.storeId,
    register_id: transaction.registerId,
    channel: transaction.channel,
    begin_time: transaction.beginTimeMs,
    end_time: transaction.endTimeMs,
    time_zone: transaction.timeZone,
    business_date: transaction.businessDate,
    currency: transaction.currency,
    lines: transaction.lines.map((line) => ({
      line_id: line.lineId,
      sku: line.sku,
      gtin: line.gtin,
      category_path: line.categoryPath,
      quantity_thousandths: line.quantityThousandths,
      unit_of_measure: line.unitOfMeasure,
      unit_price_minor: line.unitPriceMinor,
      list_price_minor: line.listPriceMinor,
      discounts: line.discounts.map((discount) => ({
        promotion_id: discount.promotionId,
        coupon_id: discount.couponId,
        amount_minor: discount.amountMinor,
      })),
      net_amount_minor: line.netAmountMinor,
      voided: line.voided,
    })),
    tenders: transaction.tenders.map(({ kind, amountMinor }) => ({ kind, amount_minor: amountMinor })),
    attributes: transaction.attributes,
  };
}
