/**
 * Structured log lines: for people on a terminal, JSON (one object a line) otherwise. Values under names that look
 * like secrets are never written, however deep they lie.
 */
import type { Clock } from '../clock.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type LogFields = Readonly<Record<string, unknown>>;

/** `message` is a constant sentence; what varies goes into the fields. */
export type Logger = {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
};

export type LogOptions = {
  readonly level: LogLevel;
  readonly format: 'human' | 'json';
  readonly clock: Clock;
  readonly write: (line: string) => void;
};

const SECRET = /token|secret|password|authorization|cookie|api_?key|card|pan$/i;
const DEPTH_MAX = 5;

export function createLogger(options: LogOptions): Logger {
  const threshold = LOG_LEVELS.indexOf(options.level);
  const format = options.format === 'human' ? humanLine : jsonLine;
  const at = (level: LogLevel) => {
    if (LOG_LEVELS.indexOf(level) < threshold) return () => {};
    return (message: string, fields: LogFields = {}) =>
      options.write(format(new Date(options.clock.nowMs()), level, message, redact(fields, 0) as LogFields));
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function jsonLine(time: Date, level: LogLevel, message: string, fields: LogFields): string {
  return `${JSON.stringify({ time: time.toISOString(), level, message, ...fields })}\n`;
}

function humanLine(time: Date, level: LogLevel, message: string, fields: LogFields): string {
  const details = Object.entries(fields).map(([name, value]) => `${name}=${humanValue(value)}`);
  return `${time.toISOString().slice(11, 23)} ${level.padEnd(5)} ${[message, ...details].join('  ')}\n`;
}

function humanValue(value: unknown): string {
  if (typeof value === 'number' && !Number.isInteger(value)) return value.toPrecision(4);
  if (typeof value === 'string') return /\s/.test(value) ? JSON.stringify(value) : value;
  return JSON.stringify(value) ?? 'undefined';
}

/** A copy that JSON can hold, without secrets; an error becomes its name, code and message, never its stack. */
function redact(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Error) return errorFields(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEPTH_MAX) return '…';
  if (value instanceof Uint8Array) return `${value.byteLength} bytes`;
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      SECRET.test(name) ? '[redacted]' : redact(item, depth + 1),
    ]),
  );
}

function errorFields(error: Error): LogFields {
  const { code, remedy } = error as { code?: unknown; remedy?: unknown };
  return {
    name: error.name,
    ...(code === undefined ? {} : { code }),
    message: error.message,
    ...(remedy === undefined ? {} : { remedy }),
  };
}
