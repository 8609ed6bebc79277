import type { KafkaLimits } from '../../config.ts';
import { retryDelayMs } from '../clickhouse/retry.ts';

/** Milliseconds between a failed attempt (they count from 1) and the next. */
export function pauseMs(attempt: number, limits: KafkaLimits): number {
  return retryDelayMs(attempt, {
    baseMs: limits.retryDelayMs,
    maxMs: limits.retryDelayMsMax,
    random: Math.random,
  });
}
