import { describe, expect, test } from 'vitest';
import type { DriftReading } from '../../src/models/engine.ts';
import { settleDrifts } from '../../src/pipeline/drift-alerts.ts';
import type { DriftWindow, ToldDrifts } from '../../src/pipeline/drift-alerts.ts';
import { driftSentence, driftSeverity } from '../../src/pipeline/drift-sentence.ts';
import { DAY_MS, HOUR_MS } from '../../src/sales/durations.ts';
import type { SeriesKey } from '../../src/sales/series.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { calendarOf, createTable, learn } from './chain.ts';
import type { Leaf } from './chain.ts';

const FIRST_MS = Date.UTC(2017, 0, 2);
const WARM_DAYS = 60;
/** When a shift by half has been found in every series that has it. */
const FOUND_DAYS = WARM_DAYS + 6;
const atDay = (day: number): number => FIRST_MS + day * DAY_MS;

/** Two stores, two categories: 100 of each a day, times the level of the store and category. */
function leavesOf(days: number, levelOf: (store: string, category: string) => number): Leaf[] {
  const random = createRandom('drift alerts');
  const leaves: Leaf[] = [];
  for (let day = 0; day < days; day++)
    for (const storeId of ['406', '9'])
      for (const category of ['BREAD', 'FISH']) {
        const level = day < WARM_DAYS ? 1 : levelOf(storeId, category);
        const units = Math.round(1000 * 100 * level * (1 + 0.05 * random.normal()));
        const revenue = Math.round(units / 4);
        leaves.push({ bucketMs: atDay(day), storeId, category, sku: category, units, revenue });
      }
  return leaves;
}

function learned(days: number, levelOf: (store: string, category: string) => number) {
  const table = createTable('day');
  const leaves = leavesOf(days, levelOf);
  learn(table, leaves, { fromMs: FIRST_MS, beforeMs: atDay(days), chunk: 30 });
  return table;
}

function windowOf(change: Partial<DriftWindow> = {}): DriftWindow {
  return { freshFromMs: atDay(WARM_DAYS), alertsMax: 5, beside: [], calendarOf, ...change };
}

/** One store doubles, the other halves. */
const apart = (store: string): number => (store === '406' ? 2 : 0.5);

describe('what is new', () => {
  test('a shift of the whole chain is one alert, about the chain, that counts the rest', () => {
    const table = learned(FOUND_DAYS, () => 1.5);
    const told: ToldDrifts = new Map();
    const news = settleDrifts(table, told, windowOf());
    expect(news.alerts.map(({ series }) => series)).toEqual(['day/units/total']);
    // Nodes: chain, two stores, two categories, four of both, two products and these by store; two measures each.
    expect(news).toMatchObject({ found: 1, folded: 29, dropped: 0, over: 0 });
    expect(news.alerts[0]?.message).toContain('So do 29 more series of the chain.');
    expect(told.size).toBe(30);
  });

  test('asked again it says nothing, whatever buckets count as fresh', () => {
    const table = learned(FOUND_DAYS, () => 1.5);
    const told: ToldDrifts = new Map();
    settleDrifts(table, told, windowOf());
    const again = settleDrifts(table, told, windowOf({ freshFromMs: 0 }));
    expect(again).toEqual({ alerts: [], found: 0, folded: 0, dropped: 0, over: 0 });
  });

  test('what goes the other way than the series above it is told beside it', () => {
    const table = learned(FOUND_DAYS, apart);
    const { alerts } = settleDrifts(table, new Map(), windowOf());
    const stores = alerts.filter(({ level }) => level === 'store');
    expect(stores.map(({ store, value }) => [store, Math.sign(value ?? 0)])).toEqual(
      expect.arrayContaining([expect.arrayContaining(['9', -1])]),
    );
    expect(alerts.filter(({ store }) => store === '9').every(({ value }) => (value ?? 0) < 0)).toBe(true);
  });

  test('no more are told than may be, the widest first; the rest counts as dropped and is not told later', () => {
    const table = learned(FOUND_DAYS, apart);
    const all = settleDrifts(table, new Map(), windowOf({ alertsMax: 100 }));
    expect(all.found).toBeGreaterThan(1);
    const told: ToldDrifts = new Map();
    const first = settleDrifts(table, told, windowOf({ alertsMax: 1 }));
    expect(first.alerts.map(({ alert_id }) => alert_id)).toEqual([all.alerts[0]?.alert_id]);
    expect(first.dropped).toBeGreaterThan(0);
    expect(settleDrifts(table, told, windowOf()).alerts).toEqual([]);
  });

  test('what is told by the day is not told by the hour as well', () => {
    const table = learned(FOUND_DAYS, () => 1.5);
    const told: ToldDrifts = new Map();
    settleDrifts(table, told, windowOf());
    const news = settleDrifts(table, new Map(), windowOf({ beside: told.values() }));
    expect(news).toMatchObject({ alerts: [], found: 0, folded: 30 });
  });

  test('what was found before is old', () => {
    const table = learned(FOUND_DAYS, () => 1.5);
    const told: ToldDrifts = new Map();
    expect(settleDrifts(table, told, windowOf({ freshFromMs: Infinity })).alerts).toEqual([]);
    expect(told.size).toBe(30);
    expect(settleDrifts(table, told, windowOf()).alerts).toEqual([]);
  });

  test('is over after a season, and what was not told is over in silence', () => {
    const levelOf = (): number => 1.5;
    const told: ToldDrifts = new Map();
    const [found] = settleDrifts(learned(FOUND_DAYS, levelOf), told, windowOf()).alerts;
    const later = learned(FOUND_DAYS + 10, levelOf);
    const news = settleDrifts(later, told, windowOf({ freshFromMs: Infinity }));
    expect(news.alerts).toEqual([{ ...found, resolved_ms: atDay(FOUND_DAYS + 10) }]);
    expect(told.size).toBe(0);
  });
});

