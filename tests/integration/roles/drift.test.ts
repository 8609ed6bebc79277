/** A shift of sales, from the tables to the alert topic: told once, once more when it is over, and never again. */
import { describe, expect, test } from 'vitest';
import type { SalesRow } from '../../../src/adapters/clickhouse/insert-sales.ts';
import type { AlertMessage } from '../../../src/pipeline/messages.ts';
import { TOPICS } from '../../../src/pipeline/topics.ts';
import type { ForecastRole } from '../../../src/roles/forecast/forecast.ts';
import { createRandom } from '../../../src/simulator/random.ts';
import { readTopic } from '../../read-topic.ts';
import { eventually } from '../clickhouse/engine-fixture.ts';
import { DAY_MS, useRoles } from './roles-fixture.ts';
import type { Bench } from './roles-fixture.ts';

const openBench = useRoles();
const FIRST_MS = Date.UTC(2017, 0, 2);
const WARM_DAYS = 60;
const CHAIN = { timeZone: 'UTC', productsMax: 0 };

/** A day of two stores, two categories each: 100 of each sold give or take, times `level`. */
function dayOf(day: number, level: number): SalesRow[] {
  const random = createRandom('drift', day);
  return ['406', '9'].flatMap((storeId) =>
    ['BREAD', 'FISH'].map((category) => {
      const units = Math.round(100 * level * (1 + 0.05 * random.normal()));
      return {
        granularity: 'day' as const,
        bucketMs: FIRST_MS + day * DAY_MS,
        storeId,
        category,
        sku: category,
        unitsThousandths: 1000 * units,
        revenueMinor: 250 * units,
        transactions: units,
      };
    }),
  );
}

async function enterDays(bench: Bench, from: number, before: number, level: number): Promise<void> {
  const days = Array.from({ length: before - from }, (_, i) => dayOf(from + i, level));
  await bench.enterSales(days.flat());
}

/** Closes the days one by one, as they would live. */
async function closeDays(bench: Bench, role: ForecastRole, from: number, before: number): Promise<void> {
  for (let day = from; day < before; day++) {
    await bench.say({ watermark_ms: FIRST_MS + (day + 1) * DAY_MS });
    await heard(bench, role);
  }
}

async function heard(bench: Bench, role: ForecastRole): Promise<void> {
  const end = (await bench.log.offsets(TOPICS.buckets)).get(0)?.end ?? 0;
  await eventually('everything has been heard', () => role.shards()[0]?.nextOffset === end && role.idle());
}

async function alertsOf(bench: Bench): Promise<AlertMessage[]> {
  const records = await readTopic(bench.log, TOPICS.alerts);
  return records.map(({ value }) => bench.codec.decode(TOPICS.alerts, value as Buffer));
}

