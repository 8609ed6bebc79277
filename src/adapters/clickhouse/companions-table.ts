/** The companion inputs: stores, products, promotions, calendar days, weather, stock levels. */
import type { Store } from './client.ts';
import { insertCompanion, readCompanion } from './companion-table.ts';
import type { AsOf, CompanionTable, Recorded } from './companion-table.ts';

export type StoreRow = Recorded & {
  readonly storeId: string;
  readonly name: string;
  readonly timeZone: string;
  readonly businessDayStartMinutes: number;
};

const STORES: CompanionTable<
  StoreRow,
  { store_id: string; name: string; time_zone: string; business_day_start_minutes: number }
> = {
  table: {
    name: 'stores',
    columns: ['store_id', 'name', 'time_zone', 'business_day_start_minutes', 'recorded_at'],
  },
  keys: ['store_id'],
  select: 'store_id, name, time_zone, business_day_start_minutes',
  toRow: (value) => [
    value.storeId,
    value.name,
    value.timeZone,
    value.businessDayStartMinutes,
    value.recordedAtMs,
  ],
  fromRow: (row) => ({
    storeId: row.store_id,
    name: row.name,
    timeZone: row.time_zone,
    businessDayStartMinutes: row.business_day_start_minutes,
    recordedAtMs: row.recorded_at_ms,
  }),
};

export function insertStores(store: Store, rows: readonly StoreRow[]): Promise<void> {
  return insertCompanion(store, STORES, rows);
}

export function readStores(store: Store, asOf?: AsOf): Promise<StoreRow[]> {
  return readCompanion(store, STORES, asOf);
}

export type ProductRow = Recorded & {
  readonly sku: string;
  readonly name: string;
  /** From the widest to the narrowest. */
  readonly categoryPath: readonly string[];
  readonly brand: string;
};

const PRODUCTS: CompanionTable<
  ProductRow,
  { sku: string; name: string; category_path: string[]; brand: string }
> = {
  table: { name: 'products', columns: ['sku', 'name', 'category_path', 'brand', 'recorded_at'] },
  keys: ['sku'],
  select: 'sku, name, category_path, brand',
  toRow: (value) => [value.sku, value.name, value.categoryPath, value.brand, value.recordedAtMs],
  fromRow: (row) => ({
    sku: row.sku,
    name: row.name,
    categoryPath: row.category_path,
    brand: row.brand,
    recordedAtMs: row.recorded_at_ms,
  }),
};

export function insertProducts(store: Store, rows: readonly ProductRow[]): Promise<void> {
  return insertCompanion(store, PRODUCTS, rows);
}

export function readProducts(store: Store, asOf?: AsOf): Promise<ProductRow[]> {
  return readCompanion(store, PRODUCTS, asOf);
}

export type PromotionRow = Recorded & {
  readonly promotionId: string;
  readonly storeId: string;
  readonly sku: string;
  /** First and last day, `YYYY-MM-DD`. */
  readonly starts: string;
  readonly ends: string;
  readonly kind: string;
};

const PROMOTIONS: CompanionTable<
  PromotionRow,
  { promotion_id: string; store_id: string; sku: string; starts: string; ends: string; kind: string }
> = {
  table: {
    name: 'promotions',
    columns: ['promotion_id', 'store_id', 'sku', 'starts', 'ends', 'kind', 'recorded_at'],
  },
  keys: ['store_id', 'sku', 'starts', 'promotion_id'],
  select: 'promotion_id, store_id, sku, starts, ends, kind',
  toRow: (value) => [
    value.promotionId,
    value.storeId,
    value.sku,
    value.starts,
    value.ends,
    value.kind,
    value.recordedAtMs,
  ],
  fromRow: (row) => ({
    promotionId: row.promotion_id,
    storeId: row.store_id,
    sku: row.sku,
    starts: row.starts,
    ends: row.ends,
    kind: row.kind,
    recordedAtMs: row.recorded_at_ms,
  }),
};

export function insertPromotions(store: Store, rows: readonly PromotionRow[]): Promise<void> {
  return insertCompanion(store, PROMOTIONS, rows);
}

export function readPromotions(store: Store, asOf?: AsOf): Promise<PromotionRow[]> {
  return readCompanion(store, PROMOTIONS, asOf);
}

