import { expect, test } from 'vitest';
import { originalRecord, readLetter } from '../../../src/commands/dlq/letter.ts';
import { hexdump } from '../../../src/commands/dlq/hexdump.ts';
import { instant, printable } from '../../../src/commands/dlq/printable.ts';
import { letterOf, LETTERS, START_MS } from './letters.ts';

const PLACE = { topic: LETTERS, partition: 0 };

function read(record: ReturnType<typeof letterOf>): ReturnType<typeof readLetter> {
  return readLetter(PLACE, { headers: {}, ...record, offset: 3, timestampMs: START_MS });
}

test('a letter says where it came from and why', () => {
  const { headers: _, key: __, value: ___, ...facts } = read(letterOf());
  expect(facts).toEqual({
    ...PLACE,
    offset: 3,
    refusedAtMs: START_MS,
    origin: { topic: 'retail.pos.transaction.v1', partition: 1, offset: 7, timestampMs: START_MS - 1 },
    stage: 'parse',
    reason: 'malformed',
    error: 'It is wrong.',
    omitted: null,
    replays: 0,
  });
});

test('one that others wrote says what can be known', () => {
  const odd = { 'foretill-partition': Buffer.from('many'), 'foretill-replays': Buffer.from('-1') };
  expect(
    readLetter(PLACE, { offset: 0, timestampMs: 1, key: null, value: null, headers: odd }),
  ).toMatchObject({
    origin: { topic: 'retail.pos.transaction.v1', partition: null, offset: null, timestampMs: null },
    stage: 'unknown',
    reason: 'unknown',
    error: '',
    replays: 0,
  });
});

test('the record goes back as it was, and counts', () => {
  const headers = { ce_id: Buffer.from('7'), 'foretill-note': Buffer.from('mine') };
  const once = originalRecord(read(letterOf({ headers })), 4);
  expect(once).toEqual({
    key: Buffer.from('406'),
    value: Buffer.from('x'),
    headers: { ...headers, 'foretill-replays': Buffer.from('1') },
    partition: 1,
  });
  const again = originalRecord(read(letterOf({ headers: once.headers ?? {} })), 4);
  expect(again.headers).toEqual({ ...headers, 'foretill-replays': Buffer.from('2') });
});

test('where its partition is no more, its key chooses', () => {
  expect(originalRecord(read(letterOf()), 1)).not.toHaveProperty('partition');
});

test.each([
  ['', ''],
  ['till', `00000000  74 69 6c 6c${' '.repeat(39)}|till|`],
  ['sixteen bytes ok', '00000000  73 69 78 74 65 65 6e 20  62 79 74 65 73 20 6f 6b  |sixteen bytes ok|'],
  ['\u0000\u007fé', `00000000  00 7f c3 a9${' '.repeat(39)}|....|`],
])('hexdump of %j', (text, expected) => {
  expect(hexdump(Buffer.from(text))).toBe(expected);
});

test('a long hexdump counts on', () => {
  const lines = hexdump(Buffer.alloc(40, 0x61)).split('\n');
  expect(lines.map((line) => line.slice(0, 8))).toEqual(['00000000', '00000010', '00000020']);
  expect(lines[2]).toContain('|aaaaaaaa|');
});

test('what would steer a terminal is not printed', () => {
  expect(printable('a\u001b[2J\u0007\nb\u202ec\ud800é')).toBe('a�[2J��b�c�é');
  expect(instant(START_MS)).toBe('2017-03-14T00:00:00.000Z');
  expect(instant(1e18)).toBe('1000000000000000000');
});