describe('sales that rise by three fifths', () => {
  test('are told once, for the widest series, and once more when they are what is usual', async () => {
    const bench = await openBench(CHAIN);
    await enterDays(bench, 0, WARM_DAYS, 1);
    const { role, telemetry } = await bench.startForecast();
    await enterDays(bench, WARM_DAYS, WARM_DAYS + 30, 1.6);
    await closeDays(bench, role, WARM_DAYS, WARM_DAYS + 7);

    const [found, ...more] = await alertsOf(bench);
    expect(more).toEqual([]);
    expect(found).toMatchObject({
      kind: 'drift',
      severity: 'CRITICAL',
      series: 'day/units/total',
      level: 'total',
      store: null,
      since_ms: FIRST_MS + WARM_DAYS * DAY_MS,
      resolved_ms: null,
    });
    expect(found?.value).toBeCloseTo(0.6, 1);
    expect(found?.error_before).toBeLessThan(0.1);
    expect(found?.error_after).toBeGreaterThan(0.1);
    expect(found?.message).toMatch(
      /^Sales of the chain run [56]\d % above their usual level since Friday 3 March; the error of their forecasts rose from \d % to \d\d %\. So do \d+ more series of the chain\.$/,
    );

    await closeDays(bench, role, WARM_DAYS + 7, WARM_DAYS + 20);
    const all = await alertsOf(bench);
    expect(all).toHaveLength(2);
    expect(all[1]).toEqual({ ...found, resolved_ms: all[1]?.resolved_ms });
    expect(all[1]?.resolved_ms).toBeGreaterThan(FIRST_MS + (WARM_DAYS + 7) * DAY_MS);
    const metrics = await telemetry.metrics.registry.metrics();
    expect(metrics).toContain('foretill_drifts_total{granularity="day",outcome="told"} 1');
    expect(metrics).toContain('foretill_drifts_total{granularity="day",outcome="over"} 1');
    expect(metrics).toMatch(/foretill_drifts_total\{granularity="day",outcome="folded"\} \d\d/);
  });

  test('are told by an amendment no second time, nor by a restart, nor by one that begins anew', async () => {
    const bench = await openBench(CHAIN);
    await enterDays(bench, 0, WARM_DAYS, 1);
    const { role } = await bench.startForecast();
    await enterDays(bench, WARM_DAYS, WARM_DAYS + 6, 1.6);
    await closeDays(bench, role, WARM_DAYS, WARM_DAYS + 6);
    const before = await alertsOf(bench);
    expect(before).toHaveLength(1);

    await enterDays(bench, WARM_DAYS + 1, WARM_DAYS + 2, 1.7);
    const amended = ['406', '9'].map((store_id) => ({
      granularity: 'DAY' as const,
      bucket_ms: FIRST_MS + (WARM_DAYS + 1) * DAY_MS,
      store_id,
    }));
    await bench.say({ amended });
    await heard(bench, role);
    expect(await alertsOf(bench)).toEqual(before);

    await role.stop();
    const again = await bench.startForecast();
    await enterDays(bench, WARM_DAYS + 6, WARM_DAYS + 7, 1.6);
    await closeDays(bench, again.role, WARM_DAYS + 6, WARM_DAYS + 7);
    expect(await alertsOf(bench)).toEqual(before);
    await again.role.stop();

    await bench.store.command('TRUNCATE TABLE model_state');
    const anew = await bench.startForecast();
    await enterDays(bench, WARM_DAYS + 7, WARM_DAYS + 8, 1.6);
    await closeDays(bench, anew.role, WARM_DAYS + 7, WARM_DAYS + 8);
    expect(await alertsOf(bench)).toEqual(before);
  });

  test('are over at once when an amendment says that they never rose', async () => {
    const bench = await openBench(CHAIN);
    await enterDays(bench, 0, WARM_DAYS, 1);
    const { role } = await bench.startForecast();
    await enterDays(bench, WARM_DAYS, WARM_DAYS + 6, 1.6);
    await closeDays(bench, role, WARM_DAYS, WARM_DAYS + 6);
    await enterDays(bench, WARM_DAYS, WARM_DAYS + 6, 1);
    const amended = ['406', '9'].map((store_id) => ({
      granularity: 'DAY' as const,
      bucket_ms: FIRST_MS + WARM_DAYS * DAY_MS,
      store_id,
    }));
    await bench.say({ amended });
    await heard(bench, role);
    const resolved = (await alertsOf(bench)).map(({ resolved_ms }) => resolved_ms);
    expect(resolved).toEqual([null, FIRST_MS + (WARM_DAYS + 6) * DAY_MS]);
  });

  test('are no news where they lie in the history that is learned at the start', async () => {
    const bench = await openBench(CHAIN);
    await enterDays(bench, 0, WARM_DAYS, 1);
    await enterDays(bench, WARM_DAYS, WARM_DAYS + 6, 1.6);
    const { role } = await bench.startForecast();
    await enterDays(bench, WARM_DAYS + 6, WARM_DAYS + 7, 1.6);
    await closeDays(bench, role, WARM_DAYS + 6, WARM_DAYS + 7);
    expect(await alertsOf(bench)).toEqual([]);
  });
});