export type CalendarDayRow = Recorded & {
  /** Empty: the whole chain. */
  readonly storeId: string;
  readonly date: string;
  readonly kind: string;
  readonly name: string;
};

const CALENDAR_DAYS: CompanionTable<
  CalendarDayRow,
  { store_id: string; date: string; kind: string; name: string }
> = {
  table: { name: 'calendar_days', columns: ['store_id', 'date', 'kind', 'name', 'recorded_at'] },
  keys: ['store_id', 'date', 'kind'],
  select: 'store_id, date, kind, name',
  toRow: (value) => [value.storeId, value.date, value.kind, value.name, value.recordedAtMs],
  fromRow: (row) => ({
    storeId: row.store_id,
    date: row.date,
    kind: row.kind,
    name: row.name,
    recordedAtMs: row.recorded_at_ms,
  }),
};

export function insertCalendarDays(store: Store, rows: readonly CalendarDayRow[]): Promise<void> {
  return insertCompanion(store, CALENDAR_DAYS, rows);
}

export function readCalendarDays(store: Store, asOf?: AsOf): Promise<CalendarDayRow[]> {
  return readCompanion(store, CALENDAR_DAYS, asOf);
}

export type WeatherRow = Recorded & {
  readonly storeId: string;
  readonly timeMs: number;
  readonly temperatureMillicelsius: number | null;
  readonly precipitationMicrometres: number | null;
};

const WEATHER: CompanionTable<
  WeatherRow,
  {
    store_id: string;
    time_s: number;
    temperature_millicelsius: number | null;
    precipitation_micrometres: number | null;
  }
> = {
  table: {
    name: 'weather',
    columns: ['store_id', 'time', 'temperature_millicelsius', 'precipitation_micrometres', 'recorded_at'],
  },
  keys: ['store_id', 'time'],
  select: 'store_id, toUnixTimestamp(time) AS time_s, temperature_millicelsius, precipitation_micrometres',
  toRow: (value) => [
    value.storeId,
    value.timeMs / 1_000,
    value.temperatureMillicelsius,
    value.precipitationMicrometres,
    value.recordedAtMs,
  ],
  fromRow: (row) => ({
    storeId: row.store_id,
    timeMs: row.time_s * 1_000,
    temperatureMillicelsius: row.temperature_millicelsius,
    precipitationMicrometres: row.precipitation_micrometres,
    recordedAtMs: row.recorded_at_ms,
  }),
};

export function insertWeather(store: Store, rows: readonly WeatherRow[]): Promise<void> {
  return insertCompanion(store, WEATHER, rows);
}

export function readWeather(store: Store, asOf?: AsOf): Promise<WeatherRow[]> {
  return readCompanion(store, WEATHER, asOf);
}

export type StockLevelRow = Recorded & {
  readonly storeId: string;
  readonly sku: string;
  readonly timeMs: number;
  readonly onHandThousandths: number;
};

const STOCK_LEVELS: CompanionTable<
  StockLevelRow,
  { store_id: string; sku: string; time_s: number; on_hand_thousandths: number }
> = {
  table: {
    name: 'stock_levels',
    columns: ['store_id', 'sku', 'time', 'on_hand_thousandths', 'recorded_at'],
  },
  keys: ['store_id', 'sku', 'time'],
  select: 'store_id, sku, toUnixTimestamp(time) AS time_s, on_hand_thousandths',
  toRow: (value) => [
    value.storeId,
    value.sku,
    value.timeMs / 1_000,
    value.onHandThousandths,
    value.recordedAtMs,
  ],
  fromRow: (row) => ({
    storeId: row.store_id,
    sku: row.sku,
    timeMs: row.time_s * 1_000,
    onHandThousandths: row.on_hand_thousandths,
    recordedAtMs: row.recorded_at_ms,
  }),
};

export function insertStockLevels(store: Store, rows: readonly StockLevelRow[]): Promise<void> {
  return insertCompanion(store, STOCK_LEVELS, rows);
}

export function readStockLevels(store: Store, asOf?: AsOf): Promise<StockLevelRow[]> {
  return readCompanion(store, STOCK_LEVELS, asOf);
}
