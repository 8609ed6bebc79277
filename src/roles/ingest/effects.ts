/** The effects of reading, in the order that makes repeating them harmless: each may be the last that happens. */
import { randomUUID } from 'node:crypto';
import { amendBuckets } from '../../adapters/clickhouse/amend-buckets.ts';
import { closeBuckets } from '../../adapters/clickhouse/close-buckets.ts';
import type { Store } from '../../adapters/clickhouse/client.ts';
import { insertTransactions } from '../../adapters/clickhouse/transactions-table.ts';
import type { Clock } from '../../clock.ts';
import type { Config } from '../../config.ts';
import { eventHeaders } from '../../pipeline/cloud-events.ts';
import type { Codec } from '../../pipeline/codec.ts';
import type { CommittedOffset, Log, TopicPartition } from '../../pipeline/log.ts';
import type { BucketMessage } from '../../pipeline/messages.ts';
import { deadLetterTopic, TOPICS } from '../../pipeline/topics.ts';
import type { RefusalReason } from '../../telemetry/events.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import { appendDeadLetters } from '../dead-letter.ts';
import type { Refused } from './read-batch.ts';
import type { Work } from './work.ts';

export type EffectDeps = {
  readonly log: Log;
  readonly store: Store;
  readonly codec: Codec;
  readonly config: Config;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly commit: (offset: TopicPartition & CommittedOffset) => Promise<void>;
};

/**
 * Tells the running totals, at once: they are hints, right as soon as the tickets are in the log, and told again when
 * these are read again. What must not be told before it is true, watermarks and amended buckets, is left for later.
 */
export async function tellTotals(messages: readonly BucketMessage[], deps: EffectDeps): Promise<void> {
  const totals = messages.filter(({ open }) => open.length > 0);
  await publish(
    totals.map((message) => ({ ...message, watermark_ms: null, amended: [] })),
    deps,
  );
}

/** What is left of the messages once their totals have been told. */
export function withoutTotals(messages: readonly BucketMessage[]): BucketMessage[] {
  return messages
    .filter(({ amended }, at) => amended.length > 0 || at === messages.length - 1)
    .map((message) => ({ ...message, open: [] }));
}

/** Dead letters, insert, amend, close, publish, commit. */
export async function performEffects(work: Work, deps: EffectDeps): Promise<void> {
  await writeDeadLetters(work.refused, deps);
  await insertRows(work, deps);
  await amendAndClose(work, deps);
  await publish(work.messages, deps);
  if (work.commit !== null) await deps.commit({ ...work.place, ...work.commit });
}

async function writeDeadLetters(refused: readonly Refused[], { log, telemetry }: EffectDeps): Promise<void> {
  if (refused.length === 0) return;
  const letters = refused.map(({ letter }) => letter);
  await appendDeadLetters(log, deadLetterTopic(TOPICS.transactions), letters);
  telemetry.events.deadLettersWritten({ count: refused.length });
  const reasons = new Map<RefusalReason, Refused[]>();
  for (const each of refused) reasons.set(each.reason, [...(reasons.get(each.reason) ?? []), each]);
  for (const [reason, list] of reasons) {
    telemetry.events.transactionsRefused({ reason, count: list.length, example: list[0]?.message ?? '' });
  }
}

async function insertRows(
  { place, rows, first, commit }: Work,
  { store, telemetry }: EffectDeps,
): Promise<void> {
  if (rows.count === 0) return;
  const token = `${place.topic}:${place.partition}:${first}-${commit?.offset}`;
  const sinceMs = performance.now();
  await insertTransactions(store, rows, token);
  const seconds = (performance.now() - sinceMs) / 1000;
  telemetry.events.storeInserted({ table: 'transactions', rows: rows.count, seconds });
}

async function amendAndClose(work: Work, deps: EffectDeps): Promise<void> {
  const { place, amend, close, watermarkMs } = work;
  const { store, clock, telemetry } = deps;
  const { businessDateSkewDaysMax, transactionPartitions } = deps.config;
  const recordedAtMs = clock.nowMs();
  const { hours, days } = amend;
  if (hours.length + days.length > 0) {
    const sinceMs = performance.now();
    await amendBuckets(store, { hours, days, recordedAtMs, businessDateSkewDaysMax });
    const seconds = (performance.now() - sinceMs) / 1000;
    telemetry.events.bucketsAmended({ buckets: work.amended, seconds });
  }
  if (close !== null) {
    const sinceMs = performance.now();
    await closeBuckets(store, {
      ...close,
      partition: { index: place.partition, count: transactionPartitions },
      recordedAtMs,
      businessDateSkewDaysMax,
    });
    const seconds = (performance.now() - sinceMs) / 1000;
    telemetry.events.bucketsClosed({ buckets: work.closed, seconds });
  }
  if (watermarkMs !== null) {
    telemetry.events.watermarkMoved({ partition: place.partition, watermarkMs, nowMs: clock.nowMs() });
  }
}

const headersOf = eventHeaders(TOPICS.buckets, 'ingest');

/** Every shard hears everything: which of it concerns its series, it knows itself. */
async function publish(
  messages: readonly BucketMessage[],
  { log, codec, config, clock }: EffectDeps,
): Promise<void> {
  if (messages.length === 0) return;
  const timeMs = clock.nowMs();
  const values = messages.flatMap((message) => encodeInParts(message, { codec, config }));
  const records = values.map((value) => ({ value, headers: headersOf(randomUUID(), timeMs) }));
  const shards = [...Array(config.shards).keys()];
  await log.append(
    TOPICS.buckets,
    shards.flatMap((shard) =>
      records.map((record) => ({ ...record, key: Buffer.from(`shard-${shard}`), partition: shard })),
    ),
  );
}

/** Names may be long: a message too large for the log goes in two, the watermark with the last. */
function encodeInParts(message: BucketMessage, deps: Pick<EffectDeps, 'codec' | 'config'>): Buffer[] {
  const value = deps.codec.encode(TOPICS.buckets, message);
  const { open, amended } = message;
  if (value.length <= deps.config.bucketMessageBytesMax || open.length + amended.length < 2) return [value];
  const cut = Math.ceil((open.length + amended.length) / 2);
  const amends = Math.max(0, cut - open.length);
  const first = {
    ...message,
    open: open.slice(0, cut),
    amended: amended.slice(0, amends),
    watermark_ms: null,
  };
  const rest = { ...message, open: open.slice(cut), amended: amended.slice(amends) };
  return [...encodeInParts(first, deps), ...encodeInParts(rest, deps)];
}
