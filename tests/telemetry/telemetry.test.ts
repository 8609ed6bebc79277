import { describe, expect, test } from 'vitest';
import { ForetillError } from '../../src/errors.ts';
import { METRICS } from '../../src/telemetry/metrics.ts';
import { createTelemetry, logLevelFrom } from '../../src/telemetry/telemetry.ts';

function capture(level: 'debug' | 'info' | 'warn' | 'error' | 'silent', format: 'human' | 'json') {
  const lines: string[] = [];
  const telemetry = createTelemetry({ level, format, write: (line) => lines.push(line) });
  return { telemetry, lines };
}

describe('log lines', () => {
  const redacted: [string, Record<string, unknown>, string][] = [
    ['a token', { token: 'hunter2' }, 'hunter2'],
    [
      'an Authorization header, nested',
      { request: { headers: { Authorization: 'Bearer hunter2' } } },
      'hunter2',
    ],
    ['a password in a list', { users: [{ password: 'hunter2' }] }, 'hunter2'],
    ['a cookie', { cookie: 'session=hunter2' }, 'hunter2'],
  ];
  for (const format of ['human', 'json'] as const) {
    test.each(redacted)(`never hold %s (${format})`, (_, fields, secret) => {
      const { telemetry, lines } = capture('info', format);
      telemetry.log.info('Something', fields);
      expect(lines).toHaveLength(1);
      expect(lines[0]).not.toContain(secret);
      expect(lines[0]).toContain('[redacted]');
    });
  }

  test('are one JSON object a line, with errors as code, message and remedy but no stack', () => {
    const { telemetry, lines } = capture('info', 'json');
    const error = new ForetillError('DISK_FULL', 'No room in the data directory.', { remedy: 'Free some.' });
    telemetry.events.roleFailed({ role: 'ingest', error });
    const line = JSON.parse(lines[0]!) as Record<string, unknown>;
    expect(line).toMatchObject({ level: 'error', message: 'Role failed', role: 'ingest' });
    expect(line['error']).toEqual({
      name: 'ForetillError',
      code: 'DISK_FULL',
      message: 'No room in the data directory.',
      remedy: 'Free some.',
    });
    expect(lines[0]!.endsWith('\n')).toBe(true);
    expect(lines[0]).not.toContain(' at ');
  });

  test.each([
    ['debug', 4],
    ['info', 3],
    ['warn', 2],
    ['error', 1],
    ['silent', 0],
  ] as const)('below %s are not written', (level, expected) => {
    const { telemetry, lines } = capture(level, 'human');
    telemetry.log.debug('a');
    telemetry.log.info('b');
    telemetry.log.warn('c');
    telemetry.log.error('d');
    expect(lines).toHaveLength(expected);
  });
});

describe('log level from the environment', () => {
  test.each([
    [undefined, 'info'],
    ['debug', 'debug'],
    ['silent', 'silent'],
  ])('%s means %s', (word, level) => {
    expect(logLevelFrom({ FORETILL_LOG: word })).toBe(level);
  });
  test('an unknown word is refused with the words there are', () => {
    expect(() => logLevelFrom({ FORETILL_LOG: 'loud' })).toThrow(/"loud"/);
  });
});

describe('metrics', () => {
  test('a happening shows in the exposition', async () => {
    const { telemetry } = capture('silent', 'json');
    telemetry.events.transactionsRefused({ reason: 'time_in_future', count: 3, example: 'ends in 2036' });
    telemetry.events.transactionsRefused({ reason: 'time_in_future', count: 2, example: 'ends in 2036' });
    const { text } = await telemetry.metrics.exposition();
    expect(text).toContain('foretill_ingest_rejected_total{reason="time_in_future"} 5');
  });

  test.each(Object.entries(METRICS))('%s is named by Prometheus conventions', (name, definition) => {
    expect(name).toMatch(/^foretill_[a-z0-9_]+$/);
    expect(name.endsWith('_total')).toBe(definition.type === 'counter');
    if (definition.type === 'histogram') expect(name).toMatch(/_seconds$/);
    expect(definition.help).toMatch(/\.$/);
    for (const label of definition.labels) expect(label).not.toMatch(/product|series|client|event_id/);
  });
});
