/** What is written to each table comes back, the latest or as it was known then. */
import { describe, expect, it } from 'vitest';
import { readAccuracy } from '../../../src/adapters/clickhouse/accuracy-query.ts';
import type { Store } from '../../../src/adapters/clickhouse/client.ts';
import {
  insertCalendarDays,
  insertProducts,
  insertPromotions,
  insertStockLevels,
  insertStores,
  insertWeather,
  readCalendarDays,
  readProducts,
  readPromotions,
  readStockLevels,
  readStores,
  readWeather,
} from '../../../src/adapters/clickhouse/companions-table.ts';
import type { ForecastRow } from '../../../src/adapters/clickhouse/forecasts-table.ts';
import { insertForecasts, readForecasts } from '../../../src/adapters/clickhouse/forecasts-table.ts';
import type { SalesRow } from '../../../src/adapters/clickhouse/insert-sales.ts';
import { insertSales } from '../../../src/adapters/clickhouse/insert-sales.ts';
import {
  dropCheckpointsBefore,
  lastGeneration,
  readCheckpoint,
  writeCheckpoint,
} from '../../../src/adapters/clickhouse/model-state-table.ts';
import { readTotals } from '../../../src/adapters/clickhouse/sales-table.ts';
import type { ScoreRow } from '../../../src/adapters/clickhouse/scores-table.ts';
import { insertScores } from '../../../src/adapters/clickhouse/scores-table.ts';
import { HOUR_MS } from '../../../src/sales/durations.ts';
import { useEngine } from './engine-fixture.ts';
import { generator } from './random-tickets.ts';

const fixture = useEngine();
const BUCKET = Date.UTC(2026, 2, 2, 10);

type Recorded = { readonly recordedAtMs: number };
type AsOf = { asOfMs?: number };

/** Two keys, one of which is told twice: the later telling holds, the earlier did before. */
async function checkCompanion<T extends Recorded>(
  insert: (store: Store, rows: readonly T[]) => Promise<void>,
  read: (store: Store, asOf?: AsOf) => Promise<T[]>,
  rows: { readonly one: T; readonly other: T; readonly oneLater: T },
): Promise<void> {
  const store = await fixture.openMigrated();
  await insert(store, [rows.oneLater, rows.other]);
  await insert(store, [rows.one]);
  await insert(store, [rows.one]);
  expect(await read(store)).toEqual([rows.oneLater, rows.other]);
  expect(await read(store, { asOfMs: rows.oneLater.recordedAtMs - 1 })).toEqual([rows.one, rows.other]);
  expect(await read(store, { asOfMs: 0 })).toEqual([]);
}

describe('companions', () => {
  it('stores', async () => {
    const one = {
      storeId: '1',
      name: "Joe's",
      timeZone: 'UTC',
      businessDayStartMinutes: 0,
      recordedAtMs: 10,
    };
    const other = { ...one, storeId: '2', timeZone: 'Asia/Kathmandu', businessDayStartMinutes: 300 };
    await checkCompanion(insertStores, readStores, {
      one,
      other,
      oneLater: { ...one, name: 'Joe', recordedAtMs: 20 },
    });
  });

  it('products', async () => {
    const one = { sku: 'a', name: 'Milk', categoryPath: ['DAIRY', 'MILK'], brand: '', recordedAtMs: 10 };
    const other = { ...one, sku: 'b', categoryPath: [] };
    const oneLater = { ...one, categoryPath: ['FRESH'], recordedAtMs: 20 };
    await checkCompanion(insertProducts, readProducts, { one, other, oneLater });
  });

  it('promotions', async () => {
    const one = {
      promotionId: 'p',
      storeId: '1',
      sku: 'a',
      starts: '2026-03-01',
      ends: '2026-03-07',
      kind: 'display',
      recordedAtMs: 10,
    };
    const other = { ...one, starts: '2026-04-01', ends: '2026-04-07' };
    const oneLater = { ...one, ends: '2026-03-14', recordedAtMs: 20 };
    await checkCompanion(insertPromotions, readPromotions, { one, other, oneLater });
  });

  it('calendar days', async () => {
    const one = { storeId: '', date: '2026-12-25', kind: 'holiday', name: 'Christmas', recordedAtMs: 10 };
    const other = { ...one, date: '2026-12-26' };
    const oneLater = { ...one, name: 'Christmas Day', recordedAtMs: 20 };
    await checkCompanion(insertCalendarDays, readCalendarDays, { one, other, oneLater });
  });

  it('weather', async () => {
    const one = {
      storeId: '1',
      timeMs: BUCKET,
      temperatureMillicelsius: -3_500,
      precipitationMicrometres: null,
      recordedAtMs: 10,
    };
    const other = { ...one, timeMs: BUCKET + HOUR_MS };
    const oneLater = { ...one, precipitationMicrometres: 200, recordedAtMs: 20 };
    await checkCompanion(insertWeather, readWeather, { one, other, oneLater });
  });

  it('stock levels', async () => {
    const one = { storeId: '1', sku: 'a', timeMs: BUCKET, onHandThousandths: 12_500, recordedAtMs: 10 };
    const other = { ...one, sku: 'b', onHandThousandths: -1_000 };
    const oneLater = { ...one, onHandThousandths: 0, recordedAtMs: 20 };
    await checkCompanion(insertStockLevels, readStockLevels, { one, other, oneLater });
  });
});

