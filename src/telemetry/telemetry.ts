/**
 * What every role is handed for being seen from outside: `telemetry.events.batchIngested({ … })` for a happening that
 * is in the catalogue (src/telemetry/events.ts), `telemetry.log.info('sentence', { fields })` for the rest. Made once,
 * in main; tests make their own with `level: 'silent'`.
 */
import { collectDefaultMetrics } from 'prom-client';
import { ForetillError } from '../errors.ts';
import { systemClock } from '../clock.ts';
import { createEvents } from './events.ts';
import type { Events } from './events.ts';
import { createLogger, LOG_LEVELS } from './log.ts';
import type { Logger, LogLevel } from './log.ts';
import { createMetrics } from './metrics.ts';
import type { Metrics } from './metrics.ts';

export type Telemetry = {
  readonly events: Events;
  readonly log: Logger;
  readonly metrics: Metrics;
};

export type TelemetryOptions = {
  readonly level: LogLevel;
  /** Default: human on a terminal, JSON otherwise. */
  readonly format?: 'human' | 'json';
  /** Default: standard error, so that standard output stays free for what a command prints. */
  readonly write?: (line: string) => void;
  /** Also export Node's own metrics (memory, event loop, garbage collection). */
  readonly processMetrics?: boolean;
};

export function createTelemetry(options: TelemetryOptions): Telemetry {
  const log = createLogger({
    level: options.level,
    format: options.format ?? (process.stderr.isTTY ? 'human' : 'json'),
    clock: systemClock,
    write: options.write ?? ((line) => void process.stderr.write(line)),
  });
  const metrics = createMetrics();
  if (options.processMetrics === true) collectDefaultMetrics({ register: metrics.registry });
  return { events: createEvents(log, metrics), log, metrics };
}

/** The level of `FORETILL_LOG` (debug, info, warn, error, silent; default info); throws USAGE for another word. */
export function logLevelFrom(environment: Readonly<Record<string, string | undefined>>): LogLevel {
  const word = environment['FORETILL_LOG'] ?? 'info';
  const level = LOG_LEVELS.find((known) => known === word);
  if (level !== undefined) return level;
  throw new ForetillError('USAGE', `FORETILL_LOG is "${word}", which is not a log level.`, {
    remedy: `Set it to one of ${LOG_LEVELS.join(', ')}.`,
  });
}
