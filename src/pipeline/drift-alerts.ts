/**
 * What is said of series that have left their usual course. A drift is told once, when it is found in buckets that have
 * just closed, and once more when it is over; what has been told is part of a shard's checkpoint, so that to fold
 * again says nothing twice. A storm says little: a series is not spoken of where one above it moves the same way, and
 * no more than so many are, the widest first.
 */
import type { NodeKey } from '../hierarchy/nodes.ts';
import type { DriftReading } from '../models/engine.ts';
import type { StoreCalendar } from '../sales/calendar.ts';
import { DAY_MS } from '../sales/durations.ts';
import { formatSeries, LEVELS, MEASURES } from '../sales/series.ts';
import type { SeriesKey } from '../sales/series.ts';
import { BUCKET_MS } from './bucket-length.ts';
import { driftSentence, driftSeverity } from './drift-sentence.ts';
import { seriesKey } from './forecast-message.ts';
import type { AlertMessage } from './messages.ts';
import type { SeriesTable } from './series-table.ts';

/** A drift that has been looked at. `alert`: what was published; null: nothing, as another spoke for it or it is old. */
export type ToldDrift = { readonly foundMs: number; readonly alert: AlertMessage | null };

/** The drifts under way of one table, by `node * measures + measure`. */
export type ToldDrifts = Map<number, ToldDrift>;

export type DriftNews = {
  /** To be published: those found, the widest first, and those that are over. */
  readonly alerts: readonly AlertMessage[];
  readonly found: number;
  /** Spoken for by one above them. */
  readonly folded: number;
  /** Beyond the number there may be. */
  readonly dropped: number;
  readonly over: number;
};

export type DriftWindow = {
  /** Drifts found in buckets before this are old: they are not told. */
  readonly freshFromMs: number;
  readonly alertsMax: number;
  /** Drifts under way in other tables: by the hour what is told by the day is not told again. */
  readonly beside: Iterable<ToldDrift>;
  readonly calendarOf: (store: string | undefined) => StoreCalendar;
};

type Candidate = {
  readonly id: number;
  readonly key: SeriesKey;
  readonly reading: DriftReading;
  readonly foundMs: number;
  readonly sinceMs: number;
  /** Series that it speaks for, found with it. */
  others: number;
};

/** A later drift than the one that was told, and not the same one found in another bucket after an amendment. */
const ANOTHER_MS = 7 * DAY_MS;

/** Compares the table with what has been told, brings `told` up to date, and returns what is new. */
export function settleDrifts(table: SeriesTable, told: ToldDrifts, window: DriftWindow): DriftNews {
  const { over, fresh } = compare(table, told, window);
  fresh.sort(widestFirst);
  const heads: Candidate[] = [];
  const standing = [...told.values(), ...window.beside].flatMap(({ alert }) => alert ?? []);
  let folded = 0;
  let dropped = 0;
  for (const candidate of fresh) {
    const above = heads.find((head) => speaksFor(head.key, directionOf(head.reading), candidate));
    if (above !== undefined) above.others += 1;
    const spokenFor =
      above !== undefined || standing.some((alert) => speaksFor(alert, signOf(alert.value), candidate));
    if (spokenFor) folded += 1;
    else if (heads.length < window.alertsMax) heads.push(candidate);
    else dropped += 1;
  }
  for (const { id, foundMs } of fresh) told.set(id, { foundMs, alert: null });
  const found = heads.map((head) => alertOf(head, window));
  for (const [i, { id, foundMs }] of heads.entries()) told.set(id, { foundMs, alert: found[i] ?? null });
  return { alerts: [...over, ...found], found: found.length, folded, dropped, over: over.length };
}

function compare(
  table: SeriesTable,
  told: ToldDrifts,
  { freshFromMs }: DriftWindow,
): { over: AlertMessage[]; fresh: Candidate[] } {
  const { engine, records, nextBucketMs } = table;
  const over: AlertMessage[] = [];
  const fresh: Candidate[] = [];
  if (nextBucketMs === null) return { over, fresh };
  for (const [node, place] of records.places.entries()) {
    if (place === -1) continue;
    for (const [m, measure] of MEASURES.entries()) {
      const id = node * MEASURES.length + m;
      const at = place + m * engine.words;
      const foundCount = engine.driftFound(records.slab, at);
      const before = told.get(id);
      if (foundCount === 0 && before === undefined) continue;
      const startOf = (count: number): number =>
        nextBucketMs - (engine.count(records.slab, at) - count) * BUCKET_MS[table.granularity];
      const foundMs = startOf(foundCount - 1);
      const goesOn = foundCount > 0 && before !== undefined && foundMs - before.foundMs < ANOTHER_MS;
      if (goesOn) continue;
      if (before?.alert) over.push({ ...before.alert, resolved_ms: nextBucketMs });
      told.delete(id);
      const reading = engine.drift(records.slab, at);
      if (reading === null) continue;
      if (foundMs < freshFromMs) told.set(id, { foundMs, alert: null });
      else {
        const key = seriesKey(table, node, measure);
        fresh.push({ id, key, reading, foundMs, sinceMs: startOf(reading.sinceCount), others: 0 });
      }
    }
  }
  return { over, fresh };
}

function widestFirst(a: Candidate, b: Candidate): number {
  const byLevel = LEVELS.indexOf(a.key.level) - LEVELS.indexOf(b.key.level);
  const byMeasure = MEASURES.indexOf(a.key.measure) - MEASURES.indexOf(b.key.measure);
  const bySize = sizeOf(b.reading) - sizeOf(a.reading);
  return byLevel || bySize || byMeasure || (formatSeries(a.key) < formatSeries(b.key) ? -1 : 1);
}

function sizeOf({ size }: DriftReading): number {
  return Number.isNaN(size) ? 0 : Math.abs(size);
}

function directionOf({ direction }: DriftReading): number {
  return direction === 'up' ? 1 : direction === 'down' ? -1 : 0;
}

function signOf(value: number | null): number {
  return Math.sign(value ?? 0);
}

type Parts = { readonly [K in keyof Omit<NodeKey, 'level'>]?: string | null | undefined };

/** Whether what is said of one node says it of the candidate: of the same sales or of part of them, the same way. */
function speaksFor(parts: Parts, direction: number, { key, reading }: Candidate): boolean {
  const within = (part: keyof Parts): boolean => (parts[part] ?? null) === null || parts[part] === key[part];
  return direction === directionOf(reading) && within('store') && within('category') && within('product');
}

function alertOf(candidate: Candidate, { calendarOf }: DriftWindow): AlertMessage {
  const { key, reading, sinceMs, others } = candidate;
  const series = formatSeries(key);
  const { timeZone } = calendarOf(key.store);
  return {
    alert_id: `drift ${series} ${new Date(sinceMs).toISOString()}`,
    kind: 'drift',
    severity: driftSeverity(key.level, reading),
    series,
    granularity: key.granularity,
    measure: key.measure,
    level: key.level,
    store: key.store ?? null,
    category: key.category ?? null,
    product: key.product ?? null,
    message: driftSentence({ key, reading, sinceMs, timeZone, others }),
    value: known(reading.size),
    threshold: null,
    since_ms: sinceMs,
    resolved_ms: null,
    error_before: known(reading.errorBefore),
    error_after: known(reading.errorAfter),
  };
}

function known(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
