/**
 * The reference protocols as plans. There are two kinds: one with K origins at the end of each series
 * (`protocol_<set>.json`), and a prequential one (`protocol_preq_<set>.json`), which takes its data, seasons and scale
 * from the other of the same set.
 */
import { ForetillError } from '../errors.ts';
import type { BacktestPlan } from './plan.ts';

/** Where a protocol's series are, and how many of them count. */
export type ProtocolData = {
  /** below the root that the user names */
  readonly file: string;
  readonly sha256: string | null;
  readonly frequency: string;
  readonly known: readonly string[];
  /** evenly spread series of the set, null for all */
  readonly seriesMax: number | null;
};

export type Protocol = { readonly data: ProtocolData; readonly plan: BacktestPlan };

const LEVELS = [80, 95] as const;
const PREQUENTIAL_SHARE = 0.2;

/** The set that a prequential protocol builds upon; null for one that stands alone. */
export function basedOn(text: string, name: string): string | null {
  const json = parseObject(text, name);
  return 'H' in json ? stringOf(json, 'dataset', name) : null;
}

/** A protocol that stands alone. Throws INPUT_INVALID that says which key is missing or wrong. */
export function parseProtocol(text: string, name: string): Protocol {
  const json = parseObject(text, name);
  const naiveSeason = countOf(json, 'seasonal_naive_season', name);
  const seasons = new Set([countOf(json, 'season_of_models', name), ...countsOf(json, 'MSTL_seasons', name)]);
  const window = json['train_window_of_statistical_models'];
  return {
    data: {
      file: stringOf(json, 'file', name),
      sha256: typeof json['sha256'] === 'string' ? json['sha256'] : null,
      frequency: stringOf(json, 'frequency', name),
      known: stringsOf(json, 'known_future_covariates', name),
      seriesMax: null,
    },
    plan: {
      dataset: stringOf(json, 'dataset', name),
      seasons: [...seasons].sort((a, b) => a - b),
      naiveSeason,
      naiveWindow:
        window === 'all' || window === undefined
          ? null
          : countOf(json, 'train_window_of_statistical_models', name),
      scaleSeason: countOf(json, 'mase_season', name),
      horizon: countOf(json, 'horizon', name),
      origins: {
        kind: 'last',
        count: countOf(json, 'origins', name),
        step: countOf(json, 'step_between_origins', name),
      },
      levels: LEVELS,
      refitEvery: 1,
    },
  };
}

/** A prequential protocol on the data of `base`. */
export function parsePrequential(text: string, name: string, base: Protocol): Protocol {
  const json = parseObject(text, name);
  return {
    data: { ...base.data, seriesMax: countOf(json, 'n_series_cap', name) },
    plan: {
      ...base.plan,
      horizon: countOf(json, 'H', name),
      origins: { kind: 'prequential', share: PREQUENTIAL_SHARE },
      refitEvery: countOf(json, 'refit_every', name),
    },
  };
}

type Json = Readonly<Record<string, unknown>>;

function parseObject(text: string, name: string): Json {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw invalid(`${name} is not JSON: ${(error as Error).message}`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw invalid(`${name} is no object.`);
  return json as Json;
}

function stringOf(json: Json, key: string, name: string): string {
  const value = json[key];
  if (typeof value === 'string' && value !== '') return value;
  throw wrong(json, key, name, 'a text');
}

function countOf(json: Json, key: string, name: string): number {
  const value = json[key];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
  throw wrong(json, key, name, 'a whole number from 1');
}

function countsOf(json: Json, key: string, name: string): readonly number[] {
  const value = json[key];
  if (Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && each >= 1)) return value;
  throw wrong(json, key, name, 'a list of whole numbers from 1');
}

function stringsOf(json: Json, key: string, name: string): readonly string[] {
  const value = json[key];
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
  throw wrong(json, key, name, 'a list of texts');
}

function wrong(json: Json, key: string, name: string, wanted: string): ForetillError {
  const seen = key in json ? `"${key}" is ${JSON.stringify(json[key]).slice(0, 60)}` : `"${key}" is missing`;
  return invalid(`${name}: ${seen}; it must be ${wanted}.`);
}

function invalid(message: string): ForetillError {
  return new ForetillError('INPUT_INVALID', message, {
    remedy: 'Name a protocol file such as reference/protocol_cj_daily.json.',
  });
}
