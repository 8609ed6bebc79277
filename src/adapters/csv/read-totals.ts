/** Sales history that is already summed up, one row a bucket: from planning systems and forecasters' own files. */
import { parseMoney } from '../../sales/money.ts';
import { parseQuantity } from '../../sales/quantity.ts';
import { dayBucketMs, hourStartMs } from '../../sales/calendar.ts';
import type { Granularity } from '../../sales/series.ts';
import type { Field } from './columns.ts';
import { instantOfText, isoDateOf } from './local-time.ts';
import { RowFault } from './read-sale.ts';
import type { CompanionKind } from './read-companions.ts';

/** A closed bucket of one leaf. */
export type Total = {
  readonly granularity: Granularity;
  readonly bucketMs: number;
  readonly storeId: string;
  readonly category: string;
  readonly sku: string;
  readonly unitsThousandths: number;
  readonly revenueMinor: number;
  /** 0 when not known. */
  readonly transactions: number;
};

const FIELDS: readonly Field[] = [
  {
    name: 'bucket',
    aliases: ['ds', 'date', 'day', 'ts', 'time', 'timestamp', 'hour'],
    required: true,
    meaning: 'day or hour',
  },
  {
    name: 'store',
    aliases: ['store_id', 'unique_id', 'shop', 'shop_id', 'branch', 'location'],
    required: false,
    meaning: 'shop',
  },
  {
    name: 'category',
    aliases: ['product_category', 'department', 'group'],
    required: false,
    meaning: 'category',
  },
  {
    name: 'sku',
    aliases: ['product_id', 'product', 'item', 'item_id', 'article'],
    required: false,
    meaning: 'product',
  },
  { name: 'units', aliases: ['y', 'quantity', 'qty', 'sales_units'], required: true, meaning: 'units sold' },
  {
    name: 'revenue',
    aliases: ['amount', 'sales_value', 'turnover', 'sales'],
    required: false,
    meaning: 'money received',
  },
  { name: 'transactions', aliases: ['tickets', 'receipts'], required: false, meaning: 'number of tickets' },
];

/** `storeId` is for files that name no shop. */
export function totalsKind(options: {
  readonly granularity: Granularity;
  readonly currency: string;
  readonly storeId: string | null;
}): CompanionKind<Total> {
  return {
    fields: FIELDS,
    read(value, { timeZone, dateOrder }) {
      const storeId = value('store') || options.storeId;
      if (storeId === null)
        throw new RowFault('store', 'the store is empty (--store NAME when it is all one shop)');
      const units = parseQuantity(value('units'), { rounding: 'half-even' });
      if (typeof units === 'string')
        throw new RowFault('units', `"${value('units').slice(0, 40)}" is no usable number`);
      const revenue =
        value('revenue') === ''
          ? 0
          : parseMoney(value('revenue'), options.currency, { rounding: 'half-even' });
      if (typeof revenue === 'string')
        throw new RowFault('revenue', `"${value('revenue').slice(0, 40)}" is no usable number`);
      const bucketMs = bucketOf(value('bucket'), { ...options, timeZone, dateOrder });
      return {
        granularity: options.granularity,
        bucketMs,
        storeId,
        category: value('category') || 'UNCATEGORISED',
        sku: value('sku'),
        unitsThousandths: units,
        revenueMinor: revenue,
        transactions: Math.trunc(Number(value('transactions')) || 0),
      };
    },
  };
}

function bucketOf(
  text: string,
  options: { granularity: Granularity; timeZone: string; dateOrder: 'iso' | 'dmy' | 'mdy' },
): number {
  if (options.granularity === 'day') {
    const date = isoDateOf(text.split(/[T ]/)[0] ?? '', options.dateOrder);
    if (date === null) throw new RowFault('bucket', `"${text.slice(0, 40)}" is no date`);
    return dayBucketMs(date);
  }
  const ms = instantOfText(text, { timeZone: options.timeZone, order: options.dateOrder });
  if (ms === null) throw new RowFault('bucket', `"${text.slice(0, 40)}" is no date and time`);
  return hourStartMs(ms, options.timeZone);
}
