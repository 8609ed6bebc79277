import { describe, expect, it } from 'vitest';
import {
  isAuthorised,
  parseEngineRequest,
  parseRawInsert,
  placeholders,
} from '../../../src/adapters/clickhouse/engine-protocol.ts';

const parse = (search: string, body = '') =>
  parseEngineRequest(new URLSearchParams(search), Buffer.from(body));

describe('a request', () => {
  it('has its statement in the body or in the address, then the body is its rows', () => {
    expect(parse('', 'SELECT 1')).toMatchObject({ sql: 'SELECT 1', data: null });
    expect(parse('query=SELECT+1')).toMatchObject({ sql: 'SELECT 1', data: null });
    expect(parse('query=INSERT', '[1]')).toMatchObject({ sql: 'INSERT', data: Buffer.from('[1]') });
  });

  it('tells parameters from settings, and leaves out what is neither', () => {
    const request = parse(
      'database=d&query_id=q&param_x=1&param_y=%5Ct&max_threads=2&wait_end_of_query=1&role=r',
    );
    expect(request.database).toBe('d');
    expect([...request.params]).toEqual([
      ['x', '1'],
      ['y', '\\t'],
    ]);
    expect([...request.settings]).toEqual([['max_threads', '2']]);
  });

  it.each(['a b=1', "max_threads'=1", 'param_a;b=1', '1a=1'])(
    'with a name that is none (%s) is refused',
    (search) => {
      expect(() => parse(search)).toThrow(/not a name/);
    },
  );
});

it.each<[string, ReturnType<typeof parseRawInsert>]>([
  ['INSERT INTO t FORMAT JSONEachRow', { table: 't', columns: null, format: 'JSONEachRow' }],
  ['insert into d.t (a, lines.b)\nFORMAT CSV;', { table: 'd.t', columns: ['a', 'lines.b'], format: 'CSV' }],
  ['INSERT INTO t SELECT 1', null],
  ['INSERT INTO t (* EXCEPT (a)) FORMAT CSV', null],
  ['SELECT 1 FORMAT CSV', null],
  ['INSERT INTO t FORMAT CSV; DROP TABLE t', null],
])('the insert %j', (sql, parts) => {
  expect(parseRawInsert(sql)).toEqual(parts);
});

it('the placeholders of a statement', () => {
  expect(placeholders("SELECT {a:UInt8}, { b : Array(String)} FROM {c:Identifier} WHERE x = '{'")).toEqual([
    'a',
    'b',
    'c',
  ]);
});

describe('credentials', () => {
  const account = { username: 'u', password: 'p:ä' };
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
  it.each<[string, Record<string, string>, boolean]>([
    ['basic', basic('u:p:ä'), true],
    ['headers', { 'x-clickhouse-user': 'u', 'x-clickhouse-key': 'p:ä' }, true],
    ['none', {}, false],
    ['a wrong password', basic('u:p:a'), false],
    ['another user', basic('v:p:ä'), false],
    ['a part', basic('u:p'), false],
    ['half of the headers', { 'x-clickhouse-user': 'u' }, false],
    ['another scheme', { authorization: 'Bearer u:p:ä' }, false],
  ])('%s', (_what, headers, expected) => {
    expect(isAuthorised(headers, account)).toBe(expected);
  });
});
