import { checkInteger, checkOptionalText, checkText } from './check-values.ts';
import type { Problems } from './problems.ts';
import { TRANSACTION_LIMITS } from './transaction-limits.ts';
import type { DiscountMessage, TransactionLineMessage } from './transaction-message.ts';
import type { Discount, TransactionLine } from './transaction.ts';

/** The lines of a ticket, checked; in a RETURN (`asReturn`) every quantity and amount counts as negative. */
export function checkLines(
  lines: readonly TransactionLineMessage[],
  asReturn: boolean,
  problems: Problems,
): TransactionLine[] {
  if (lines.length > TRANSACTION_LIMITS.lines) {
    problems.add('out_of_range', 'lines', `${lines.length} lines, more than ${TRANSACTION_LIMITS.lines}`);
    return [];
  }
  return lines.map((line, index) => {
    checkNames(line, index, problems);
    checkNumbers(line, index, problems);
    return toLine(line, index, asReturn, checkDiscounts(line.discounts, asReturn, index, problems));
  });
}

function checkNames(line: TransactionLineMessage, index: number, problems: Problems): void {
  checkText(line.sku, 'sku', problems, 'lines', index);
  checkText(line.unit_of_measure, 'unit_of_measure', problems, 'lines', index);
  checkOptionalText(line.line_id, 'line_id', problems, undefined, 'lines', index);
  checkOptionalText(line.gtin, 'gtin', problems, undefined, 'lines', index);
  if (line.category_path.length > TRANSACTION_LIMITS.categories) {
    const text = `more than ${TRANSACTION_LIMITS.categories} categories`;
    problems.add('out_of_range', `lines[${index}].category_path`, text);
    return;
  }
  for (const category of line.category_path) checkText(category, 'category_path', problems, 'lines', index);
}

function checkNumbers(line: TransactionLineMessage, index: number, problems: Problems): void {
  const { quantityThousandths, amountMinor } = TRANSACTION_LIMITS;
  checkInteger(
    line.quantity_thousandths,
    quantityThousandths,
    'quantity_thousandths',
    problems,
    'lines',
    index,
  );
  checkInteger(line.net_amount_minor, amountMinor, 'net_amount_minor', problems, 'lines', index);
  checkInteger(line.unit_price_minor ?? 0, amountMinor, 'unit_price_minor', problems, 'lines', index);
  checkInteger(line.list_price_minor ?? 0, amountMinor, 'list_price_minor', problems, 'lines', index);
}

function checkDiscounts(
  discounts: readonly DiscountMessage[],
  asReturn: boolean,
  index: number,
  problems: Problems,
): Discount[] {
  if (discounts.length === 0) return [];
  const list = `lines[${index}].discounts`;
  if (discounts.length > TRANSACTION_LIMITS.discountsPerLine) {
    problems.add('out_of_range', list, `more than ${TRANSACTION_LIMITS.discountsPerLine} discounts`);
    return [];
  }
  return discounts.map((discount, at) => {
    checkOptionalText(discount.promotion_id, 'promotion_id', problems, undefined, list, at);
    checkOptionalText(discount.coupon_id, 'coupon_id', problems, undefined, list, at);
    checkInteger(discount.amount_minor, TRANSACTION_LIMITS.amountMinor, 'amount_minor', problems, list, at);
    return {
      promotionId: discount.promotion_id || null,
      couponId: discount.coupon_id || null,
      amountMinor: signed(discount.amount_minor, asReturn),
    };
  });
}

function toLine(
  line: TransactionLineMessage,
  index: number,
  asReturn: boolean,
  discounts: readonly Discount[],
): TransactionLine {
  return {
    lineId: line.line_id || String(index + 1),
    sku: line.sku,
    gtin: line.gtin || null,
    categoryPath: line.category_path,
    quantityThousandths: signed(line.quantity_thousandths, asReturn),
    unitOfMeasure: line.unit_of_measure,
    unitPriceMinor: line.unit_price_minor,
    listPriceMinor: line.list_price_minor,
    discounts,
    netAmountMinor: signed(line.net_amount_minor, asReturn),
    voided: line.voided,
  };
}

function signed(value: number, asReturn: boolean): number {
  return asReturn && value > 0 ? -value : value;
}
