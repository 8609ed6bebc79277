/**
 * Which of two tellings of one ticket holds: `revision · 2^32 + CRC-32 of its content`. The higher revision wins, and
 * of two contents with one revision always the same one, in whatever order they come; a duplicate has the same version.
 */
import { crc32 } from 'node:zlib';
import type { Transaction, TransactionLine } from './transaction.ts';

export function ticketVersion(transaction: Transaction): bigint {
  return (BigInt(transaction.revision) << 32n) | BigInt(crc32(contentText(transaction)));
}

/**
 * Every field, each after a control character, which no text of a ticket holds. By hand, because it is made for every
 * sale of the chain: JSON takes twice as long.
 */
function contentText(ticket: Transaction): string {
  let text =
    `${ticket.eventId}\n${ticket.transactionId}\n${ticket.originalTransactionId ?? ''}\n${ticket.type}` +
    `\n${ticket.training}\n${ticket.storeId}\n${ticket.registerId ?? ''}\n${ticket.channel}\n${ticket.beginTimeMs}` +
    `\n${ticket.endTimeMs}\n${ticket.timeZone}\n${ticket.businessDate}\n${ticket.currency}`;
  for (const line of ticket.lines) text += lineText(line);
  for (const { kind, amountMinor } of ticket.tenders) text += `\u0002${kind}\n${amountMinor}`;
  // Of all fields these alone come in the sender's order.
  for (const name of Object.keys(ticket.attributes).sort())
    text += `\u0003${name}\n${ticket.attributes[name]}`;
  return text;
}

function lineText(line: TransactionLine): string {
  let text =
    `\u0001${line.lineId}\n${line.sku}\n${line.gtin ?? ''}\n${line.quantityThousandths}\n${line.unitOfMeasure}` +
    `\n${line.unitPriceMinor}\n${line.listPriceMinor}\n${line.netAmountMinor}\n${line.voided}`;
  for (const category of line.categoryPath) text += `\u0004${category}`;
  for (const { promotionId, couponId, amountMinor } of line.discounts) {
    text += `\u0005${promotionId ?? ''}\n${couponId ?? ''}\n${amountMinor}`;
  }
  return text;
}
