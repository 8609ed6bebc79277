/**
 * From what a till sent to a transaction that can be trusted, or to everything that is wrong with it. Both ways in
 * share every check: identity, ranges, currency, time zone, times against the record's own timestamp, business date,
 * and that no card number is carried. What was left out is derived:
 *
 * revision 0, channel `store`, training false, begin_time = end_time, line_id = the line's position from 1,
 * unit_of_measure `each`, currency and calendar from the context, business_date from end_time and the calendar. The
 * time zone of the result is that of the store's calendar. In a RETURN all quantities and amounts come out negative.
 */
import { checkTransaction } from './check-transaction.ts';
import type { ParseContext } from './parse-context.ts';
import { Problems } from './problems.ts';
import { readTransactionJson } from './transaction-json.ts';
import type { TransactionMessage } from './transaction-message.ts';
import type { Parsed } from './transaction.ts';

/** From the decoded Avro message. */
export function parseTransactionMessage(message: TransactionMessage, context: ParseContext): Parsed {
  const problems = new Problems();
  return toParsed(message, context, problems);
}

/**
 * From JSON (HTTP): snake_case names as in the Avro schema; quantities and amounts as decimal text, as JSON numbers (by
 * their shortest text) or as whole numbers in `…_thousandths` and `…_minor`; times as ISO 8601 with an offset or UTC
 * milliseconds. Required: event_id, transaction_id, type, store_id, end_time, lines (but for a VOID), and of a line sku,
 * quantity and net_amount.
 */
export function parseTransactionJson(value: unknown, context: ParseContext): Parsed {
  const problems = new Problems();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.add('malformed', '', 'a transaction must be a JSON object');
    return { ok: false, problems: problems.list };
  }
  return toParsed(readTransactionJson(value, context, problems), context, problems);
}

function toParsed(message: TransactionMessage, context: ParseContext, problems: Problems): Parsed {
  const transaction = checkTransaction(message, context, problems);
  return problems.some ? { ok: false, problems: problems.list } : { ok: true, transaction };
}
