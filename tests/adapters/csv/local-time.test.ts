import { describe, expect, test } from 'vitest';
import { instantOfText, isoDateOf } from '../../../src/adapters/csv/local-time.ts';
import type { DateOrder } from '../../../src/adapters/csv/local-time.ts';

const NEW_YORK = 'America/New_York';

describe('times', () => {
  test.each<readonly [string, string, string, DateOrder]>([
    ['2017-01-01T07:26:30', '2017-01-01T12:26:30.000Z', NEW_YORK, 'iso'],
    ['2017-07-01 07:26', '2017-07-01T11:26:00.000Z', NEW_YORK, 'iso'],
    ['2017-07-01 07:26:30.25', '2017-07-01T07:26:30.250Z', 'UTC', 'iso'],
    ['2017-07-01', '2017-07-01T04:00:00.000Z', NEW_YORK, 'iso'],
    ['2017-07-01T07:26:30Z', '2017-07-01T07:26:30.000Z', NEW_YORK, 'iso'],
    ['2017-07-01T07:26:30+05:30', '2017-07-01T01:56:30.000Z', NEW_YORK, 'iso'],
    ['12/1/2010 8:26', '2010-12-01T08:26:00.000Z', 'Europe/London', 'mdy'],
    ['1.12.2010 08:26', '2010-12-01T08:26:00.000Z', 'Europe/London', 'dmy'],
    ['3/4/2020 12:05 AM', '2020-03-04T00:05:00.000Z', 'UTC', 'mdy'],
    ['3/4/2020 12:05 pm', '2020-03-04T12:05:00.000Z', 'UTC', 'mdy'],
    // The clock went from 02:00 to 03:00: a reading between them is the jump.
    ['2017-03-12T02:30:00', '2017-03-12T07:00:00.000Z', NEW_YORK, 'iso'],
    // From 02:00 back to 01:00: the first of the two.
    ['2017-11-05T01:30:00', '2017-11-05T05:30:00.000Z', NEW_YORK, 'iso'],
    ['2020-02-29T12:00:00', '2020-02-29T12:00:00.000Z', 'UTC', 'iso'],
  ])('%s is %s', (text, expected, timeZone, order) => {
    const ms = instantOfText(text, { timeZone, order });
    expect(ms === null ? null : new Date(ms).toISOString()).toBe(expected);
  });

  test.each([
    '',
    'yesterday',
    '2017-02-29 10:00',
    '2017-13-01 10:00',
    '2017-01-01 24:00',
    '2017-01-01 10:61',
    '13:05',
    '17-1-1 10:00',
  ])('%j is none', (text) => {
    expect(instantOfText(text, { timeZone: 'UTC', order: 'iso' })).toBeNull();
  });
});

test.each<readonly [string, DateOrder, string | null]>([
  ['2020-02-29', 'iso', '2020-02-29'],
  ['29.2.2020', 'dmy', '2020-02-29'],
  ['2/29/2020', 'mdy', '2020-02-29'],
  ['29.2.2019', 'dmy', null],
  ['2/29/2020', 'dmy', null],
])('the date %s as %s is %s', (text, order, expected) => {
  expect(isoDateOf(text, order)).toBe(expected);
});
