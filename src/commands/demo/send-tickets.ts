/** The tills of a demonstration: tickets go into the topic as they would from anywhere else, when their time has come. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../clock.ts';
import { TOPICS } from '../../pipeline/topics.ts';
import { transactionRecorder } from '../../pipeline/transaction-record.ts';
import type { Platform } from '../../platform.ts';
import type { Feed } from './feed.ts';

export type SendOptions = {
  readonly platform: Pick<Platform, 'log' | 'codec'>;
  readonly feed: Feed;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** After tickets have become durable, and now and then in between: the place to go on from. */
  readonly onSent: (sent: number, nowMs: number) => void;
  /** Once, at the end of the data. */
  readonly onEnded: (endMs: number) => void;
};

const TICK_MS = 50;
/** How often the place is kept while nothing is sold. */
const IDLE_SAVE_MS = 1_000;

/** Resolves when the signal aborts; rejects when the log does not take what is sent. */
export async function sendTickets({
  platform,
  feed,
  clock,
  signal,
  onSent,
  onEnded,
}: SendOptions): Promise<void> {
  const { log } = platform;
  const recordOf = transactionRecorder(platform.codec, 'demo');
  let ended = false;
  let savedMs = performance.now();
  while (!signal.aborted) {
    const nowMs = clock.nowMs();
    const messages = await feed.due(nowMs);
    if (messages.length > 0) {
      await log.append(TOPICS.transactions, messages.map(recordOf));
    }
    if (messages.length > 0 || performance.now() - savedMs > IDLE_SAVE_MS) {
      savedMs = performance.now();
      onSent(messages.length, nowMs);
    }
    const endMs = feed.endedAtMs();
    if (endMs !== null && !ended) {
      ended = true;
      onEnded(endMs);
    }
    if (messages.length === 0) await delay(TICK_MS, undefined, { signal }).catch(() => {});
  }
}
