import { expect, test } from 'vitest';
import { resolveConfig } from '../../src/config.ts';
import { GRANULARITY_SYMBOLS, granularityOfSymbol } from '../../src/pipeline/messages.ts';
import { deadLetterTopic, TOPICS, topicSpecs } from '../../src/pipeline/topics.ts';
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
