/**
 * Reads the forecast topic (it is compacted: the latest of every series) and the alert topic from their beginning, and
 * hands what is new to the feed. A log that fails is tried again from where reading stopped.
 */
import type { Clock } from '../clock.ts';
import type { AlertBook } from '../adapters/http/alert-book.ts';
import type { DemoControls } from '../adapters/http/demo-controls.ts';
import type { Feed } from '../adapters/websocket/feed.ts';
import type { Latest } from '../adapters/websocket/latest.ts';
import { alertView } from '../adapters/websocket/alert-view.ts';
import { scoreView } from '../adapters/websocket/forecast-view.ts';
import { DecodeError } from '../pipeline/codec.ts';
import type { Codec } from '../pipeline/codec.ts';
import type { Batch, Log, TailOptions } from '../pipeline/log.ts';
import type { ForecastMessage, MessageOfTopic, Topic } from '../pipeline/messages.ts';
import { TOPICS } from '../pipeline/topics.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

type FollowDeps = {
  readonly log: Log;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly feed: Feed;
  readonly demo?: DemoControls;
};

export type Following = {
  /** What is missing, in sentences; empty when all that was in the topic at the start has been read. */
  notReady(): readonly string[];
  stop(): Promise<void>;
};

const BATCH_RECORDS_MAX = 500;
const RETRY_MS = 5_000;

export function followForecasts(deps: FollowDeps & { readonly latest: Latest }): Following {
  const { latest, feed } = deps;
  const startedMs = performance.now();
  let wasReady = false;
  let newestEventMs = -Infinity;
  const reader = follow(deps, TOPICS.forecasts, (message) => {
    const change = latest.apply(message);
    if (change === null) return;
    const { series } = change.entry.series;
    const key = change.kind === 'forecast' ? series : `${series} ${change.bucket}`;
    feed.publish({ type: change.kind, series: change.entry.series, key, body: change.json });
    if (change.kind === 'forecast') {
      const body = () => JSON.stringify(scoreView(message));
      feed.publish({ type: 'score', series: change.entry.series, key: `${series} score`, body });
    }
    const { event_ms: eventMs } = message;
    if (eventMs === null || eventMs <= newestEventMs) return;
    newestEventMs = eventMs;
    if (reader.caughtUp()) measureLatency(deps, message.kind, eventMs);
  });
  const notReady = () => {
    if (reader.failure() !== null) return [`The forecast topic cannot be read: ${reader.failure()}`];
    if (!reader.caughtUp()) return ['Forecasts are still being loaded.'];
    if (latest.size === 0) return ['There are no forecasts yet.'];
    if (!wasReady)
      deps.telemetry.events.roleReady({ role: 'serve', seconds: (performance.now() - startedMs) / 1000 });
    wasReady = true;
    return [];
  };
  return { notReady, stop: () => reader.stop() };
}

export function followAlerts(deps: FollowDeps & { readonly book: AlertBook }): Pick<Following, 'stop'> {
  const reader = follow(deps, TOPICS.alerts, (message) => {
    deps.book.apply(message);
    // From before the start: to be asked for, but no news.
    if (!reader.caughtUp()) return;
    const view = alertView(message);
    deps.feed.publish({
      type: 'alert',
      series: view.about,
      key: null,
      body: () => JSON.stringify(view.body),
    });
  });
  return reader;
}

/**
 * From a sale being in the log to the first message that knows of it: what comes later says nothing new about it. On an
 * accelerated clock in real seconds.
 */
function measureLatency(deps: FollowDeps, kind: ForecastMessage['kind'], eventMs: number): void {
  const seconds = (deps.clock.nowMs() - eventMs) / 1000 / (deps.demo?.speed() ?? 1);
  deps.telemetry.events.feedLatencyMeasured({
    kind: kind === 'NOWCAST' ? 'nowcast' : 'forecast',
    seconds: Math.max(0, seconds),
  });
}

function follow<T extends Topic>(
  deps: FollowDeps,
  topic: T,
  onMessage: (message: MessageOfTopic[T]) => void,
) {
  const next = new Map<number, number>();
  let goal: Map<number, number> | null = null;
  let failure: string | null = null;
  let tail: { stop(): Promise<void> } | null = null;
  let retry: NodeJS.Timeout | null = null;
  let stopped = false;

  const eachBatch = async (batch: Batch): Promise<void> => {
    const values = batch.records.map(({ value }) => value);
    await deps.codec.prepare(topic, values);
    for (const value of values) {
      const message = value === null ? null : decode(deps, topic, value);
      if (message !== null) onMessage(message);
    }
    const last = batch.records.at(-1);
    if (last !== undefined) next.set(batch.partition, last.offset + 1);
  };

  const start = async (): Promise<void> => {
    const options: TailOptions = {
      topic,
      from: next.size === 0 ? 'earliest' : new Map(next),
      batchRecordsMax: BATCH_RECORDS_MAX,
    };
    try {
      goal ??= new Map(
        [...(await deps.log.offsets(topic))]
          .filter(([, { start, end }]) => end > start)
          .map(([partition, { end }]) => [partition, end]),
      );
      tail = await deps.log.tail(options, { eachBatch, onCrash: fail });
      failure = null;
      if (stopped) await tail.stop();
    } catch (error) {
      fail(error);
    }
  };

  const fail = (error: unknown): void => {
    if (stopped) return;
    failure = error instanceof Error ? error.message : String(error);
    deps.telemetry.events.roleFailed({ role: 'serve', error });
    tail = null;
    retry = setTimeout(() => void start(), RETRY_MS);
  };

  const started = start();
  return {
    failure: () => failure,
    caughtUp: () => goal !== null && [...goal].every(([partition, end]) => (next.get(partition) ?? 0) >= end),
    async stop() {
      stopped = true;
      if (retry !== null) clearTimeout(retry);
      await started;
      await tail?.stop();
    },
  };
}

/** Null, and a line in the log, for bytes that are no message: one such record must not end the feed. */
function decode<T extends Topic>(deps: FollowDeps, topic: T, value: Buffer): MessageOfTopic[T] | null {
  try {
    return deps.codec.decode(topic, value);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    deps.telemetry.events.dropped({ what: `undecodable_${error.reason}`, count: 1 });
    return null;
  }
}
