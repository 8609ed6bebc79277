import { describe, expect, test } from 'vitest';
import { DEFAULT_CONFIG, resolveConfig } from '../src/config.ts';
import type { ConfigOverrides } from '../src/config.ts';
import { ForetillError } from '../src/errors.ts';

test('without overrides the defaults hold', () => {
  expect(resolveConfig()).toEqual(DEFAULT_CONFIG);
});

const { kafka, retention, granularities, http } = DEFAULT_CONFIG;
test.each<[string, ConfigOverrides, object]>([
  [
    'one setting of a group leaves the others',
    { kafka: { compression: 'zstd' } },
    { kafka: { ...kafka, compression: 'zstd' } },
  ],
  [
    'several groups at once',
    { retention: { transactionsMs: 1_000 }, http: { bodyBytesMax: 1 } },
    { retention: { ...retention, transactionsMs: 1_000 }, http: { ...http, bodyBytesMax: 1 } },
  ],
  [
    'a list is given as a whole, beside it all stays',
    { granularities: { day: { levels: ['total'] } } },
    { granularities: { ...granularities, day: { levels: ['total'], horizon: granularities.day.horizon } } },
  ],
  ['0 is a number', { productsMax: 0 }, { productsMax: 0 }],
])('%s', (_name, overrides, expected) => {
  expect(resolveConfig(overrides)).toEqual({ ...DEFAULT_CONFIG, ...expected });
});

describe('what cannot be meant is refused by its path', () => {
  test.each([
    ['{"toString": 1}', 'there is no setting "toString"'],
    ['{"__proto__": {}}', 'there is no setting "__proto__"'],
    ['{"kafka": {"sesionTimeoutMs": 1}}', 'there is no setting "kafka.sesionTimeoutMs"'],
    ['{"granularities": {"week": {}}}', 'there is no setting "granularities.week"'],
    ['{"granularities": {"day": {"hour": 1}}}', 'there is no setting "granularities.day.hour"'],
    [
      '{"transactionPartitions": "four"}',
      'transactionPartitions is "four" instead of a whole number, 0 or more',
    ],
    ['{"shards": 1.5}', 'shards is 1.5 instead of a whole number, 0 or more'],
    ['{"shards": -1}', 'shards is -1 instead of a whole number, 0 or more'],
    ['{"shards": null}', 'shards is null instead of a whole number, 0 or more'],
    [
      '{"store": {"inFlightMax": 1e999}}',
      'store.inFlightMax is Infinity instead of a whole number, 0 or more',
    ],
    ['{"retention": 1000}', 'retention is 1000 instead of a group of settings'],
    ['{"retention": [1000]}', 'retention is [1000] instead of a group of settings'],
    ['{"currency": 978}', 'currency is 978 instead of a text'],
    [
      '{"granularities": {"day": {"levels": "total"}}}',
      'granularities.day.levels is "total" instead of a list of texts',
    ],
    [
      '{"granularities": {"day": {"levels": [1]}}}',
      'granularities.day.levels is [1] instead of a list of texts',
    ],
    [
      '{"granularities": {"day": {"levels": ["town"]}}}',
      'granularities.day has no horizon or no levels, or an unknown level',
    ],
    [
      '{"granularities": {"day": {"horizon": 0}}}',
      'granularities.day has no horizon or no levels, or an unknown level',
    ],
    ['{"kafka": {"compression": "zip"}}', 'kafka.compression "zip" is unknown'],
    ['{"shards": 0}', 'there must be at least one partition, one shard and one batch in work'],
  ])('%s', (json, what) => {
    const error = refusalOf(JSON.parse(json) as ConfigOverrides);
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toBe(`Configuration: ${what}.`);
  });

  test('and the remedy names what there is', () => {
    expect(refusalOf(JSON.parse('{"retention": {"days": 7}}') as ConfigOverrides).remedy).toBe(
      'Settings of retention are: transactionsMs, bucketsMs, alertsMs, deadLettersMs.',
    );
  });
});

function refusalOf(overrides: ConfigOverrides): ForetillError {
  try {
    resolveConfig(overrides);
  } catch (error) {
    if (error instanceof ForetillError) return error;
    throw error;
  }
  throw new Error('it was taken');
}
