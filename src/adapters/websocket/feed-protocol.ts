/**
 * What a client may say on the feed, parsed. JSON text messages:
 * `{"type":"subscribe","id":"a","filter":{"granularity":"day"},"resume":{"epoch":"…","seq":17}}` and
 * `{"type":"unsubscribe","id":"a"}`. Subscribing again under the same id replaces the filter.
 */
import { GRANULARITIES, LEVELS, MEASURES } from '../../sales/series.ts';
import type { SeriesView } from './forecast-view.ts';

/** What is given must all match; `series` is a list of names of which one must. */
export type FeedFilter = {
  readonly series?: readonly string[];
  readonly granularity?: string;
  readonly measure?: string;
  readonly level?: string;
  readonly store?: string;
  readonly category?: string;
  readonly product?: string;
};

export type Resume = { readonly epoch: string; readonly seq: number };

export type ClientMessage =
  | {
      readonly type: 'subscribe';
      readonly id: string;
      readonly filter: FeedFilter;
      readonly resume: Resume | null;
    }
  | { readonly type: 'unsubscribe'; readonly id: string };

export type FeedErrorCode = 'BAD_JSON' | 'BAD_MESSAGE' | 'BAD_FILTER' | 'TOO_MANY_SUBSCRIPTIONS';

export type ParsedMessage =
  | { readonly ok: true; readonly message: ClientMessage }
  | { readonly ok: false; readonly code: FeedErrorCode; readonly message: string };

const SERIES_MAX = 200;
const NAME_LENGTH_MAX = 512;
const ID_LENGTH_MAX = 64;
const ONE_OF: Readonly<Record<string, readonly string[]>> = {
  granularity: GRANULARITIES,
  measure: MEASURES,
  level: LEVELS,
};
const FIELDS = ['granularity', 'measure', 'level', 'store', 'category', 'product'] as const;

export function parseClientMessage(text: string): ParsedMessage {
  const value = parseJson(text);
  if (!isRecord(value)) return bad('BAD_JSON', 'A message is one JSON object.');
  const { type, id } = value;
  if (typeof id !== 'string' || id === '' || id.length > ID_LENGTH_MAX)
    return bad('BAD_MESSAGE', `"id" must be a text of 1 to ${ID_LENGTH_MAX} characters.`);
  if (type === 'unsubscribe') return { ok: true, message: { type, id } };
  if (type !== 'subscribe') return bad('BAD_MESSAGE', '"type" must be "subscribe" or "unsubscribe".');
  const problem = filterProblem(value['filter'] ?? {});
  if (problem !== null) return bad('BAD_FILTER', problem);
  const resume = value['resume'] ?? null;
  if (resume !== null && !isResume(resume))
    return bad('BAD_MESSAGE', '"resume" must be {"epoch": text, "seq": whole number}.');
  return {
    ok: true,
    message: { type, id, filter: value['filter'] ?? {}, resume },
  };
}

export function matches(filter: FeedFilter, series: SeriesView): boolean {
  for (const field of FIELDS) {
    const wanted = filter[field];
    if (wanted !== undefined && series[field] !== wanted) return false;
  }
  return filter.series === undefined || filter.series.includes(series.series);
}

/** Why `value` is no filter; null when it is one. */
function filterProblem(value: unknown): string | null {
  if (!isRecord(value)) return '"filter" must be an object.';
  for (const [name, wanted] of Object.entries(value)) {
    const problem = name === 'series' ? seriesProblem(wanted) : fieldProblem(name, wanted);
    if (problem !== null) return problem;
  }
  return null;
}

function fieldProblem(name: string, wanted: unknown): string | null {
  if (!(FIELDS as readonly string[]).includes(name))
    return `"${name.slice(0, 40)}" is no filter; there are series, ${FIELDS.join(', ')}.`;
  if (typeof wanted !== 'string' || wanted.length > NAME_LENGTH_MAX) return `"${name}" must be a text.`;
  const known = ONE_OF[name];
  return known === undefined || known.includes(wanted)
    ? null
    : `"${name}" must be one of ${known.join(', ')}.`;
}

function seriesProblem(wanted: unknown): string | null {
  const isList =
    Array.isArray(wanted) &&
    wanted.length <= SERIES_MAX &&
    wanted.every((name) => typeof name === 'string' && name.length <= NAME_LENGTH_MAX);
  return isList ? null : `"series" must be a list of at most ${SERIES_MAX} names.`;
}

function isResume(value: unknown): value is Resume {
  return (
    isRecord(value) &&
    typeof value['epoch'] === 'string' &&
    Number.isSafeInteger(value['seq']) &&
    (value['seq'] as number) >= 0
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function bad(code: FeedErrorCode, message: string): ParsedMessage {
  return { ok: false, code, message };
}
