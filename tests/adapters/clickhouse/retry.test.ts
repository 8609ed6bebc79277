import { ClickHouseError } from '@clickhouse/client';
import { describe, expect, it } from 'vitest';
import { failureKind } from '../../../src/adapters/clickhouse/retry.ts';

const answered = (code: string, message = 'said so') => new ClickHouseError({ code, message, type: 'T' });

describe('a failure', () => {
  it.each<[string, unknown, ReturnType<typeof failureKind>]>([
    ['a cut connection', Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }), 'passing'],
    [
      'an engine that is not up yet',
      Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
      'passing',
    ],
    ['a time-out', new Error('Timeout error.'), 'passing'],
    ['a proxy that answers for a server', new Error('<html>502 Bad Gateway'), 'passing'],
    ['an answer cut short', new SyntaxError('Unexpected end of JSON input'), 'passing'],
    ['too many parts', answered('252'), 'passing'],
    ['a statement that took too long', answered('159'), 'passing'],
    ['a statement that a stopping server ended', answered('394'), 'passing'],
    ['a keeper that is away', answered('999'), 'passing'],
    ['a syntax error', answered('62'), 'refused'],
    ['a wrong password', answered('516'), 'refused'],
    ['a full disk', answered('243', 'Cannot reserve 1.65 MiB, not enough space.'), 'disk-full'],
    ['a full disk seen by the system', answered('76', 'errno: 28, No space left on device'), 'disk-full'],
    ['a value without a JSON form', new TypeError('Do not know how to serialize a BigInt'), 'bug'],
    ['no error at all', 'text', 'bug'],
  ])('%s', (_what, error, kind) => {
    expect(failureKind(error)).toBe(kind);
  });
});