test('by the hour it is since the beginning of the day, in the zone of the series', () => {
  const hours = 24 * 45;
  const shiftAt = 24 * 40;
  // Midnight in New York.
  const firstMs = FIRST_MS + 5 * HOUR_MS;
  const random = createRandom('drift by the hour');
  const leaves = Array.from({ length: hours }, (_, i) => {
    const units = 1000 * random.poisson(i < shiftAt ? 20 : 32);
    return {
      bucketMs: firstMs + i * HOUR_MS,
      storeId: '406',
      category: 'BREAD',
      sku: '',
      units,
      revenue: units,
    };
  });
  const table = createTable('hour');
  learn(table, leaves, { fromMs: firstMs, beforeMs: firstMs + hours * HOUR_MS, chunk: 240 });
  const { alerts } = settleDrifts(table, new Map(), windowOf({ freshFromMs: firstMs }));
  expect(alerts).toHaveLength(1);
  expect(alerts[0]).toMatchObject({ level: 'total', since_ms: firstMs + shiftAt * HOUR_MS });
  expect(alerts[0]?.message).toContain(' since Saturday 11 February;');
});

const BREAD: SeriesKey = {
  granularity: 'day',
  measure: 'units',
  level: 'store-category',
  store: '406',
  category: 'BREAD',
};
const RISEN: DriftReading = {
  foundCount: 9,
  sinceCount: 5,
  kind: 'level',
  direction: 'up',
  size: 0.341,
  errorBefore: 0.08,
  errorAfter: 0.31,
};

test.each<[string, { key?: Partial<SeriesKey>; reading?: Partial<DriftReading>; others?: number }]>([
  [
    'Sales of BREAD in store 406 run 34 % above their usual level since Tuesday 14 March; the error of their forecasts rose from 8 % to 31 %. So do 312 more series of BREAD in store 406.',
    { others: 312 },
  ],
  [
    'Takings of BREAD in store 406 run 50 % below what was forecast since Tuesday 14 March; forecasts have followed, with an error of 7 % (8 % before).',
    {
      key: { measure: 'revenue' },
      reading: { kind: 'bias', direction: 'down', size: -0.5, errorAfter: 0.07 },
    },
  ],
  [
    'Sales of BREAD in store 406 have become harder to forecast since Tuesday 14 March; the error of their forecasts rose from 8 % to 31 %.',
    { reading: { kind: 'spread', direction: null, size: Number.NaN } },
  ],
  [
    // Midnight in UTC is the evening before in New York.
    'Sales of BREAD in store 406 run 100 % below their usual level since Monday 13 March; the error of their forecasts was 8 %.',
    { key: { granularity: 'hour' }, reading: { direction: 'down', size: -1, errorAfter: Number.NaN } },
  ],
  [
    'Sales of BREAD in store 406 have left their usual level since Tuesday 14 March; there are few forecasts to compare with.',
    { reading: { size: Number.NaN, errorBefore: Number.NaN } },
  ],
])('%s', (sentence, { key, reading, others = 0 }) => {
  const drift = {
    key: { ...BREAD, ...key },
    reading: { ...RISEN, ...reading },
    sinceMs: Date.UTC(2017, 2, 14),
    timeZone: 'America/New_York',
    others,
  };
  expect(driftSentence(drift)).toBe(sentence);
});

test.each([
  [{ level: 'total' }, 'the chain'],
  [{ level: 'category', category: 'FISH' }, 'FISH'],
  [{ level: 'store', store: '9' }, 'store 9'],
  [{ level: 'store-product', store: '9', product: '104' }, 'product 104 in store 9'],
] as const)('%o is called %s', (node, name) => {
  const key = { granularity: 'day', measure: 'units', ...node } as const;
  const drift = { key, reading: RISEN, sinceMs: 0, timeZone: 'UTC', others: 0 };
  expect(driftSentence(drift)).toMatch(new RegExp(`^Sales of ${name} run`));
});

test.each([
  ['total', 0.6, 'CRITICAL'],
  ['store', -0.6, 'CRITICAL'],
  ['store', 0.1, 'WARNING'],
  ['category', 0.6, 'WARNING'],
  ['product', 0.1, 'INFO'],
  ['product', Number.NaN, 'INFO'],
] as const)('a drift of level %s by %f is %s', (level, size, severity) => {
  expect(driftSeverity(level, { ...RISEN, size })).toBe(severity);
});
