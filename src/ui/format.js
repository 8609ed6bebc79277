// @ts-check
/** Numbers and times in words: in the viewer's language, the chain's currency and the chain's own zone. */

/** @typedef {import('./types.d.ts').Granularity} Granularity */
/** @typedef {import('./types.d.ts').Measure} Measure */

let currency = 'USD';
let timeZone = 'UTC';
let formats = makeFormats();

/** @param {{ currency: string, time_zone: string }} chain */
export function setChain(chain) {
  if (chain.currency === currency && chain.time_zone === timeZone) return;
  currency = chain.currency;
  timeZone = chain.time_zone;
  formats = makeFormats();
}

export function zone() {
  return timeZone;
}

function makeFormats() {
  /** @param {Intl.NumberFormatOptions} options */
  const number = (options) => new Intl.NumberFormat(undefined, options);
  /** @param {Intl.DateTimeFormatOptions} options */
  const time = (options) => new Intl.DateTimeFormat(undefined, options);
  const money = /** @type {const} */ ({ style: 'currency', currency, currencyDisplay: 'narrowSymbol' });
  return {
    money: number({ ...money, maximumFractionDigits: 0 }),
    cents: number(money),
    units: number({ maximumFractionDigits: 0 }),
    smallUnits: number({ maximumFractionDigits: 1 }),
    compact: number({ notation: 'compact', maximumFractionDigits: 2 }),
    compactMoney: number({
      ...money,
      notation: 'compact',
      maximumFractionDigits: 2,
      minimumFractionDigits: 0,
    }),
    percent: number({ style: 'percent', maximumFractionDigits: 0 }),
    signed: number({ style: 'percent', maximumFractionDigits: 0, signDisplay: 'exceptZero' }),
    clock: time({
      weekday: 'short',
      day: 'numeric',
      month: 'short',
      year: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      timeZone,
    }),
    hour: time({
      weekday: 'short',
      day: 'numeric',
      month: 'short',
      hour: '2-digit',
      minute: '2-digit',
      timeZone,
    }),
    hourNumber: new Intl.DateTimeFormat('en', { hour: '2-digit', hourCycle: 'h23', timeZone }),
    hourOnly: time({ hour: 'numeric', minute: '2-digit', timeZone }),
    tickDay: time({ weekday: 'short', day: 'numeric', timeZone }),
    tickDate: time({ day: 'numeric', month: 'short', timeZone: 'UTC' }),
    // A day is named by its date at midnight UTC, whatever the zone.
    day: time({ weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' }),
    longDay: time({ weekday: 'long', day: 'numeric', month: 'long', timeZone: 'UTC' }),
  };
}

/** @param {Measure} measure @param {number} value */
export function amount(measure, value) {
  if (measure === 'revenue') return (Math.abs(value) < 100 ? formats.cents : formats.money).format(value);
  return (Math.abs(value) < 10 ? formats.smallUnits : formats.units).format(value);
}

/** With the word for what is counted. @param {Measure} measure @param {number} value */
export function amountInWords(measure, value) {
  return measure === 'revenue' ? amount(measure, value) : `${amount(measure, value)} units`;
}

/** For axes. @param {Measure} measure @param {number} value */
export function shortAmount(measure, value) {
  return (measure === 'revenue' ? formats.compactMoney : formats.compact).format(value);
}

/** @param {number} share */
export function percent(share) {
  return formats.percent.format(share);
}

/** @param {number} share */
export function signedPercent(share) {
  return formats.signed.format(share);
}

/** @param {number} value */
export function whole(value) {
  return formats.units.format(value);
}

/** @param {number} value */
export function rate(value) {
  return (value < 10 ? formats.smallUnits : formats.units).format(value);
}

/** @param {string} iso */
export function clock(iso) {
  return formats.clock.format(new Date(iso));
}

/** The name of a bucket. @param {Granularity} granularity @param {string | number} at */
export function bucket(granularity, at) {
  return (granularity === 'hour' ? formats.hour : formats.day).format(new Date(at));
}

/** @param {string} iso */
export function longDay(iso) {
  return formats.longDay.format(new Date(iso));
}

/** `13:00 – 14:00` @param {string} iso */
export function hourSpan(iso) {
  const start = Date.parse(iso);
  return formats.hourOnly.formatRange(start, start + 3_600_000);
}

/** For the axis of time: dates; by the hour the hour, and the day where it begins. @param {Granularity} granularity @param {number} ms */
export function tick(granularity, ms) {
  if (granularity === 'day') return formats.tickDate.format(ms);
  const isMidnight = wallHour(ms) === 0;
  return (isMidnight ? formats.tickDay : formats.hourOnly).format(ms);
}

/** @param {number} ms */
function wallHour(ms) {
  return Number(formats.hourNumber.format(ms)) % 24;
}

/** A node of the hierarchy as people say it. @param {{ store?: string, category?: string, product?: string }} series */
export function nodeName({ store, category, product }) {
  const parts = [];
  if (product !== undefined) parts.push(`Product ${product}`);
  if (category !== undefined) parts.push(titleCase(category));
  if (store !== undefined) parts.push(`Store ${store}`);
  return parts.length === 0 ? 'The whole chain' : parts.join(', ');
}

/** Tills shout; people do not. @param {string} text */
function titleCase(text) {
  if (text !== text.toUpperCase()) return text;
  return text
    .toLowerCase()
    .replace(/(^|[\s/(&-])(\p{L})/gu, (_match, before, letter) => before + letter.toUpperCase());
}
