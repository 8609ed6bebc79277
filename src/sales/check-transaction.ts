/**
 * Every check on a transaction that does not depend on how it was sent. Paths of problems are put together only when
 * there is a problem: this runs for every sale of the chain.
 */
import { DAY_MS } from './durations.ts';
import { dayBucketMs, dayBucketOf, businessDateOfBucket, isBusinessDate } from './calendar.ts';
import type { StoreCalendar } from './calendar.ts';
import { holdsCardNumber } from './card-data.ts';
import { checkLines } from './check-lines.ts';
import { checkInteger, checkOptionalText, checkText } from './check-values.ts';
import type { ParseContext } from './parse-context.ts';
import { quote } from './problems.ts';
import type { Problems } from './problems.ts';
import { isTimeZone } from './time-zone.ts';
import { TRANSACTION_LIMITS } from './transaction-limits.ts';
import type { TransactionMessage } from './transaction-message.ts';
import type { Tender, Transaction } from './transaction.ts';

const TRANSACTION_TYPES: readonly string[] = ['SALE', 'RETURN', 'EXCHANGE', 'VOID'];
/** Such names in a path of a problem say nothing that should stay unsaid. */
const PLAIN_NAME = /^[A-Za-z][\w.-]{0,39}$/;

/**
 * The transaction with everything derived that the till left out; of use only while `problems` has none. An optional
 * text that was sent empty counts as left out: many tills cannot send nothing.
 */
export function checkTransaction(
  message: TransactionMessage,
  context: ParseContext,
  problems: Problems,
): Transaction {
  checkIdentity(message, problems);
  checkCurrency(message.currency, context, problems);
  const beginTimeMs = message.begin_time ?? message.end_time;
  const timely = checkTimes(beginTimeMs, message.end_time, context, problems);
  const calendar = calendarOf(message, context, problems);
  const asReturn = message.type === 'RETURN';
  return {
    eventId: message.event_id,
    transactionId: message.transaction_id,
    revision: message.revision,
    originalTransactionId: message.original_transaction_id || null,
    type: message.type,
    training: message.training,
    storeId: message.store_id,
    registerId: message.register_id || null,
    channel: message.channel,
    beginTimeMs,
    endTimeMs: message.end_time,
    timeZone: calendar?.timeZone ?? '',
    businessDate: timely && calendar !== null ? checkBusinessDate(message, calendar, context, problems) : '',
    currency: context.currency,
    lines: checkLines(message.lines, asReturn, problems),
    tenders: checkTenders(message.tenders, asReturn, problems),
    attributes: checkAttributes(message.attributes, problems),
  };
}

function checkIdentity(message: TransactionMessage, problems: Problems): void {
  checkText(message.event_id, 'event_id', problems);
  checkText(message.transaction_id, 'transaction_id', problems);
  checkText(message.store_id, 'store_id', problems);
  checkText(message.channel, 'channel', problems);
  checkOptionalText(message.register_id, 'register_id', problems);
  checkOptionalText(message.original_transaction_id, 'original_transaction_id', problems);
  checkInteger(message.revision, TRANSACTION_LIMITS.revision, 'revision', problems);
  if (message.revision < 0) problems.add('out_of_range', 'revision', 'revision is negative');
  if (!TRANSACTION_TYPES.includes(message.type)) {
    problems.add(
      'invalid_value',
      'type',
      `type ${quote(message.type)} is not SALE, RETURN, EXCHANGE or VOID`,
    );
  }
  if (message.type === 'VOID' && !message.original_transaction_id) {
    problems.add('missing_field', 'original_transaction_id', 'a VOID must name the ticket it takes back');
  }
}

function checkCurrency(currency: string | null, context: ParseContext, problems: Problems): void {
  if (!currency || currency === context.currency) return;
  problems.add('currency_mismatch', 'currency', `currency ${quote(currency)} is not ${context.currency}`);
}

