/** One row of till lines, read and checked. */
import type { DecimalFault } from '../../sales/decimal.ts';
import { parseMoney } from '../../sales/money.ts';
import { parseQuantity } from '../../sales/quantity.ts';
import type { DiscountMessage, TransactionLineMessage } from '../../sales/transaction-message.ts';
import type { DateOrder } from './local-time.ts';
import { instantOf, instantOfText, isoDateOf } from './local-time.ts';
import type { CsvRow } from './parse-rows.ts';
import { tillColumns } from './till-columns.ts';
import type { TillSource } from './till-source.ts';

export type Sale = {
  /** The same for all lines of one ticket. */
  readonly ticketKey: string;
  readonly ticket: string;
  readonly storeId: string;
  readonly timeMs: number;
  readonly registerId: string | null;
  readonly businessDate: string | null;
  readonly line: TransactionLineMessage;
};

/** What is wrong with a row, and in which column; the row has no sale then. */
export class RowFault extends Error {
  readonly column: string;

  constructor(column: string, reason: string) {
    super(reason);
    this.column = column;
  }
}

export type SaleReader = {
  storeId(row: CsvRow): string;
  /** Null for an item that stands for none. Throws RowFault. */
  sale(row: CsvRow): Sale | null;
};

type Context = {
  readonly header: readonly string[];
  readonly source: TillSource;
  readonly categoryPath: (sku: string) => readonly string[] | undefined;
};

/** Throws INPUT_INVALID or USAGE when columns are missing. */
export function saleReader(context: Context): SaleReader {
  const { header, source } = context;
  const columns = tillColumns(header, source);
  const at = (field: string) => columns.get(field) ?? -1;
  const place = {
    ticket: at('ticket'),
    sku: at('sku'),
    time: at('time'),
    date: at('date'),
    clock: at('clock'),
    store: at('store'),
    quantity: at('quantity'),
    amount: at('amount'),
    price: at('price'),
    discount: at('discount'),
    category: at('category'),
    department: at('department'),
    register: at('register'),
    businessDate: at('business_date'),
    line: at('line'),
  };
  const nameOf = (column: number) => header[column] ?? '';
  const timeOf = rememberLast((text: string) => parseTime(text, source));
  const discounts = source.discounts.map((discount) => ({
    ...discount,
    at: header.indexOf(discount.column),
  }));
  if (place.discount !== -1)
    discounts.push({ column: nameOf(place.discount), kind: 'promotion', id: 'discount', at: place.discount });

  const storeId = ({ fields }: CsvRow) => source.storeId ?? text(fields, place.store);

  function sale(row: CsvRow): Sale | null {
    const { fields } = row;
    if (row.problem !== null) throw new RowFault('', row.problem);
    if (fields.length !== header.length) {
      throw new RowFault('', `it has ${fields.length} columns, the header has ${header.length}`);
    }
    const required = (column: number, what: string) => {
      const value = text(fields, column);
      if (value === '') throw new RowFault(nameOf(column), `the ${what} is empty`);
      return value;
    };
    const sku = required(place.sku, 'product');
    if (source.ignoredItems.includes(sku)) return null;
    const store = source.storeId ?? required(place.store, 'store');
    const ticket = required(place.ticket, 'ticket number');
    const when =
      place.time === -1
        ? `${text(fields, place.date)} ${text(fields, place.clock)}`.trim()
        : text(fields, place.time);
    const timeMs = timeOf(when);
    if (timeMs === null)
      throw new RowFault(
        nameOf(place.time === -1 ? place.date : place.time),
        `${shown(when)} is no date and time (expected like ${EXAMPLES[source.dateOrder]})`,
      );
    const quantity =
      place.quantity === -1 ? 1000 : decimal(fields, place.quantity, (value) => parseQuantity(value));
    const businessDate = businessDateOf(text(fields, place.businessDate), place.businessDate);
    return {
      ticketKey: `${store}\n${businessDate ?? ''}\n${ticket}`,
      ticket,
      storeId: store,
      timeMs,
      registerId: text(fields, place.register) || null,
      businessDate,
      line: {
        line_id: text(fields, place.line) || null,
        sku,
        gtin: null,
        category_path:
          context.categoryPath(sku) ??
          [text(fields, place.department), text(fields, place.category)].filter((name) => name !== ''),
        quantity_thousandths: quantity,
        unit_of_measure: 'EA',
        unit_price_minor: null,
        list_price_minor: null,
        discounts: discountsOf(fields),
        net_amount_minor: amountOf(fields, quantity),
        voided: false,
      },
    };
  }

  function decimal(
    fields: readonly string[],
    column: number,
    parse: (text: string) => number | DecimalFault,
  ): number {
    const value = text(fields, column);
    const number = parse(value);
    if (typeof number === 'string')
      throw new RowFault(nameOf(column), `${shown(value)} ${DECIMAL_FAULTS[number]}`);
    return number;
  }

  /** Float noise such as 1.776e-15 is rounded to the minor unit, halves to even. */
  function money(fields: readonly string[], column: number): number {
    return decimal(fields, column, (value) => parseMoney(value, source.currency, { rounding: 'half-even' }));
  }

  function amountOf(fields: readonly string[], quantity: number): number {
    if (place.amount !== -1) return money(fields, place.amount);
    return place.price === -1 ? 0 : Math.round((money(fields, place.price) * quantity) / 1000);
  }

  function discountsOf(fields: readonly string[]): DiscountMessage[] {
    const found: DiscountMessage[] = [];
    for (const { at, kind, id } of discounts) {
      const amount = at === -1 || text(fields, at) === '' ? 0 : money(fields, at);
      if (amount === 0) continue;
      found.push({
        promotion_id: kind === 'promotion' ? id : null,
        coupon_id: kind === 'coupon' ? id : null,
        amount_minor: amount,
      });
    }
    return found;
  }

  function businessDateOf(value: string, column: number): string | null {
    if (value === '') return null;
    const date = isoDateOf(value, source.dateOrder);
    if (date === null) throw new RowFault(nameOf(column), `${shown(value)} is no date`);
    return date;
  }

  return { storeId, sale };
}

const EXAMPLES: Readonly<Record<DateOrder, string>> = {
  iso: '2017-03-27T10:05:00',
  dmy: '27/03/2017 10:05',
  mdy: '3/27/2017 10:05',
};

const DECIMAL_FAULTS: Readonly<Record<DecimalFault, string>> = {
  not_decimal: 'is no number',
  too_precise: 'has more digits after the point than are kept',
  too_large: 'is too large',
};

function text(fields: readonly string[], column: number): string {
  return (fields[column] ?? '').trim();
}

function shown(value: string): string {
  return value === '' ? 'an empty value' : JSON.stringify(value.slice(0, 40));
}

function parseTime(value: string, source: TillSource): number | null {
  const options = { timeZone: source.timeZone, order: source.dateOrder };
  const at = value.indexOf(' ');
  return at === -1
    ? instantOfText(value, options)
    : instantOf(value.slice(0, at), value.slice(at + 1).trim(), options);
}

/** The lines of a ticket follow each other and mostly share their time. */
function rememberLast(parse: (value: string) => number | null): (value: string) => number | null {
  let last: { value: string; result: number | null } = { value: '', result: parse('') };
  return (value) => {
    if (value !== last.value) last = { value, result: parse(value) };
    return last.result;
  };
}
