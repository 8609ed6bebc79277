/** Records of the transaction topic to tickets with their place in time; what cannot be one becomes a dead letter. */
import type { Config } from '../../config.ts';
import type { Codec } from '../../pipeline/codec.ts';
import { DecodeError } from '../../pipeline/codec.ts';
import type { PlacedTicket } from '../../pipeline/ingest-step.ts';
import type { Batch, LogRecord, OutgoingRecord } from '../../pipeline/log.ts';
import { TOPICS } from '../../pipeline/topics.ts';
import type { StoreCalendar } from '../../sales/calendar.ts';
import { parseTransactionMessage } from '../../sales/parse-transaction.ts';
import type { Problem, Transaction } from '../../sales/transaction.ts';
import type { RefusalReason } from '../../telemetry/events.ts';
import type { Calendars } from '../calendars.ts';
import { deadLetter } from '../dead-letter.ts';
import { placeTicket } from './place-ticket.ts';

export type ReadContext = {
  readonly codec: Codec;
  readonly config: Config;
  readonly calendars: Calendars;
  /** The product table's widest category, for lines that name none. */
  readonly categoryOfSku: (sku: string) => string | undefined;
};

export type Refused = {
  readonly stage: 'decode' | 'parse';
  readonly reason: RefusalReason;
  readonly message: string;
  readonly letter: OutgoingRecord;
};

export type ReadResult = {
  readonly tickets: readonly PlacedTicket[];
  readonly refused: readonly Refused[];
  /** Stores that are not in the store table yet. */
  readonly newStores: ReadonlyMap<string, StoreCalendar>;
};

export function readBatch(batch: Batch, context: ReadContext): ReadResult {
  const tickets: PlacedTicket[] = [];
  const refused: Refused[] = [];
  const newStores = new Map<string, StoreCalendar>();
  const calendarOf = (storeId: string, timeZone: string | undefined): StoreCalendar =>
    context.calendars.known(storeId) ??
    newStores.get(storeId) ?? {
      timeZone: timeZone ?? context.config.timeZone,
      businessDayStartMinutes: context.config.businessDayStartMinutes,
    };
  for (const record of batch.records) {
    const read = readRecord(record, context, calendarOf);
    if ('problem' in read) {
      refused.push({ ...read.problem, letter: deadLetter(batch, record, read.problem) });
      continue;
    }
    const { transaction } = read;
    const calendar = calendarOf(transaction.storeId, transaction.timeZone);
    if (context.calendars.known(transaction.storeId) === undefined)
      newStores.set(transaction.storeId, calendar);
    tickets.push(
      placeTicket(transaction, calendar, {
        recordTimestampMs: record.timestampMs,
        categoryOfSku: context.categoryOfSku,
      }),
    );
  }
  return { tickets, refused, newStores };
}

type ReadRecord = { readonly transaction: Transaction } | { readonly problem: Omit<Refused, 'letter'> };

function readRecord(
  record: LogRecord,
  { codec, config }: ReadContext,
  calendarOf: (storeId: string, timeZone: string | undefined) => StoreCalendar,
): ReadRecord {
  if (record.value === null) {
    return { problem: { stage: 'decode', reason: 'malformed', message: 'The record is empty.' } };
  }
  try {
    const parsed = parseTransactionMessage(codec.decode(TOPICS.transactions, record.value), {
      currency: config.currency,
      calendarOf,
      recordTimestampMs: record.timestampMs,
      futureSkewMsMax: config.futureSkewMsMax,
      earliestTimeMs: config.earliestTimeMs,
      businessDateSkewDaysMax: config.businessDateSkewDaysMax,
    });
    return parsed.ok ? { transaction: parsed.transaction } : { problem: summary(parsed.problems) };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return { problem: { stage: 'decode', reason: error.reason, message: error.message } };
  }
}

function summary(problems: readonly Problem[]): Omit<Refused, 'letter'> {
  const first = problems[0];
  if (first === undefined) throw new Error('a refused transaction has a problem');
  const message = problems.map((problem) => problem.message).join(' ');
  return { stage: 'parse', reason: first.reason, message: message.slice(0, 2_000) };
}
