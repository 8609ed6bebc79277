import { describe, expect, test } from 'vitest';
import { basedOn, parsePrequential, parseProtocol } from '../../src/backtest/protocol.ts';

const PLAIN = {
  dataset: 'shops',
  file: 'data/shops.csv.gz',
  sha256: 'ab',
  frequency: 'h',
  horizon: 24,
  origins: 7,
  step_between_origins: 96,
  season_of_models: 24,
  MSTL_seasons: [24, 168],
  seasonal_naive_season: 168,
  train_window_of_statistical_models: 2016,
  mase_season: 168,
  known_future_covariates: ['promotion'],
};
const PREQUENTIAL = { dataset: 'shops', H: 4, refit_every: 13, n_series_cap: 12 };

test('a plain protocol', () => {
  expect(parseProtocol(JSON.stringify(PLAIN), 'p.json')).toEqual({
    data: { file: 'data/shops.csv.gz', sha256: 'ab', frequency: 'h', known: ['promotion'], seriesMax: null },
    plan: {
      dataset: 'shops',
      seasons: [24, 168],
      naiveSeason: 168,
      naiveWindow: 2016,
      scaleSeason: 168,
      horizon: 24,
      origins: { kind: 'last', count: 7, step: 96 },
      levels: [80, 95],
      refitEvery: 1,
    },
  });
});

test('all history for the interval of the seasonal naive', () => {
  const text = JSON.stringify({ ...PLAIN, train_window_of_statistical_models: 'all' });
  expect(parseProtocol(text, 'p.json').plan.naiveWindow).toBeNull();
});

test('a prequential protocol stands on the plain one of its set', () => {
  const text = JSON.stringify(PREQUENTIAL);
  expect(basedOn(text, 'q.json')).toBe('shops');
  expect(basedOn(JSON.stringify(PLAIN), 'p.json')).toBeNull();
  const base = parseProtocol(JSON.stringify(PLAIN), 'p.json');
  expect(parsePrequential(text, 'q.json', base)).toEqual({
    data: { ...base.data, seriesMax: 12 },
    plan: { ...base.plan, horizon: 4, origins: { kind: 'prequential', share: 0.2 }, refitEvery: 13 },
  });
});

describe('what is wrong is named', () => {
  test.each<readonly [string, Readonly<Record<string, unknown>>, string]>([
    ['no horizon', { horizon: undefined }, '"horizon" is missing; it must be a whole number from 1'],
    ['a horizon of zero', { horizon: 0 }, '"horizon" is 0; it must be a whole number from 1'],
    ['half an origin', { origins: 1.5 }, '"origins" is 1.5'],
    ['seasons that are none', { MSTL_seasons: ['a'] }, '"MSTL_seasons" is ["a"]; it must be a list of whole'],
    ['no file', { file: '' }, '"file" is ""; it must be a text'],
    ['covariates that are none', { known_future_covariates: 'x' }, 'it must be a list of texts'],
    ['a window that is none', { train_window_of_statistical_models: 'some' }, 'train_window'],
  ])('%s', (_, change, message) => {
    const parse = () => parseProtocol(JSON.stringify({ ...PLAIN, ...change }), 'p.json');
    expect(parse).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringContaining(message) }),
    );
  });

  test.each(['{', '[]', '"x"', 'null'])('not an object: %s', (text) => {
    expect(() => parseProtocol(text, 'p.json')).toThrow(/p\.json is n/);
  });
});
