/**
 * From a till's ticket to the nowcast on the WebSocket that counts it: the whole system in one process, with three
 * weeks of history, under a steady load of tickets appended to the log as a till gateway does.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { insertStores } from '../../src/adapters/clickhouse/companions-table.ts';
import { insertSales } from '../../src/adapters/clickhouse/insert-sales.ts';
import type { SalesRow } from '../../src/adapters/clickhouse/insert-sales.ts';
import { systemClock } from '../../src/clock.ts';
import { resolveConfig } from '../../src/config.ts';
import { DAY_MS, HOUR_MS } from '../../src/sales/durations.ts';
import { startSystem } from '../../src/main.ts';
import type { System } from '../../src/main.ts';
import { TOPICS } from '../../src/pipeline/topics.ts';
import type { Platform } from '../../src/platform.ts';
import { createRandom } from '../../src/simulator/random.ts';
import type { LoadBatch, LoadPlan, LoadResult } from './feed-load.ts';
import { withPlatform } from './platform.ts';
import { createTicketMaker } from './tickets.ts';

const PER_SECOND = 5_000;
const HISTORY_DAYS = 21;
const GOAL_MS = 250;
const READY_MS_MAX = 120_000;

export async function benchFeedLatency(options: { readonly quick: boolean }): Promise<void> {
  const plan = options.quick
    ? { warmUpMs: 3_000, measuredMs: 5_000 }
    : { warmUpMs: 5_000, measuredMs: 20_000 };
  const config = resolveConfig();
  await withPlatform({ config, clock: systemClock }, async (platform) => {
    await learnable(platform);
    const failed: unknown[] = [];
    const system = await startSystem({
      platform,
      roles: ['serve', 'ingest', 'forecast'],
      listen: { host: '127.0.0.1', port: 0 },
      onFailed: (error) => failed.push(error),
    });
    try {
      await ready(system, failed);
      const load = { ...plan, url: system.url!, perSecond: PER_SECOND, graceMs: 10_000 };
      const result = await run(load, platform);
      if (failed.length > 0) throw failed[0];
      report(result, load);
    } finally {
      await system.stop();
    }
  });
}

/** Hours and days of every store and category, up to the hour that has begun. */
async function learnable({ store }: Platform): Promise<void> {
  const { storeIds, categories } = createTicketMaker('history', 'UTC');
  const nowMs = Date.now();
  await insertStores(
    store,
    storeIds.map((storeId) => ({
      storeId,
      name: storeId,
      timeZone: 'UTC',
      businessDayStartMinutes: 0,
      recordedAtMs: nowMs,
    })),
  );
  const random = createRandom('bench history');
  const todayMs = Math.floor(nowMs / DAY_MS) * DAY_MS;
  const rows: SalesRow[] = [];
  for (const storeId of storeIds) {
    for (const category of categories) {
      const leaf = { storeId, category, sku: `${category} 1`, transactions: 0 };
      const add = (granularity: 'hour' | 'day', bucketMs: number, mean: number): void => {
        const units = random.poisson(mean);
        rows.push({
          ...leaf,
          granularity,
          bucketMs,
          unitsThousandths: 1_000 * units,
          revenueMinor: 199 * units,
        });
      };
      for (let dayMs = todayMs - HISTORY_DAYS * DAY_MS; dayMs < todayMs; dayMs += DAY_MS)
        add('day', dayMs, 200);
      for (let hourMs = todayMs - HISTORY_DAYS * DAY_MS; hourMs + HOUR_MS <= nowMs; hourMs += HOUR_MS)
        add('hour', hourMs, 6 + 4 * Math.sin((2 * Math.PI * (hourMs % DAY_MS)) / DAY_MS));
    }
  }
  await insertSales(store, rows, { recordedAtMs: nowMs });
}

async function ready(system: System, failed: readonly unknown[]): Promise<void> {
  const deadlineMs = performance.now() + READY_MS_MAX;
  while (!system.ready()) {
    if (failed.length > 0) throw failed[0];
    if (performance.now() > deadlineMs) throw new Error(`not ready: ${JSON.stringify(system.status())}`);
    await delay(50);
  }
}

async function run(plan: LoadPlan, { log }: Platform): Promise<LoadResult> {
  const worker = new Worker(new URL('feed-load.ts', import.meta.url), { workerData: plan });
  try {
    return await new Promise<LoadResult>((resolve, reject) => {
      worker.on('error', reject);
      worker.on('message', (message: LoadBatch | LoadResult) => {
        if (message.kind === 'done') return resolve(message);
        const records = message.values.map((value, at) => ({
          key: Buffer.from(message.keys[at]!),
          value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
        }));
        log.append(TOPICS.transactions, records).catch(reject);
      });
    });
  } finally {
    await worker.terminate();
  }
}

function report({ latenciesMs, missing, nowcasts }: LoadResult, plan: LoadPlan): void {
  const sorted = latenciesMs.toSorted();
  const at = (quantile: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))]!;
  const p99 = missing > 0 ? Number.POSITIVE_INFINITY : at(0.99);
  console.log(
    `feed: ${plan.perSecond.toLocaleString('en')} tickets/s through the log for ${plan.measuredMs / 1_000} s, ` +
      `20 stores × 15 categories, ${HISTORY_DAYS} days of history`,
  );
  console.log(
    `  ticket due → nowcast on the WebSocket that counts it: p50 ${at(0.5).toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, ` +
      `max ${at(1).toFixed(0)} ms (goal p99 < ${GOAL_MS}: ${p99 < GOAL_MS ? 'reached' : 'missed'})`,
  );
  const rate = Math.round((1_000 * nowcasts) / (plan.warmUpMs + plan.measuredMs));
  console.log(
    `  ${sorted.length.toLocaleString('en')} tickets counted, ${missing} never seen, ${rate} nowcasts/s to the client`,
  );
}