function checkTimes(beginMs: number, endMs: number, context: ParseContext, problems: Problems): boolean {
  const latestMs = context.recordTimestampMs + context.futureSkewMsMax;
  if (!Number.isSafeInteger(endMs))
    problems.add('invalid_value', 'end_time', 'end_time is not a whole millisecond');
  else if (endMs > latestMs) {
    const lead = Math.round((endMs - context.recordTimestampMs) / 1000);
    problems.add(
      'time_in_future',
      'end_time',
      `end_time is ${lead} s after the record was written: the clock is wrong`,
    );
  } else if (endMs < context.earliestTimeMs) {
    problems.add(
      'time_too_old',
      'end_time',
      `end_time is before ${new Date(context.earliestTimeMs).toISOString()}`,
    );
  } else if (beginMs > endMs) {
    problems.add('invalid_value', 'begin_time', 'begin_time is after end_time');
  } else if (!(beginMs >= context.earliestTimeMs)) {
    problems.add(
      'time_too_old',
      'begin_time',
      `begin_time is before ${new Date(context.earliestTimeMs).toISOString()}`,
    );
  } else return true;
  return false;
}

function calendarOf(
  message: TransactionMessage,
  context: ParseContext,
  problems: Problems,
): StoreCalendar | null {
  const zone = message.time_zone || undefined;
  if (zone === undefined || isTimeZone(zone)) return context.calendarOf(message.store_id, zone);
  problems.add('unknown_time_zone', 'time_zone', `time zone ${quote(zone)} is not in the IANA database`);
  return null;
}

function checkBusinessDate(
  message: TransactionMessage,
  calendar: StoreCalendar,
  context: ParseContext,
  problems: Problems,
): string {
  const bucketMs = dayBucketOf(message.end_time, calendar);
  const given = message.business_date;
  if (!given) return businessDateOfBucket(bucketMs);
  if (!isBusinessDate(given)) {
    problems.add('invalid_value', 'business_date', `business_date ${quote(given)} is not a date YYYY-MM-DD`);
  } else if (Math.abs(dayBucketMs(given) - bucketMs) > context.businessDateSkewDaysMax * DAY_MS) {
    const local = `${businessDateOfBucket(bucketMs)} (${calendar.timeZone})`;
    const text = `business_date ${given} is more than ${context.businessDateSkewDaysMax} days from the sale's own, ${local}`;
    problems.add('business_date_mismatch', 'business_date', text);
  }
  return given;
}

function checkTenders(
  tenders: TransactionMessage['tenders'],
  asReturn: boolean,
  problems: Problems,
): Tender[] {
  if (tenders.length > TRANSACTION_LIMITS.tenders) {
    problems.add('out_of_range', 'tenders', `more than ${TRANSACTION_LIMITS.tenders} tenders`);
    return [];
  }
  return tenders.map(({ kind, amount_minor: amount }, index) => {
    if (holdsCardNumber(kind)) addCardData(`tenders[${index}].kind`, problems);
    else checkText(kind, 'kind', problems, 'tenders', index);
    checkInteger(amount, TRANSACTION_LIMITS.amountMinor, 'amount_minor', problems, 'tenders', index);
    return { kind, amountMinor: asReturn && amount > 0 ? -amount : amount };
  });
}

function checkAttributes(
  attributes: Readonly<Record<string, string>>,
  problems: Problems,
): Readonly<Record<string, string>> {
  const names = Object.keys(attributes);
  if (names.length > TRANSACTION_LIMITS.attributes) {
    problems.add('out_of_range', 'attributes', `more than ${TRANSACTION_LIMITS.attributes} attributes`);
    return attributes;
  }
  for (const [index, name] of names.entries()) {
    const path =
      PLAIN_NAME.test(name) && !holdsCardNumber(name) ? `attributes.${name}` : `attributes[${index}]`;
    const value = attributes[name] as string;
    if (holdsCardNumber(name) || holdsCardNumber(value)) addCardData(path, problems);
    else {
      if (name === '__proto__') problems.add('invalid_value', path, 'an attribute cannot have this name');
      checkText(name, path, problems);
      checkOptionalText(value, path, problems, TRANSACTION_LIMITS.attributeCharacters);
    }
  }
  return attributes;
}

function addCardData(path: string, problems: Problems): void {
  problems.add('card_data', path, `${path} holds what looks like a card number: it must never be sent`);
}
