/**
 * What must be known about a file of till lines beyond its columns: whose clock, which money, which shop. Presets are
 * known files, found by their header.
 */
import type { Field } from './columns.ts';
import type { DateOrder } from './local-time.ts';

export type TillSource = {
  readonly name: string;
  /** Field to column. */
  readonly map: Readonly<Record<string, string>>;
  readonly timeZone: string;
  readonly currency: string;
  /** For files of one shop, which do not name it. */
  readonly storeId: string | null;
  readonly dateOrder: DateOrder;
  /** Columns that hold what was taken off the price, and under which name it is kept. */
  readonly discounts: readonly {
    readonly column: string;
    readonly kind: 'promotion' | 'coupon';
    readonly id: string;
  }[];
  /** Items that stand for no item; their lines are left out and counted. */
  readonly ignoredItems: readonly string[];
};

export type Preset = TillSource & {
  /** A file with exactly these columns is taken for this preset. */
  readonly header: readonly string[];
  readonly about: string;
};

export const TILL_FIELDS: readonly Field[] = [
  {
    name: 'ticket',
    aliases: [
      'transaction_id',
      'basket_id',
      'ticket_id',
      'transaction',
      'receipt',
      'receipt_id',
      'invoice',
      'invoice_no',
      'order_id',
      'bill_no',
    ],
    required: true,
    meaning: 'which lines belong together',
  },
  {
    name: 'sku',
    aliases: ['product_id', 'product', 'item', 'item_id', 'article', 'stock_code', 'upc', 'plu'],
    required: true,
    meaning: 'what was sold',
  },
  {
    name: 'time',
    aliases: [
      'ts',
      'timestamp',
      'datetime',
      'date_time',
      'end_time',
      'sold_at',
      'invoice_date',
      'created_at',
    ],
    required: false,
    meaning: 'date and time of the sale',
  },
  { name: 'date', aliases: ['day', 'sale_date'], required: false, meaning: 'date of the sale' },
  { name: 'clock', aliases: ['time_of_day', 'hour'], required: false, meaning: 'time of day of the sale' },
  {
    name: 'store',
    aliases: ['store_id', 'shop', 'shop_id', 'branch', 'location', 'outlet', 'site'],
    required: false,
    meaning: 'shop',
  },
  {
    name: 'quantity',
    aliases: ['qty', 'units', 'amount_sold', 'pieces'],
    required: false,
    meaning: 'units sold, 1 when absent',
  },
  {
    name: 'amount',
    aliases: ['net_amount', 'sales_value', 'revenue', 'total', 'line_total', 'sales', 'value'],
    required: false,
    meaning: 'money received for the line',
  },
  { name: 'price', aliases: ['unit_price', 'price_each'], required: false, meaning: 'price of one unit' },
  { name: 'discount', aliases: ['discount_amount'], required: false, meaning: 'money taken off the line' },
  {
    name: 'category',
    aliases: ['product_category', 'group', 'product_group'],
    required: false,
    meaning: 'category of the product',
  },
  {
    name: 'department',
    aliases: ['main_category'],
    required: false,
    meaning: 'what the category belongs to',
  },
  {
    name: 'register',
    aliases: ['register_id', 'till', 'till_id', 'pos_id', 'terminal'],
    required: false,
    meaning: 'till',
  },
  { name: 'business_date', aliases: ['trading_day'], required: false, meaning: 'trading day, YYYY-MM-DD' },
  {
    name: 'line',
    aliases: ['line_id', 'line_no'],
    required: false,
    meaning: 'number of the line in its ticket',
  },
];

export const PRESETS: readonly Preset[] = [
  {
    name: 'completejourney',
    about: 'Complete Journey, household grocery baskets (dunnhumby), USD, clock of New York',
    header: [
      'ts',
      'store_id',
      'basket_id',
      'product_id',
      'quantity',
      'sales_value',
      'retail_disc',
      'coupon_disc',
      'coupon_match_disc',
    ],
    map: {
      time: 'ts',
      store: 'store_id',
      ticket: 'basket_id',
      sku: 'product_id',
      line: 'product_id',
      quantity: 'quantity',
      amount: 'sales_value',
    },
    timeZone: 'America/New_York',
    currency: 'USD',
    storeId: null,
    dateOrder: 'iso',
    discounts: [
      { column: 'retail_disc', kind: 'promotion', id: 'retail' },
      { column: 'coupon_disc', kind: 'coupon', id: 'coupon' },
      { column: 'coupon_match_disc', kind: 'coupon', id: 'coupon-match' },
    ],
    ignoredItems: [],
  },
  {
    name: 'breadbasket',
    about: 'Bread Basket, a bakery in Edinburgh, no prices: revenue stays 0',
    header: ['Date', 'Time', 'Transaction', 'Item'],
    map: { date: 'Date', clock: 'Time', ticket: 'Transaction', sku: 'Item', category: 'Item' },
    timeZone: 'Europe/London',
    currency: 'GBP',
    storeId: 'edinburgh',
    dateOrder: 'iso',
    discounts: [],
    ignoredItems: ['NONE'],
  },
];

/** The preset whose columns these are, in any order. */
export function presetOf(header: readonly string[]): Preset | undefined {
  const seen = [...header].sort().join('\n');
  return PRESETS.find((preset) => [...preset.header].sort().join('\n') === seen);
}
