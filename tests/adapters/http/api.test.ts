import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { InjectOptions } from 'fastify';
import { testApi } from './test-api.ts';
import { DAY_MS } from '../../../src/sales/durations.ts';

const SERIES = encodeURIComponent('day/revenue/store=406');
const FIRST = Date.UTC(2017, 7, 30);

let api: Awaited<ReturnType<typeof testApi>>;
beforeAll(async () => {
  api = await testApi({
    demo: true,
    history: [
      { bucketMs: FIRST, value: 10.5 },
      { bucketMs: FIRST + 2 * DAY_MS, value: 20 },
    ],
  });
});
afterAll(() => api.close());

type Case = [request: string, status: number, expected: unknown, options?: InjectOptions];

async function check(...[request, status, expected, options = {}]: Case) {
  const [method, url] = request.split(' ') as ['GET', string];
  const response = await api.app.inject({ method, url, ...options });
  expect({ status: response.statusCode, body: response.json() }).toMatchObject({ status, body: expected });
  return response;
}

describe('answers', () => {
  const cases: Case[] = [
    ['GET /api/v1/health', 200, { status: 'ok' }],
    ['GET /api/v1/ready', 200, { status: 'ready' }],
    [
      'GET /api/v1/status',
      200,
      { transactions_total: 42, series: 3, roles: [{ role: 'ingest', lag_records: 3 }] },
    ],
    [
      'GET /api/v1/series',
      200,
      {
        items: [
          { series: 'day/revenue/store=381', store: '381', next: 381, nowcast: null },
          { series: 'day/revenue/store=406', nowcast: { sold: 100, mean: 250 } },
          { series: 'day/units/category=COLD%20CEREAL%2FBARS', category: 'COLD CEREAL/BARS' },
        ],
        next: null,
      },
    ],
    ['GET /api/v1/series?q=cereal/bars', 200, { items: [{ category: 'COLD CEREAL/BARS' }] }],
    ['GET /api/v1/series?store=381&measure=revenue', 200, { items: [{ store: '381' }] }],
    ['GET /api/v1/series?granularity=hour', 200, { items: [] }],
    [
      `GET /api/v1/series/${SERIES}/history?from=2017-08-30T00:00:00Z`,
      200,
      {
        currency: 'USD',
        buckets: ['2017-08-30T00:00:00Z', '2017-08-31T00:00:00Z', '2017-09-01T00:00:00Z'],
        values: [10.5, 0, 20],
      },
    ],
    [
      `GET /api/v1/series/${SERIES}/forecast`,
      200,
      { forecast: { series: 'day/revenue/store=406', mean: [406, 406, 406] }, nowcasts: [{ sold: 100 }] },
    ],
    [
      `GET /api/v1/series/${SERIES}/forecast?as_of=2017-08-01T00:00:00Z`,
      200,
      { forecast: { mean: [7, 7, 7] }, nowcasts: [] },
    ],
    [
      `GET /api/v1/series/${encodeURIComponent('day/units/category=COLD%20CEREAL%2FBARS')}/forecast`,
      200,
      { forecast: { category: 'COLD CEREAL/BARS' } },
    ],
    ['GET /api/v1/forecasts?level=store', 200, { items: [{ store: '381' }, { store: '406' }], next: null }],
    [
      'GET /api/v1/forecasts?as_of=2017-08-01T00:00:00Z&store=406',
      200,
      { items: [{ store: '406', mean: [7, 7, 7] }], next: null },
    ],
    ['GET /api/v1/forecasts?as_of=2017-08-01T00:00:00Z&store=nowhere', 200, { items: [], next: null }],
    ['GET /api/v1/accuracy', 200, { items: [] }],
    ['GET /api/v1/demo', 200, { simulated: true, speed: 60, speeds: [1, 60, 600] }],
    ['PUT /api/v1/demo/speed', 200, { speed: 600 }, { payload: { speed: 600 } }],
    [
      'POST /api/v1/demo/events',
      201,
      { id: 'e1', label: 'Promotion 406' },
      { payload: { kind: 'promotion', parameters: { store: '406' } } },
    ],
  ];
  test.each(cases)('%s → %i', async (...args: Case) => {
    await check(...args);
  });
});