describe('forecasts', () => {
  const forecast = (overrides: Partial<ForecastRow>): ForecastRow => ({
    granularity: 'hour',
    measure: 'units',
    level: 'store',
    series: 'hour/units/store=1',
    originMs: BUCKET,
    issuedAtMs: 1_000,
    watermarkMs: 900,
    kind: 'issue',
    modelVersion: 'online-1',
    reconciled: true,
    bucketsMs: [BUCKET + HOUR_MS, BUCKET + 2 * HOUR_MS],
    mean: [0.1 + 0.2, 1e-7],
    probabilities: [0.1, 0.9],
    quantiles: [0, 1, 0.5, 2],
    ...overrides,
  });
  const other = { series: 'hour/units/store=2' };
  const daily = { granularity: 'day' as const, level: 'total' as const, series: 'day/units/total' };
  const rows = [
    forecast({}),
    forecast({ issuedAtMs: 2_000, originMs: BUCKET + HOUR_MS }),
    forecast({ issuedAtMs: 3_000, originMs: BUCKET, kind: 'amendment' }),
    forecast(other),
    forecast(daily),
  ];

  it.each<[string, Parameters<typeof readForecasts>[1], ForecastRow[]]>([
    ['the latest of each series', { limit: 10 }, [rows[4]!, rows[2]!, rows[3]!]],
    ['as they held then', { limit: 10, asOfMs: 2_999 }, [rows[4]!, rows[1]!, rows[3]!]],
    ['before any was issued', { limit: 10, asOfMs: 999 }, []],
    ['of a granularity', { limit: 10, granularity: 'day' }, [rows[4]!]],
    ['of a level and measure', { limit: 10, level: 'store', measure: 'units' }, [rows[2]!, rows[3]!]],
    ['of some series', { limit: 10, series: ['hour/units/store=2', 'nowhere'] }, [rows[3]!]],
    ['a page', { limit: 1, granularity: 'hour' }, [rows[2]!]],
    ['the page after', { limit: 1, granularity: 'hour', afterSeries: 'hour/units/store=1' }, [rows[3]!]],
  ])('%s', async (_what, request, expected) => {
    const store = await fixture.openMigrated();
    await insertForecasts(store, rows, 'first');
    await insertForecasts(store, rows, 'first');
    await insertForecasts(store, rows.slice(0, 1), 'the same again');
    expect(await readForecasts(store, request)).toEqual(expected);
  });
});

describe('accuracy', () => {
  const score = (overrides: Partial<ScoreRow>): ScoreRow => ({
    granularity: 'hour',
    measure: 'units',
    level: 'store',
    series: 'hour/units/store=1',
    bucketMs: BUCKET,
    step: 1,
    actual: 10,
    mean: 12,
    seasonalNaive: 5,
    lower80: 9,
    upper80: 13,
    lower95: 8,
    upper95: 20,
    recordedAtMs: 1,
    ...overrides,
  });

  it('of a cut, by hand', async () => {
    const store = await fixture.openMigrated();
    await insertScores(store, [score({}), score({ actual: 0, recordedAtMs: 0 })], 'the later holds');
    await insertScores(
      store,
      [score({ bucketMs: BUCKET + HOUR_MS, actual: 20, mean: 16, seasonalNaive: 20 })],
      'b',
    );
    await insertScores(store, [score({ step: 6, actual: 0, mean: 0, seasonalNaive: 0, lower80: 0 })], 'c');
    await insertScores(
      store,
      [score({ bucketMs: BUCKET + 2 * HOUR_MS }), score({ measure: 'revenue' })],
      'd',
    );
    const cut = { measure: 'units' as const, fromMs: BUCKET, beforeMs: BUCKET + 2 * HOUR_MS };
    const same = { granularity: 'hour', measure: 'units', level: 'store' };
    expect(await readAccuracy(store, cut)).toEqual([
      {
        ...same,
        step: 1,
        n: 2,
        mae: 3,
        rmse: Math.sqrt(10),
        wape: 6 / 30,
        bias: -1,
        mase: 6 / 5,
        skill: 1 - 6 / 5,
        coverage80: 0.5,
        coverage95: 1,
        width80: 4,
      },
      {
        ...same,
        step: 6,
        n: 1,
        mae: 0,
        rmse: 0,
        wape: null,
        bias: 0,
        mase: null,
        skill: null,
        coverage80: 1,
        coverage95: 0,
        width80: 13,
      },
    ]);
    expect(await readAccuracy(store, { ...cut, series: ['nowhere'] })).toEqual([]);
  });
});

