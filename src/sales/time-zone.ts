/**
 * Offsets of time zones, looked up in tables of our own: Intl is asked once per zone and block of 365 days (some 400
 * calls, about a millisecond), after which an offset costs some 10 ns.
 *
 * A span is a stretch of time over which a zone keeps one offset. Its borders are the true transitions where they lie
 * within two days of the instant asked for; further away they may be the edges of a table.
 */
import { DAY_MS, HOUR_MS } from './durations.ts';
export type OffsetSpan = { readonly startMs: number; readonly endMs: number; readonly offsetMs: number };

const BLOCK_MS = 365 * DAY_MS;
const MARGIN_MS = 2 * DAY_MS;
/** No zone was ever further from UTC than 15 h 14 min. */
const OFFSET_MS_MAX = 16 * HOUR_MS;
/** Names come from tills, in any case of letters: beyond this many the tables are built anew. */
const ZONES_MAX = 2_000;
const BLOCKS_PER_ZONE_MAX = 256;

type Zone = {
  readonly format: Intl.DateTimeFormat;
  readonly blocks: Map<number, readonly OffsetSpan[]>;
  /** The span found last, and the part of it for which its borders are true. */
  last: OffsetSpan;
  lastFromMs: number;
  lastToMs: number;
};

const zones = new Map<string, Zone>();

/** Whether `name` is a zone of the IANA database; bare offsets such as `+02:00` are not. */
export function isTimeZone(name: string): boolean {
  return zones.has(name) || formatOf(name) !== null;
}

/** The span of `timeZone` that holds `ms`. Throws a RangeError for an unknown zone: ask `isTimeZone` first. */
export function offsetSpan(ms: number, timeZone: string): OffsetSpan {
  const zone = zones.get(timeZone) ?? addZone(timeZone);
  return ms >= zone.lastFromMs && ms < zone.lastToMs ? zone.last : findSpan(zone, ms);
}

/** The reading of the local clock at `ms`, as if it were UTC. */
export function wallMs(ms: number, timeZone: string): number {
  return ms + offsetSpan(ms, timeZone).offsetMs;
}

/**
 * The first instant at which the local clock reads `wall` or later. Of a reading that occurs twice it is the first; for
 * one that was skipped it is the instant of the jump.
 *
 * @example
 * firstInstantOf(Date.UTC(2017, 9, 15), 'America/Sao_Paulo') // 2017-10-15T03:00Z: from 00:00 the clock went to 01:00
 */
export function firstInstantOf(wall: number, timeZone: string): number {
  let span = offsetSpan(wall - OFFSET_MS_MAX, timeZone);
  while (wall - span.offsetMs >= span.endMs) span = offsetSpan(span.endMs, timeZone);
  return Math.max(wall - span.offsetMs, span.startMs);
}

function addZone(timeZone: string): Zone {
  const format = formatOf(timeZone);
  if (format === null) throw new RangeError(`unknown time zone "${timeZone}"`);
  if (zones.size >= ZONES_MAX) zones.clear();
  const last = { startMs: 0, endMs: 0, offsetMs: 0 };
  const zone: Zone = { format, blocks: new Map(), last, lastFromMs: 0, lastToMs: 0 };
  zones.set(timeZone, zone);
  return zone;
}

function findSpan(zone: Zone, ms: number): OffsetSpan {
  const index = Math.floor(ms / BLOCK_MS);
  const spans = zone.blocks.get(index) ?? addBlock(zone, index);
  let at = spans.length - 1;
  while (at > 0 && (spans[at] as OffsetSpan).startMs > ms) at -= 1;
  const span = spans[at] as OffsetSpan;
  zone.last = span;
  zone.lastFromMs = Math.max(span.startMs, index * BLOCK_MS);
  zone.lastToMs = Math.min(span.endMs, (index + 1) * BLOCK_MS);
  return span;
}

/** The spans of one block and of two days on either side, so that every instant in the block sees its true borders. */
function addBlock(zone: Zone, index: number): readonly OffsetSpan[] {
  const fromMs = index * BLOCK_MS - MARGIN_MS;
  const toMs = (index + 1) * BLOCK_MS + MARGIN_MS;
  const spans: OffsetSpan[] = [];
  let startMs = fromMs;
  let offsetMs = askOffset(zone.format, fromMs);
  for (let ms = fromMs; ms < toMs; ms += DAY_MS) {
    const next = askOffset(zone.format, ms + DAY_MS);
    if (next === offsetMs) continue;
    const endMs = findTransition(zone.format, ms, ms + DAY_MS);
    spans.push({ startMs, endMs, offsetMs });
    startMs = endMs;
    offsetMs = next;
  }
  spans.push({ startMs, endMs: toMs, offsetMs });
  if (zone.blocks.size >= BLOCKS_PER_ZONE_MAX) zone.blocks.clear();
  zone.blocks.set(index, spans);
  return spans;
}

/** The second at which the offset of `beforeMs` ends, given that another one holds at `afterMs`. */
function findTransition(format: Intl.DateTimeFormat, beforeMs: number, afterMs: number): number {
  const offsetMs = askOffset(format, beforeMs);
  let low = beforeMs / 1000;
  let high = afterMs / 1000;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (askOffset(format, middle * 1000) === offsetMs) low = middle;
    else high = middle;
  }
  return high * 1000;
}

function askOffset(format: Intl.DateTimeFormat, ms: number): number {
  const part: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(ms)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) - ms;
}

function formatOf(timeZone: string): Intl.DateTimeFormat | null {
  if (!/^[A-Za-z]/.test(timeZone)) return null;
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    return null;
  }
}
