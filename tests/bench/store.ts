/** The store alone: rows inserted per second, and how long an hour and a day of 200,000 tickets take to close. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { amendBuckets } from '../../src/adapters/clickhouse/amend-buckets.ts';
import type { Store } from '../../src/adapters/clickhouse/client.ts';
import { openStore } from '../../src/adapters/clickhouse/client.ts';
import { closeBuckets } from '../../src/adapters/clickhouse/close-buckets.ts';
import { startEmbeddedEngine } from '../../src/adapters/clickhouse/embedded-engine.ts';
import { migrate } from '../../src/adapters/clickhouse/migrate.ts';
import { readTotals } from '../../src/adapters/clickhouse/sales-table.ts';
import type { TransactionRow } from '../../src/adapters/clickhouse/transactions-table.ts';
import { insertTransactions, toTransactionRow } from '../../src/adapters/clickhouse/transactions-table.ts';
import { systemClock } from '../../src/clock.ts';
import { DEFAULT_CONFIG } from '../../src/config.ts';
import { DAY_MS, HOUR_MS } from '../../src/sales/durations.ts';
import type { Transaction } from '../../src/sales/transaction.ts';

const TICKETS = 200_000;
const LINES_PER_TICKET = 4;
const STORES = 20;
const PRODUCTS = 5_000;
const BATCH = DEFAULT_CONFIG.ingestBatchRecordsMax;
const DAY_START_MS = Date.UTC(2026, 2, 2);

export async function benchStore(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'foretill-bench-'));
  const engine = await startEmbeddedEngine({ dir, limits: DEFAULT_CONFIG.engine });
  const { url, username, password } = engine;
  const store = await openStore({
    url,
    username,
    password,
    createDatabase: true,
    limits: DEFAULT_CONFIG.store,
  });
  try {
    await migrate(store, { clock: systemClock });
    await benchInsert(store);
    await benchClose(store);
  } finally {
    await store.close();
    await engine.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

async function benchInsert(store: Store): Promise<void> {
  const rows = Array.from({ length: TICKETS }, (_, i) => ticketRow(i));
  const encodeMs = await timed(async () => {
    for (const row of rows) JSON.stringify(row);
  });
  const insertMs = await timed(async () => {
    for (let at = 0; at < TICKETS; at += BATCH) {
      await insertTransactions(store, rows.slice(at, at + BATCH), `bench ${at}`);
    }
  });
  const perSecond = (ms: number) => Math.round((TICKETS / ms) * 1_000).toLocaleString('en');
  console.log(`store: encode alone ${perSecond(encodeMs)} tickets/s`);
  console.log(
    `store: insert ${perSecond(insertMs)} tickets/s of ${LINES_PER_TICKET} lines, batches of ${BATCH} (${(encodeMs / insertMs).toFixed(2)} of encode alone)`,
  );
}

async function benchClose(store: Store): Promise<void> {
  const rest = { partition: null, recordedAtMs: 1, businessDateSkewDaysMax: 2 };
  for (const hour of [9, 10, 11]) {
    const afterMs = DAY_START_MS + hour * HOUR_MS;
    const ms = await timed(() => closeBuckets(store, { afterMs, untilMs: afterMs + HOUR_MS, ...rest }));
    console.log(`store: hour closed in ${ms.toFixed(0)} ms`);
  }
  const dayEndMs = DAY_START_MS + DAY_MS;
  const closeDay = () => closeBuckets(store, { afterMs: dayEndMs - HOUR_MS, untilMs: dayEndMs, ...rest });
  console.log(`store: day (and its last hour) closed in ${(await timed(closeDay)).toFixed(0)} ms`);
  console.log(`store: closed again, nothing to do, in ${(await timed(closeDay)).toFixed(0)} ms`);
  const amend = () =>
    amendBuckets(store, {
      hours: [{ storeId: '7', hourMs: DAY_START_MS + 9 * HOUR_MS }],
      days: [{ storeId: '7', businessDate: '2026-03-02' }],
      recordedAtMs: 2,
      businessDateSkewDaysMax: 2,
    });
  console.log(`store: an hour and a day of one store amended in ${(await timed(amend)).toFixed(0)} ms`);
  const range = { granularity: 'day' as const, fromMs: 0, beforeMs: Infinity };
  let leaves = 0;
  const readMs = await timed(async () => {
    leaves = (await readTotals(store, { ...range, products: 'each' })).sku.length;
  });
  console.log(`store: ${leaves.toLocaleString('en')} leaf totals of the day read in ${readMs.toFixed(0)} ms`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

/** Tickets spread evenly over the day, stores and products, the same in every run. */
function ticketRow(i: number): TransactionRow {
  const endTimeMs = DAY_START_MS + Math.floor((i / TICKETS) * DAY_MS);
  const ticket: Transaction = {
    eventId: `event-${i}`,
    transactionId: `ticket-${String(i).padStart(9, '0')}`,
    revision: 0,
    originalTransactionId: null,
    type: 'SALE',
    training: false,
    storeId: String(i % STORES),
    registerId: String(i % 8),
    channel: 'STORE',
    beginTimeMs: endTimeMs - 60_000,
    endTimeMs,
    timeZone: 'UTC',
    businessDate: '2026-03-02',
    currency: 'USD',
    lines: Array.from({ length: LINES_PER_TICKET }, (_, line) => ({
      lineId: String(line + 1),
      sku: String((i * 7_919 + line * 104_729) % PRODUCTS),
      gtin: null,
      categoryPath: [],
      quantityThousandths: 1_000,
      unitOfMeasure: 'EA',
      unitPriceMinor: 199 + line,
      listPriceMinor: null,
      discounts: [],
      netAmountMinor: 199 + line,
      voided: false,
    })),
    tenders: [],
    attributes: {},
  };
  return toTransactionRow(ticket, {
    version: BigInt(i),
    hourMs: Math.floor(endTimeMs / HOUR_MS) * HOUR_MS,
    dayEndMs: DAY_START_MS + DAY_MS,
    categoryOf: (line) => `category ${Number(line.sku) % 50}`,
    source: 'bench',
    recordedAtMs: endTimeMs,
  });
}
