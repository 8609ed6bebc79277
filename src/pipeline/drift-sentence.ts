/** A drift in plain words, with its figures, and how soon to act on it. */
import type { DriftReading } from '../models/engine.ts';
import type { Level, SeriesKey } from '../sales/series.ts';
import type { AlertMessage } from './messages.ts';

const WIDE: readonly Level[] = ['total', 'store'];
const LARGE = 0.5;
const NOTABLE = 0.2;

export function driftSeverity(level: Level, { size }: DriftReading): AlertMessage['severity'] {
  const wide = WIDE.includes(level);
  if (wide && Math.abs(size) >= LARGE) return 'CRITICAL';
  return wide || Math.abs(size) >= NOTABLE ? 'WARNING' : 'INFO';
}

/**
 * "Sales of BREAD in store 406 run 34 % above their usual level since Tuesday 14 March; the error of their forecasts rose
 * from 8 % to 31 %. So do 312 more series of BREAD in store 406."
 */
export function driftSentence(drift: {
  readonly key: SeriesKey;
  readonly reading: DriftReading;
  readonly sinceMs: number;
  readonly timeZone: string;
  /** Series that are not spoken of one by one. */
  readonly others: number;
}): string {
  const { key, reading, sinceMs, timeZone, others } = drift;
  const where = placeOf(key);
  const what = `${key.measure === 'units' ? 'Sales' : 'Takings'} of ${where}`;
  const since = `since ${dateOf(sinceMs, key.granularity === 'day' ? 'UTC' : timeZone)}`;
  const more = others === 0 ? '' : ` So do ${others} more series of ${where}.`;
  return `${what} ${course(reading)} ${since}; ${errors(reading)}.${more}`;
}

function placeOf({ store, category, product }: SeriesKey): string {
  const goods = product === undefined ? category : `product ${product}`;
  if (store === undefined) return goods ?? 'the chain';
  return goods === undefined ? `store ${store}` : `${goods} in store ${store}`;
}

function course({ kind, size }: DriftReading): string {
  if (kind === 'spread') return 'have become harder to forecast';
  const from = kind === 'level' ? 'their usual level' : 'what was forecast';
  if (Number.isNaN(size)) return `have left ${from}`;
  return `run ${percent(Math.abs(size))} ${size > 0 ? 'above' : 'below'} ${from}`;
}

function errors({ errorBefore, errorAfter }: DriftReading): string {
  if (Number.isNaN(errorBefore)) return 'there are few forecasts to compare with';
  if (Number.isNaN(errorAfter)) return `the error of their forecasts was ${percent(errorBefore)}`;
  const [before, after] = [percent(errorBefore), percent(errorAfter)];
  if (errorAfter <= errorBefore)
    return `forecasts have followed, with an error of ${after} (${before} before)`;
  return `the error of their forecasts rose from ${before} to ${after}`;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function dateOf(ms: number, timeZone: string): string {
  const format = new Intl.DateTimeFormat('en-GB', {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    timeZone,
  });
  return format.format(ms);
}
