/** What a role stands on, for tests: a log and a store of their own, a clock that stands still, and what went wrong. */
import { afterAll } from 'vitest';
import { createCodec } from '../../../src/adapters/avro/codec.ts';
import { insertSales } from '../../../src/adapters/clickhouse/insert-sales.ts';
import type { SalesRow } from '../../../src/adapters/clickhouse/insert-sales.ts';
import type { Store } from '../../../src/adapters/clickhouse/client.ts';
import { manualClock } from '../../../src/clock.ts';
import { resolveConfig } from '../../../src/config.ts';
import type { Config } from '../../../src/config.ts';
import type { BucketMessage } from '../../../src/pipeline/messages.ts';
import { TOPICS, topicSpecs } from '../../../src/pipeline/topics.ts';
import { createCalendars } from '../../../src/roles/calendars.ts';
import { startForecast } from '../../../src/roles/forecast/forecast.ts';
import type { ForecastRole } from '../../../src/roles/forecast/forecast.ts';
import { startIngest } from '../../../src/roles/ingest/ingest.ts';
import type { IngestRole } from '../../../src/roles/ingest/ingest.ts';
import type { TransactionMessage } from '../../../src/sales/transaction-message.ts';
import { createTelemetry } from '../../../src/telemetry/telemetry.ts';
import { openTemporaryLog } from '../../adapters/sqlite-log/open-temporary.ts';
import { eventually, useEngine } from '../clickhouse/engine-fixture.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

const FAST: Partial<Config> = {
  timeZone: 'America/New_York',
  granularities: {
    hour: { levels: ['total', 'store', 'category', 'store-category'], horizon: 24 },
    day: { levels: ['total', 'store', 'category', 'store-category', 'product'], horizon: 14 },
  },
  nowcastEveryMs: 5,
  checkpointEveryMs: 10,
  ingestTickMs: 5,
};

export type Bench = Awaited<ReturnType<ReturnType<typeof useRoles>>>;

/** A bench per call, all on one engine. */
export function useRoles() {
  const fixture = useEngine();
  const opened: (() => Promise<void>)[] = [];
  afterAll(async () => {
    for (const close of opened.splice(0).reverse()) await close();
  });

  return async function openBench(change: Partial<Config> = {}, nowMs = Date.UTC(2017, 2, 20, 12)) {
    const config = resolveConfig({ ...FAST, ...change });
    const clock = manualClock(nowMs);
    const temporary = await openTemporaryLog({ clock });
    const store = await fixture.openMigrated();
    const codec = await createCodec();
    await temporary.log.ensureTopics(topicSpecs(config));
    const running = new Set<{ stop(): Promise<void> }>();
    opened.push(async () => {
      for (const role of running) await role.stop().catch(() => {});
      await temporary.dispose();
    });
    const { log } = temporary;
    const base = { log, store, codec, config, clock };

    /** `through` puts something between the role and the outside. */
    function deps(through: Partial<Pick<typeof base, 'log' | 'store'>> = {}) {
      const failures: unknown[] = [];
      const telemetry = createTelemetry({ level: 'silent' });
      const calendars = createCalendars({ ...base, ...through });
      const onFailed = (error: unknown): void => void failures.push(error);
      return { ...base, ...through, telemetry, calendars, onFailed, failures };
    }

    return {
      ...base,
      /** Appends tickets, each keyed by its store. */
      async sell(...tickets: TransactionMessage[]): Promise<void> {
        await log.append(
          TOPICS.transactions,
          tickets.map((ticket) => ({
            key: Buffer.from(ticket.store_id),
            value: codec.encode(TOPICS.transactions, ticket),
            timestampMs: clock.nowMs(),
          })),
        );
      },
      async say(message: Partial<BucketMessage>): Promise<void> {
        const said = { source_topic: TOPICS.transactions, source_partition: 0, kind: 'LIVE' as const };
        const rest = { watermark_ms: null, open: [], amended: [], last_event_ms: null };
        const value = codec.encode(TOPICS.buckets, { ...said, ...rest, ...message });
        await log.append(TOPICS.buckets, [{ key: null, value, partition: 0 }]);
      },
      async enterSales(rows: readonly SalesRow[]): Promise<void> {
        await insertSales(store, rows, { recordedAtMs: clock.nowMs() });
      },
      startIngest: async (through: Parameters<typeof deps>[0] = {}, wait: 'ready' | 'started' = 'ready') => {
        const made = deps(through);
        const role: IngestRole = await startIngest(made);
        running.add(role);
        if (wait === 'ready') await eventually('ingest is ready', role.ready);
        return { role, ...made };
      },
      startForecast: async (
        through: Parameters<typeof deps>[0] = {},
        wait: 'ready' | 'started' = 'ready',
      ) => {
        const made = deps(through);
        const role: ForecastRole = startForecast(made);
        running.add(role);
        await role.started;
        if (wait === 'ready')
          await eventually('forecast is ready', () => role.ready() || made.failures.length > 0);
        return { role, ...made };
      },
      /** The offset that a group has committed of partition 0 of a topic; null: none. */
      async committed(group: string, topic: string): Promise<number | null> {
        return (await log.committed(group, topic)).get(0)?.offset ?? null;
      },
    };
  };
}

/** Sales of two stores, two products each, every bucket from `fromMs` on. */
export function steadySales(granularity: 'hour' | 'day', fromMs: number, buckets: number): SalesRow[] {
  const rows: SalesRow[] = [];
  const lengthMs = granularity === 'hour' ? HOUR_MS : DAY_MS;
  for (let b = 0; b < buckets; b += 1)
    for (const storeId of ['406', '9'])
      for (const [sku, category] of [
        ['rye', 'BREAD'],
        ['cod', 'FISH'],
      ] as const) {
        const unitsThousandths = 1000 * (1 + ((b * 7 + sku.length + storeId.length) % 5));
        const bucketMs = fromMs + b * lengthMs;
        const revenueMinor = unitsThousandths / 5;
        rows.push({
          granularity,
          bucketMs,
          storeId,
          category,
          sku,
          unitsThousandths,
          revenueMinor,
          transactions: 1,
        });
      }
  return rows;
}

/** The store with some of its doings replaced. */
export function changedStore(store: Store, change: Partial<Store>): Store {
  return { ...store, ...change };
}
