import { describe, expect, test } from 'vitest';
import { resolveConfig } from '../../src/config.ts';
import { GRANULARITY_SYMBOLS, granularityOfSymbol } from '../../src/pipeline/messages.ts';
import type { TopicSpec } from '../../src/pipeline/log.ts';
import {
  deadLetterTopic,
  REPLAYED_TOPIC,
  topicDifferences,
  TOPICS,
  topicSpecs,
} from '../../src/pipeline/topics.ts';
import { GRANULARITIES } from '../../src/sales/series.ts';

const specs = new Map(
  topicSpecs(resolveConfig({ transactionPartitions: 6, shards: 3 })).map((spec) => [spec.name, spec]),
);

test.each([
  [TOPICS.transactions, 6, false],
  [TOPICS.buckets, 3, false],
  [TOPICS.forecasts, 3, true],
  [TOPICS.experts, 3, true],
  [TOPICS.alerts, 1, false],
  [deadLetterTopic(TOPICS.transactions), 1, false],
  [deadLetterTopic(TOPICS.buckets), 1, false],
  [deadLetterTopic(TOPICS.experts), 1, false],
  [REPLAYED_TOPIC, 1, false],
])('%s has %i partitions, compacted: %s', (name, partitions, compacted) => {
  const spec = specs.get(name);
  expect(spec?.partitions).toBe(partitions);
  expect(spec?.compacted ?? false).toBe(compacted);
  // What is not compacted must be let go of some day.
  expect(spec?.retentionMs !== undefined).toBe(!compacted);
});

test.each(GRANULARITIES)('the symbol of %s leads back to it', (granularity) => {
  expect(granularityOfSymbol(GRANULARITY_SYMBOLS[granularity])).toBe(granularity);
});

describe('topics as they are against what they should be', () => {
  const wanted = { name: 'tickets', partitions: 4, retentionMs: 1_000 };
  const cases: [string, Partial<TopicSpec> | null, string[]][] = [
    ['the same', {}, []],
    ['missing', null, ['missing: there / not there']],
    ['fewer partitions', { partitions: 2 }, ['partitions: 4 / 2']],
    ['kept for longer', { retentionMs: 5_000 }, ['retention: 1000 ms / 5000 ms']],
    ['compacted', { compacted: true }, ['compaction: not compacted / compacted']],
    ['with copies nobody asked for', { replication: 3 }, []],
  ];
  test.each(cases)('%s', (_, change, expected) => {
    const present = change === null ? [] : [{ ...wanted, ...change }];
    const found = topicDifferences([wanted], present);
    expect(found.map((each) => `${each.what}: ${each.wanted} / ${each.found}`)).toEqual(expected);
  });

  test('copies that were asked for, and retention that has no end', () => {
    const found = topicDifferences(
      [{ name: 'tickets', partitions: 1, replication: 3 }],
      [{ name: 'tickets', partitions: 1, replication: 1, retentionMs: 7 }],
    );
    expect(found.map((each) => `${each.what}: ${each.wanted} / ${each.found}`)).toEqual([
      'retention: for ever / 7 ms',
      'replication: 3 / 1',
    ]);
  });
});
