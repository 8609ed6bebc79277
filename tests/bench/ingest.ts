/**
 * Role ingest: transactions a second from the log to committed rows, running totals and offsets, against decoding the
 * same bytes alone and inserting ready-made rows of the same tickets alone. The stages alternate within one run, so
 * that a machine that is shared slows all of them.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { insertTransactions, toTransactionRow } from '../../src/adapters/clickhouse/transactions-table.ts';
import type { TransactionRow } from '../../src/adapters/clickhouse/transactions-table.ts';
import { manualClock } from '../../src/clock.ts';
import { DEFAULT_CONFIG, resolveConfig } from '../../src/config.ts';
import { HOUR_MS } from '../../src/sales/durations.ts';
import { startSystem } from '../../src/main.ts';
import type { OutgoingRecord } from '../../src/pipeline/log.ts';
import { TOPICS } from '../../src/pipeline/topics.ts';
import type { Platform } from '../../src/platform.ts';
import { INGEST_GROUP } from '../../src/roles/ingest/ingest.ts';
import { placeTicket } from '../../src/roles/ingest/place-ticket.ts';
import { parseTransactionMessage } from '../../src/sales/parse-transaction.ts';
import type { Transaction } from '../../src/sales/transaction.ts';
import { withPlatform } from './platform.ts';
import { createTicketMaker } from './tickets.ts';

export const TIME_ZONE = 'America/New_York';
/** The end of an evening: three or four hours and a business day close on the way, each for every partition. */
export const FROM_MS = Date.UTC(2026, 4, 15, 1);
export const HOURS = 4;
const RECORDS_PER_APPEND = 5_000;
const GOAL = 0.6;

const CONFIG = resolveConfig({ timeZone: TIME_ZONE });
const CALENDAR = { timeZone: TIME_ZONE, businessDayStartMinutes: 0 };

export async function benchIngest(options: { readonly quick: boolean }): Promise<void> {
  const tickets = options.quick ? 80_000 : 200_000;
  const rounds = options.quick ? 1 : 2;
  const clock = manualClock(FROM_MS + HOURS * HOUR_MS);
  const records = await withPlatform({ config: CONFIG, clock }, async (platform) =>
    ticketRecords(tickets, platform),
  );
  console.log(
    `ingest: ${tickets.toLocaleString('en')} tickets of 4 lines, 20 stores, 300 products, ${HOURS} h of event time, ` +
      `${CONFIG.transactionPartitions} partitions, batches of ${CONFIG.ingestBatchRecordsMax}`,
  );
  const seconds = { decode: [] as number[], insert: [] as number[], whole: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    await withPlatform({ config: CONFIG, clock }, async (platform) => {
      seconds.decode.push(decodeAlone(records, platform));
      seconds.insert.push(await insertAlone(records, platform));
    });
    await withPlatform({ config: CONFIG, clock }, async (platform) => {
      await fill(records, platform);
      seconds.whole.push(await ingest(tickets, platform));
    });
  }
  const rate = (each: readonly number[]): number => (rounds * tickets) / each.reduce((sum, s) => sum + s, 0);
  const slower = Math.min(rate(seconds.decode), rate(seconds.insert));
  print('decode and parse alone', rate(seconds.decode));
  print('insert alone, ready-made rows, a batch at a time', rate(seconds.insert));
  print('whole: log → rows, totals, closed buckets, offsets', rate(seconds.whole));
  const ratio = rate(seconds.whole) / slower;
  console.log(
    `  whole / slower of the two: ${ratio.toFixed(2)} (goal ${GOAL}: ${ratio >= GOAL ? 'reached' : 'missed'})`,
  );
}

export function ticketRecords(tickets: number, { codec }: Platform): OutgoingRecord[] {
  const maker = createTicketMaker('bench', TIME_ZONE);
  return Array.from({ length: tickets }, (_, at) => {
    const endMs = FROM_MS + Math.floor((at / tickets) * HOURS * HOUR_MS);
    const message = maker.next(endMs);
    const key = Buffer.from(message.store_id);
    return { key, value: codec.encode(TOPICS.transactions, message), timestampMs: endMs + 1_000 };
  });
}

export async function fill(records: readonly OutgoingRecord[], { log }: Platform): Promise<void> {
  for (let at = 0; at < records.length; at += RECORDS_PER_APPEND) {
    await log.append(TOPICS.transactions, records.slice(at, at + RECORDS_PER_APPEND));
  }
}

function decodeAlone(records: readonly OutgoingRecord[], platform: Platform): number {
  const begin = performance.now();
  for (const record of records) read(record, platform);
  return (performance.now() - begin) / 1_000;
}

function read({ value, timestampMs }: OutgoingRecord, { codec }: Platform): Transaction {
  const parsed = parseTransactionMessage(codec.decode(TOPICS.transactions, value!), {
    ...CONFIG,
    calendarOf: () => CALENDAR,
    recordTimestampMs: timestampMs!,
  });
  if (!parsed.ok) throw new Error(parsed.problems[0]!.message);
  return parsed.transaction;
}

/** The rows are made outside of the measured time. */
export async function insertAlone(records: readonly OutgoingRecord[], platform: Platform): Promise<number> {
  let ms = 0;
  const size = DEFAULT_CONFIG.ingestBatchRecordsMax;
  for (let at = 0; at < records.length; at += size) {
    const rows = records.slice(at, at + size).map((record) => row(record, platform));
    const begin = performance.now();
    await insertTransactions(platform.store, rows, `bench:${at}`);
    ms += performance.now() - begin;
  }
  return ms / 1_000;
}

function row(record: OutgoingRecord, platform: Platform): TransactionRow {
  const recordTimestampMs = record.timestampMs!;
  const placed = placeTicket(read(record, platform), CALENDAR, {
    recordTimestampMs,
    categoryOfSku: () => undefined,
  });
  return toTransactionRow(placed.transaction, {
    ...placed,
    source: 'bench',
    recordedAtMs: recordTimestampMs,
  });
}

/** From the start of the role until everything is committed. */
export async function ingest(records: number, platform: Platform): Promise<number> {
  const failed: unknown[] = [];
  const begin = performance.now();
  const system = await startSystem({
    platform,
    roles: ['ingest'],
    listen: { host: '127.0.0.1', port: 0 },
    onFailed: (error) => failed.push(error),
  });
  try {
    while ((await committed(platform)) < records) {
      if (failed.length > 0) throw failed[0];
      await delay(20);
    }
    return (performance.now() - begin) / 1_000;
  } finally {
    await system.stop();
  }
}

export async function committed({ log }: Platform): Promise<number> {
  const offsets = await log.committed(INGEST_GROUP, TOPICS.transactions);
  return [...offsets.values()].reduce((sum, { offset }) => sum + offset, 0);
}

export function print(what: string, perSecond: number): void {
  console.log(`  ${what.padEnd(52)} ${Math.round(perSecond).toLocaleString('en').padStart(9)}/s`);
}