describe('refusals are problems that say what to do', () => {
  const cases: Case[] = [
    ['GET /api/v1/nothing', 404, { code: 'NOT_FOUND' }],
    ['GET /nothing', 404, { code: 'NOT_FOUND' }],
    ['DELETE /api/v1/series', 405, { code: 'METHOD_NOT_ALLOWED', remedy: 'Use GET or HEAD.' }],
    ['GET /api/v1/transactions', 405, { code: 'METHOD_NOT_ALLOWED', remedy: 'Use POST.' }],
    [
      'GET /api/v1/series?granularity=week',
      400,
      { errors: [{ message: expect.stringContaining('hour, day') }] },
    ],
    ['GET /api/v1/series?granularty=day', 400, { errors: [{ path: 'querystring/granularty' }] }],
    ['GET /api/v1/series?limit=0', 400, { code: 'BAD_REQUEST' }],
    ['GET /api/v1/series?cursor=%20x', 400, { code: 'USAGE' }],
    ['GET /api/v1/series/nonsense/forecast', 404, { code: 'INPUT_NOT_FOUND' }],
    [
      `GET /api/v1/series/${encodeURIComponent('day/units/total')}/forecast`,
      404,
      { code: 'INPUT_NOT_FOUND' },
    ],
    [`GET /api/v1/series/${SERIES}/history?from=yesterday`, 400, { errors: [{ path: 'querystring/from' }] }],
    [`GET /api/v1/series/${SERIES}/history?from=0001-01-01T00:00:00Z`, 400, { code: 'USAGE' }],
    ['GET /api/v1/series/%E0%A4%A/forecast', 400, { code: 'BAD_REQUEST' }],
    ['POST /api/v1/demo/events', 422, { code: 'INPUT_INVALID' }, { payload: { kind: 'earthquake' } }],
    ['PUT /api/v1/demo/speed', 422, { code: 'INPUT_INVALID' }, { payload: { speed: 7 } }],
    ['PUT /api/v1/demo/speed', 400, { code: 'BAD_REQUEST' }, { payload: {} }],
    ['DELETE /api/v1/demo/events/none', 404, { code: 'INPUT_NOT_FOUND' }],
    ['GET /api/v1/status', 421, { code: 'WRONG_HOST' }, { headers: { host: 'evil.example:80' } }],
    [
      'POST /api/v1/transactions',
      403,
      { code: 'FORBIDDEN_ORIGIN' },
      { payload: {}, headers: { host: 'localhost:1', origin: 'http://evil.example' } },
    ],
  ];
  test.each(cases)('%s → %i', async (...args: Case) => {
    const response = await check(...args);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    const problem = response.json<Record<string, unknown>>();
    expect(Object.keys(problem)).toEqual(
      expect.arrayContaining(['type', 'title', 'status', 'detail', 'instance', 'code', 'remedy']),
    );
    expect(response.body).not.toMatch(/\bat .*:\d+:\d+|node_modules|stack/);
  });
});

test('paging gives every series once', async () => {
  const seen: string[] = [];
  let cursor: string | null = '';
  for (let pages = 0; cursor !== null && pages < 10; pages += 1) {
    const url: string = `/api/v1/series?limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`;
    const page = (await api.app.inject({ method: 'GET', url })).json<{
      items: { series: string }[];
      next: string | null;
    }>();
    seen.push(...page.items.map(({ series }) => series));
    cursor = page.next;
  }
  expect(seen).toEqual(api.latest.sorted().map(({ series }) => series.series));
});

describe('CSV has the names forecasters know', () => {
  const cases: [string, InjectOptions, string][] = [
    [
      `/api/v1/series/${SERIES}/history?format=csv&from=2017-09-01T00:00:00Z`,
      {},
      'unique_id,ds,y\r\nday/revenue/store=406,2017-09-01T00:00:00Z,20\r\n',
    ],
    [
      `/api/v1/series/${SERIES}/forecast`,
      { headers: { accept: 'text/csv' } },
      'unique_id,ds,foretill,foretill-lo-95,foretill-hi-95,foretill-lo-80,foretill-hi-80,foretill-lo-50,foretill-hi-50,foretill-median\r\n' +
        'day/revenue/store=406,2017-09-02T00:00:00Z,406,243.6,568.4,304.5,507.5,357.28,454.72,406\r\n',
    ],
    [
      '/api/v1/forecasts?format=csv&category=COLD%20CEREAL/BARS',
      {},
      'unique_id,ds,foretill,foretill-lo-95,foretill-hi-95,foretill-lo-80,foretill-hi-80,foretill-lo-50,foretill-hi-50,foretill-median\r\n' +
        'day/units/category=COLD%20CEREAL%2FBARS,2017-09-02T00:00:00Z,100,',
    ],
  ];
  test.each(cases)('%s', async (url, options, beginning) => {
    const response = await api.app.inject({ method: 'GET', url, ...options });
    expect(response.headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(response.body.slice(0, beginning.length)).toBe(beginning);
  });
});

test('every answer has security headers, and requests are counted by route', async () => {
  const response = await api.app.inject({ method: 'GET', url: '/' });
  expect(response.statusCode).toBe(200);
  expect(response.headers['content-security-policy']).toContain("default-src 'none'");
  expect(response.headers['x-content-type-options']).toBe('nosniff');
  const metrics = await api.app.inject({ method: 'GET', url: '/metrics' });
  expect(metrics.body).toContain('foretill_http_requests_total{method="GET",route="/",status="200"}');
  expect(metrics.body).not.toContain('store=406');
});

test('files outside of the page cannot be had', async () => {
  for (const url of [
    '/ui/../config.ts',
    '/ui/%2e%2e/config.ts',
    '/ui/..%2f..%2fpackage.json',
    '/ui//etc/passwd',
  ])
    expect((await api.app.inject({ method: 'GET', url })).statusCode).toBeGreaterThanOrEqual(400);
});

test('an error nobody foresaw shows nothing of itself', async () => {
  const broken = await testApi({ accuracy: () => Promise.reject(new TypeError('secret detail')) });
  const response = await broken.app.inject({ method: 'GET', url: '/api/v1/accuracy' });
  expect(response.statusCode).toBe(500);
  expect(response.json()).toMatchObject({ code: 'INTERNAL' });
  expect(response.body).not.toContain('secret detail');
  await broken.close();
});

test('not ready says why', async () => {
  const waking = await testApi({ notReady: ['Forecasts are still being loaded.'] });
  const response = await waking.app.inject({ method: 'GET', url: '/api/v1/ready' });
  expect(response.statusCode).toBe(503);
  expect(response.json()).toMatchObject({ code: 'NOT_READY', detail: 'Forecasts are still being loaded.' });
  expect(response.headers['retry-after']).toBe('5');
  await waking.close();
});
