/** Companion inputs from CSV: one description a kind, of its columns and of how a row becomes a record. */
import { DAY_MS } from '../../sales/durations.ts';
import { parseQuantity } from '../../sales/quantity.ts';
import { decimalToInteger } from '../../sales/decimal.ts';
import type { DecimalFault } from '../../sales/decimal.ts';
import { isTimeZone } from '../../sales/time-zone.ts';
import { resolveColumns, valueOf } from './columns.ts';
import type { Field } from './columns.ts';
import { instantOfText, isoDateOf } from './local-time.ts';
import type { DateOrder } from './local-time.ts';
import type { CsvTable } from './open-table.ts';
import { RowFault } from './read-sale.ts';
import type { RowProblems } from './row-problems.ts';

export type CompanionContext = {
  readonly timeZone: string;
  readonly dateOrder: DateOrder;
  readonly recordedAtMs: number;
};

/** How rows of one kind are read. `R` is what the store takes. */
export type CompanionKind<R> = {
  readonly fields: readonly Field[];
  /** Throws RowFault with the field's name. */
  read(value: (field: string) => string, context: CompanionContext): R;
};

/** Rows that are not there for us, such as a promotion of nothing, are null. */
export async function* readCompanions<R>(
  table: CsvTable,
  kind: CompanionKind<R>,
  options: CompanionContext & {
    readonly map: Readonly<Record<string, string>>;
    readonly problems: RowProblems;
  },
): AsyncGenerator<{ rows: number; records: readonly R[] }> {
  const columns = resolveColumns(table.header, kind.fields, options.map);
  for await (const batch of table.batches) {
    const records: R[] = [];
    for (const row of batch) {
      try {
        if (row.problem !== null) throw new RowFault('', row.problem);
        if (row.fields.length !== table.header.length) {
          throw new RowFault(
            '',
            `it has ${row.fields.length} columns, the header has ${table.header.length}`,
          );
        }
        records.push(kind.read((field) => valueOf(row.fields, columns, field), options));
      } catch (error) {
        if (!(error instanceof RowFault)) throw error;
        const column = table.header[columns.get(error.column) ?? -1] ?? error.column;
        options.problems.add({ line: row.line, column, reason: error.message });
      }
    }
    yield { rows: batch.length, records };
  }
}

const STORE: Field = {
  name: 'store',
  aliases: ['store_id', 'shop', 'shop_id', 'branch', 'location', 'outlet'],
  required: true,
  meaning: 'shop',
};
const SKU: Field = {
  name: 'sku',
  aliases: ['product_id', 'product', 'item', 'item_id', 'article', 'stock_code', 'upc', 'plu'],
  required: true,
  meaning: 'product',
};
const TIME: Field = {
  name: 'time',
  aliases: ['ts', 'timestamp', 'datetime', 'date_time', 'date', 'hour', 'as_of'],
  required: true,
  meaning: 'when it was so',
};

export const STORES = {
  fields: [
    STORE,
    { name: 'name', aliases: ['store_name', 'shop_name'], required: false, meaning: 'name' },
    { name: 'time_zone', aliases: ['timezone', 'tz', 'zone'], required: true, meaning: 'IANA time zone' },
    {
      name: 'business_day_start',
      aliases: ['day_start', 'business_day_start_minutes'],
      required: false,
      meaning: 'when the business day begins, HH:MM',
    },
  ],
  read(value, { recordedAtMs }) {
    const storeId = needed(value, 'store');
    const timeZone = needed(value, 'time_zone');
    if (!isTimeZone(timeZone)) throw new RowFault('time_zone', `"${timeZone}" is no IANA time zone`);
    return {
      storeId,
      name: value('name') || storeId,
      timeZone,
      businessDayStartMinutes: minutesOfDay(value('business_day_start')),
      recordedAtMs,
    };
  },
} satisfies CompanionKind<unknown>;

export const PRODUCTS = {
  fields: [
    SKU,
    {
      name: 'name',
      aliases: ['product_name', 'description', 'product_type'],
      required: false,
      meaning: 'name',
    },
    { name: 'department', aliases: ['main_category'], required: false, meaning: 'widest category' },
    { name: 'category', aliases: ['product_category', 'group'], required: false, meaning: 'category' },
    { name: 'brand', aliases: ['manufacturer'], required: false, meaning: 'brand' },
  ],
  read(value, { recordedAtMs }) {
    const sku = needed(value, 'sku');
    return {
      sku,
      name: value('name') || sku,
      categoryPath: [value('department'), value('category')].filter((name) => name !== ''),
      brand: value('brand'),
      recordedAtMs,
    };
  },
} satisfies CompanionKind<unknown>;

/** Complete Journey's week 1 is one Sunday; week 2 begins on Monday, 2 January 2017. */
const COMPLETE_JOURNEY_WEEK_2_MS = Date.UTC(2017, 0, 2);

export const PROMOTIONS = {
  fields: [
    STORE,
    SKU,
    {
      name: 'starts',
      aliases: ['start', 'from', 'start_date', 'first_day'],
      required: false,
      meaning: 'first day',
    },
    {
      name: 'ends',
      aliases: ['end', 'to', 'until', 'end_date', 'last_day'],
      required: false,
      meaning: 'last day',
    },
    { name: 'week', aliases: [], required: false, meaning: 'week of Complete Journey' },
    { name: 'promotion', aliases: ['promotion_id', 'campaign'], required: false, meaning: 'promotion' },
    { name: 'kind', aliases: ['type'], required: false, meaning: 'kind of promotion' },
    {
      name: 'display',
      aliases: ['display_location'],
      required: false,
      meaning: 'place of the display, 0 for none',
    },
    {
      name: 'mailer',
      aliases: ['mailer_location'],
      required: false,
      meaning: 'place in the mailer, 0 for none',
    },
  ],
  read(value, context) {
    const [starts, ends] = value('week') === '' ? range(value, context.dateOrder) : weekRange(value('week'));
    const kind = value('kind') || displayKind(value('display'), value('mailer'));
    return {
      promotionId: value('promotion') || `${kind}-${starts}`,
      storeId: needed(value, 'store'),
      sku: needed(value, 'sku'),
      starts,
      ends,
      kind,
      recordedAtMs: context.recordedAtMs,
    };
  },
} satisfies CompanionKind<unknown>;