describe('checkpoints', () => {
  const bytes = (length: number, seed: number): Buffer => {
    const random = generator(seed);
    return Buffer.from(Uint8Array.from({ length }, () => random() * 256));
  };
  const place = { shard: 3, layout: 'a/1' };
  const write = (store: Store, generation: number, data: Buffer, at = place) =>
    writeCheckpoint(store, at, { generation, nextOffset: generation * 100, data, recordedAtMs: generation });

  it.each([0, 1, 1_048_576, 1_048_577, 20_000_000])('of %i bytes come back', async (length) => {
    const store = await fixture.openMigrated();
    const data = bytes(length, length + 1);
    await write(store, 7, data);
    await write(store, 7, data);
    const found = await readCheckpoint(store, place);
    expect(found).toMatchObject({ generation: 7, nextOffset: 700 });
    expect(found!.data.equals(data)).toBe(true);
  });

  it('of other shards and layouts and incomplete ones are not read', async () => {
    const store = await fixture.openMigrated();
    expect(await readCheckpoint(store, place)).toBeNull();
    await write(store, 1, bytes(10, 1));
    await write(store, 2, bytes(3_000_000, 2));
    await store.command(
      'ALTER TABLE model_state DELETE WHERE generation = 2 AND part = 1 SETTINGS mutations_sync = 2',
    );
    await write(store, 3, bytes(10, 3), { ...place, layout: 'b/1' });
    await write(store, 4, bytes(10, 4), { ...place, shard: 4 });
    expect((await readCheckpoint(store, place))!.data.equals(bytes(10, 1))).toBe(true);
  });

  it('that are old are dropped', async () => {
    const store = await fixture.openMigrated();
    for (const generation of [1, 2, 3]) await write(store, generation, bytes(10, generation));
    await write(store, 1, bytes(10, 9), { ...place, shard: 4 });
    for (let time = 0; time < 2; time += 1)
      await dropCheckpointsBefore(store, 3, { generation: 3, nextOffset: 300 });
    expect(
      await store.query('SELECT DISTINCT shard, generation FROM model_state ORDER BY shard, generation'),
    ).toEqual([
      { shard: 3, generation: 3 },
      { shard: 4, generation: 1 },
    ]);
  });

  it('that stand further are neither dropped nor hidden by one that was written later and stands behind', async () => {
    const store = await fixture.openMigrated();
    await write(store, 5, bytes(10, 5));
    const late = { generation: 9, nextOffset: 100, data: bytes(10, 9), recordedAtMs: 9 };
    await writeCheckpoint(store, place, late);
    await dropCheckpointsBefore(store, 3, late);
    expect(await readCheckpoint(store, place, { from: 400, to: 600 })).toMatchObject({ generation: 5 });
    expect(await readCheckpoint(store, place, { from: 600, to: 700 })).toBeNull();
    expect(await lastGeneration(store, 3)).toBe(9);
    expect(await lastGeneration(store, 4)).toBe(0);
  });
});

describe('imported totals', () => {
  const row = (overrides: Partial<SalesRow>): SalesRow => ({
    granularity: 'day',
    bucketMs: Date.UTC(2026, 2, 1),
    storeId: '1',
    category: 'A',
    sku: 'a',
    unitsThousandths: 1_000,
    revenueMinor: 250,
    transactions: 0,
    ...overrides,
  });
  const rows = [
    row({}),
    row({ sku: 'b' }),
    row({ storeId: '2' }),
    row({ granularity: 'hour' }),
    row({ bucketMs: Date.UTC(2026, 2, 2) }),
    row({ sku: 'nothing', unitsThousandths: 0, revenueMinor: 0 }),
  ];

  it('are written once, and again only where they differ', async () => {
    const store = await fixture.openMigrated();
    expect(await insertSales(store, rows, { recordedAtMs: 1_000 })).toBe(5);
    expect(await insertSales(store, rows, { recordedAtMs: 2_000 })).toBe(0);
    const corrected = [...rows, row({ sku: 'b', revenueMinor: 300 })];
    expect(await insertSales(store, corrected, { recordedAtMs: 500 })).toBe(1);
    const totals = await readTotals(store, {
      granularity: 'day',
      fromMs: 0,
      beforeMs: Infinity,
      products: 'each',
    });
    expect(totals.sku).toEqual(['a', 'b', 'a', 'a']);
    expect(totals.revenueMinor).toEqual([250, 300, 250, 250]);
  });

  it('of one hour and one bucket longer than a chunk', async () => {
    const store = await fixture.openMigrated();
    const many = Array.from({ length: 45_000 }, (_, i) => row({ sku: `s${i}`, granularity: 'hour' }));
    expect(await insertSales(store, [...rows, ...many], { recordedAtMs: 1_000 })).toBe(45_005);
    expect(await insertSales(store, [...many, ...rows], { recordedAtMs: 1_000 })).toBe(0);
  });
});
