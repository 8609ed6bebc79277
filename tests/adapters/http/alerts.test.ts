import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAlertBook } from '../../../src/adapters/http/alert-book.ts';
import type { AlertMessage } from '../../../src/pipeline/messages.ts';
import { testApi } from './test-api.ts';

function alert(id: string, change: Partial<AlertMessage> = {}): AlertMessage {
  return {
    alert_id: id,
    kind: 'drift',
    severity: 'WARNING',
    series: 'day/units/store=406',
    granularity: 'day',
    measure: 'units',
    level: 'store',
    store: '406',
    category: null,
    product: null,
    message: 'Sales of store 406 run 34 % above their usual level.',
    value: 0.34,
    threshold: null,
    since_ms: Date.UTC(2017, 2, 14),
    resolved_ms: null,
    error_before: 0.08,
    error_after: 0.31,
    ...change,
  };
}

let api: Awaited<ReturnType<typeof testApi>>;
beforeAll(async () => {
  api = await testApi();
  api.alerts.apply(alert('old', { since_ms: 1_000, resolved_ms: 2_000 }));
  api.alerts.apply(alert('a'));
  api.alerts.apply(alert('b', { since_ms: Date.UTC(2017, 2, 15), store: '9', series: 'day/units/store=9' }));
});
afterAll(() => api.close());

test.each([
  ['', ['b', 'a']],
  ['?state=all', ['b', 'a', 'old']],
  ['?store=9', ['b']],
  ['?level=category', []],
  ['?state=all&limit=1', ['b']],
])('/alerts%s gives %o', async (query, expected) => {
  const response = await api.app.inject({ method: 'GET', url: `/api/v1/alerts${query}` });
  expect(response.json<{ items: { id: string }[] }>().items.map(({ id }) => id)).toEqual(expected);
});

test('an alert is told as on the feed', async () => {
  const response = await api.app.inject({ method: 'GET', url: '/api/v1/alerts?store=406' });
  expect(response.json()).toEqual({
    items: [
      {
        series: 'day/units/store=406',
        granularity: 'day',
        measure: 'units',
        level: 'store',
        store: '406',
        id: 'a',
        kind: 'drift',
        severity: 'warning',
        message: 'Sales of store 406 run 34 % above their usual level.',
        value: 0.34,
        threshold: null,
        since: '2017-03-14T00:00:00Z',
        resolved: null,
        error_before: 0.08,
        error_after: 0.31,
      },
    ],
  });
});

test.each(['?state=closed', '?limit=0', '?nonsense=1'])('/alerts%s is refused', async (query) => {
  const response = await api.app.inject({ method: 'GET', url: `/api/v1/alerts${query}` });
  expect(response.statusCode).toBe(400);
});

test('read twice it is the same, also when a first message comes again behind the last', () => {
  const book = createAlertBook({ alertsMax: 10, onDropped: () => {} });
  const over = alert('a', { resolved_ms: 9 });
  for (const message of [alert('a'), over, alert('a'), over]) book.apply(message);
  expect(book.list()).toEqual([over]);
});

test('forgets what is over first, then the oldest, and counts only the latter', () => {
  let dropped = 0;
  const book = createAlertBook({ alertsMax: 2, onDropped: () => void (dropped += 1) });
  const ids = () => book.list().map(({ alert_id }) => alert_id);
  book.apply(alert('a', { since_ms: 1 }));
  book.apply(alert('b', { since_ms: 2, resolved_ms: 3 }));
  book.apply(alert('c', { since_ms: 3 }));
  expect(ids()).toEqual(['c', 'a']);
  expect(dropped).toBe(0);
  book.apply(alert('d', { since_ms: 4 }));
  expect(ids()).toEqual(['d', 'c']);
  expect(dropped).toBe(1);
});