export const CALENDAR = {
  fields: [
    { ...STORE, required: false },
    { name: 'date', aliases: ['day', 'ds'], required: true, meaning: 'day' },
    { name: 'kind', aliases: ['type'], required: false, meaning: 'holiday, closed, event…' },
    { name: 'name', aliases: ['holiday', 'event', 'description'], required: false, meaning: 'name' },
  ],
  read(value, { dateOrder, recordedAtMs }) {
    return {
      storeId: value('store'),
      date: date(value, 'date', dateOrder),
      kind: value('kind') || 'holiday',
      name: value('name'),
      recordedAtMs,
    };
  },
} satisfies CompanionKind<unknown>;

export const WEATHER = {
  fields: [
    STORE,
    TIME,
    {
      name: 'temperature',
      aliases: ['temperature_c', 'temp', 'temp_c'],
      required: false,
      meaning: 'degrees Celsius',
    },
    {
      name: 'precipitation',
      aliases: ['precipitation_mm', 'rain', 'rain_mm', 'precip'],
      required: false,
      meaning: 'millimetres',
    },
  ],
  read(value, context) {
    return {
      storeId: needed(value, 'store'),
      timeMs: instant(value, 'time', context),
      temperatureMillicelsius: optionalThousandths(value, 'temperature'),
      precipitationMicrometres: optionalThousandths(value, 'precipitation'),
      recordedAtMs: context.recordedAtMs,
    };
  },
} satisfies CompanionKind<unknown>;

export const STOCK = {
  fields: [
    STORE,
    SKU,
    TIME,
    {
      name: 'on_hand',
      aliases: ['stock', 'quantity', 'qty', 'level', 'stock_level'],
      required: true,
      meaning: 'units in stock',
    },
  ],
  read(value, context) {
    return {
      storeId: needed(value, 'store'),
      sku: needed(value, 'sku'),
      timeMs: instant(value, 'time', context),
      onHandThousandths: exact(value, 'on_hand', (text) => parseQuantity(text)),
      recordedAtMs: context.recordedAtMs,
    };
  },
} satisfies CompanionKind<unknown>;

function needed(value: (field: string) => string, field: string): string {
  const text = value(field);
  if (text === '') throw new RowFault(field, `the ${field.replaceAll('_', ' ')} is empty`);
  return text;
}

function date(value: (field: string) => string, field: string, order: DateOrder): string {
  const iso = isoDateOf(value(field), order);
  if (iso === null) throw new RowFault(field, `"${value(field).slice(0, 40)}" is no date`);
  return iso;
}

function instant(value: (field: string) => string, field: string, context: CompanionContext): number {
  const ms = instantOfText(value(field), { timeZone: context.timeZone, order: context.dateOrder });
  if (ms === null) throw new RowFault(field, `"${value(field).slice(0, 40)}" is no date and time`);
  return ms;
}

function range(value: (field: string) => string, order: DateOrder): [string, string] {
  const starts = date(value, 'starts', order);
  const ends = value('ends') === '' ? starts : date(value, 'ends', order);
  if (ends < starts) throw new RowFault('ends', `it ends (${ends}) before it starts (${starts})`);
  return [starts, ends];
}

function weekRange(text: string): [string, string] {
  const week = Number(text);
  if (!/^\d{1,2}$/.test(text) || week < 1 || week > 53)
    throw new RowFault('week', `"${text}" is no week from 1 to 53`);
  const iso = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  if (week === 1) return ['2017-01-01', '2017-01-01'];
  const startMs = COMPLETE_JOURNEY_WEEK_2_MS + (week - 2) * 7 * DAY_MS;
  return [iso(startMs), iso(startMs + 6 * DAY_MS)];
}

function displayKind(display: string, mailer: string): string {
  const kinds = [
    display === '' || display === '0' ? '' : 'display',
    mailer === '' || mailer === '0' ? '' : 'mailer',
  ];
  return kinds.filter((kind) => kind !== '').join('+') || 'promotion';
}

function minutesOfDay(text: string): number {
  if (text === '') return 0;
  const match = /^(\d{1,2}):(\d{2})$/.exec(text);
  const minutes = match === null ? Number(text) : Number(match[1]) * 60 + Number(match[2]);
  if (Number.isInteger(minutes) && minutes >= 0 && minutes < 1440) return minutes;
  throw new RowFault('business_day_start', `"${text}" is no time of day (HH:MM)`);
}

function optionalThousandths(value: (field: string) => string, field: string): number | null {
  return value(field) === ''
    ? null
    : exact(value, field, (text) => decimalToInteger(text, 3, { rounding: 'half-even' }));
}

function exact(
  value: (field: string) => string,
  field: string,
  parse: (text: string) => number | DecimalFault,
): number {
  const number = parse(value(field));
  if (typeof number === 'string')
    throw new RowFault(field, `"${value(field).slice(0, 40)}" is no usable number`);
  return number;
}
