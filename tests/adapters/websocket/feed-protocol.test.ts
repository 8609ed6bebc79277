import { describe, expect, test } from 'vitest';
import { matches, parseClientMessage } from '../../../src/adapters/websocket/feed-protocol.ts';
import type { FeedFilter } from '../../../src/adapters/websocket/feed-protocol.ts';
import type { SeriesView } from '../../../src/adapters/websocket/forecast-view.ts';

describe('messages of clients', () => {
  const good: [string, unknown, unknown][] = [
    [
      'subscribe to everything',
      { type: 'subscribe', id: 'a' },
      { type: 'subscribe', id: 'a', filter: {}, resume: null },
    ],
    [
      'subscribe with a filter',
      { type: 'subscribe', id: 'a', filter: { granularity: 'day', store: '406' } },
      { type: 'subscribe', id: 'a', filter: { granularity: 'day', store: '406' }, resume: null },
    ],
    [
      'resume',
      { type: 'subscribe', id: 'a', filter: {}, resume: { epoch: 'e', seq: 7 } },
      { type: 'subscribe', id: 'a', filter: {}, resume: { epoch: 'e', seq: 7 } },
    ],
    ['unsubscribe', { type: 'unsubscribe', id: 'a' }, { type: 'unsubscribe', id: 'a' }],
  ];
  test.each(good)('%s', (_, message, expected) => {
    expect(parseClientMessage(JSON.stringify(message))).toEqual({ ok: true, message: expected });
  });

  const refused: [string, string, string][] = [
    ['no JSON', '{', 'BAD_JSON'],
    ['a list', '[]', 'BAD_JSON'],
    ['nothing', '', 'BAD_JSON'],
    ['no id', '{"type":"subscribe"}', 'BAD_MESSAGE'],
    ['an empty id', '{"type":"subscribe","id":""}', 'BAD_MESSAGE'],
    ['a long id', `{"type":"subscribe","id":"${'a'.repeat(65)}"}`, 'BAD_MESSAGE'],
    ['an unknown type', '{"type":"shout","id":"a"}', 'BAD_MESSAGE'],
    ['an unknown filter', '{"type":"subscribe","id":"a","filter":{"shop":"1"}}', 'BAD_FILTER'],
    ['a filter of another type', '{"type":"subscribe","id":"a","filter":{"store":406}}', 'BAD_FILTER'],
    ['an unknown granularity', '{"type":"subscribe","id":"a","filter":{"granularity":"week"}}', 'BAD_FILTER'],
    ['a filter that is a list', '{"type":"subscribe","id":"a","filter":[]}', 'BAD_FILTER'],
    ['__proto__', '{"type":"subscribe","id":"a","filter":{"__proto__":"x"}}', 'BAD_FILTER'],
    [
      'too many series',
      JSON.stringify({ type: 'subscribe', id: 'a', filter: { series: Array.from({ length: 201 }, String) } }),
      'BAD_FILTER',
    ],
    [
      'a resume without an epoch',
      '{"type":"subscribe","id":"a","filter":{},"resume":{"seq":1}}',
      'BAD_MESSAGE',
    ],
    [
      'a broken number',
      '{"type":"subscribe","id":"a","filter":{},"resume":{"epoch":"e","seq":1.5}}',
      'BAD_MESSAGE',
    ],
  ];
  test.each(refused)('%s is refused', (_, text, code) => {
    expect(parseClientMessage(text)).toMatchObject({ ok: false, code });
  });
});

describe('a filter', () => {
  const series: SeriesView = {
    series: 'day/units/store=406/category=BREAD',
    granularity: 'day',
    measure: 'units',
    level: 'store-category',
    store: '406',
    category: 'BREAD',
  };
  const cases: [FeedFilter, boolean][] = [
    [{}, true],
    [{ granularity: 'day' }, true],
    [{ granularity: 'hour' }, false],
    [{ store: '406', category: 'BREAD' }, true],
    [{ store: '406', category: 'MILK' }, false],
    [{ product: '1' }, false],
    [{ series: ['day/units/total', 'day/units/store=406/category=BREAD'] }, true],
    [{ series: ['day/units/total'] }, false],
    [{ series: [] }, false],
    [{ series: ['day/units/store=406/category=BREAD'], measure: 'revenue' }, false],
  ];
  test.each(cases)('%j → %s', (filter, expected) => {
    expect(matches(filter, series)).toBe(expected);
  });
});
