import { describe, expect, test } from 'vitest';
import { createCodec } from '../../../src/adapters/avro/codec.ts';
import { ForetillError } from '../../../src/errors.ts';
import { TOPICS } from '../../../src/pipeline/topics.ts';
import { testApi, ticket } from './test-api.ts';
import type { TestApiOptions } from './test-api.ts';

type Api = Awaited<ReturnType<typeof testApi>>;

async function withApi(options: TestApiOptions, use: (api: Api) => Promise<void>) {
  const api = await testApi(options);
  try {
    await use(api);
  } finally {
    await api.close();
  }
}

function post(api: Api, payload: unknown, headers: Record<string, string> = {}) {
  return api.app.inject({
    method: 'POST',
    url: '/api/v1/transactions',
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
    headers: { 'content-type': 'application/json', ...headers },
  });
}

describe('transactions', () => {
  const good = (n: number) => ticket({ event_id: `e-${n}`, transaction_id: `t-${n}` });
  const bad = ticket({ event_id: 'bad', lines: [{ sku: '1', quantity: 'two', net_amount: '1.00' }] });
  const cases: [string, unknown, number, object, number][] = [
    ['one', good(1), 202, { accepted: 1, duplicates: 0, rejected: [] }, 1],
    ['a list', [good(1), good(2)], 202, { accepted: 2 }, 2],
    ['a list in an object', { transactions: [good(1), good(2)] }, 202, { accepted: 2 }, 2],
    ['the same twice in one request', [good(1), good(1)], 202, { accepted: 1, duplicates: 1 }, 1],
    [
      'a good one beside a bad one',
      [bad, good(1)],
      202,
      { accepted: 1, rejected: [{ index: 0, event_id: 'bad', problems: [{ path: 'lines[0].quantity' }] }] },
      1,
    ],
    [
      'another revision under the same event',
      [good(1), { ...good(1), revision: 1 }],
      202,
      { accepted: 2 },
      2,
    ],
    [
      'the same event number in another store',
      [good(1), { ...good(1), store_id: '9' }],
      202,
      { accepted: 2 },
      2,
    ],
    [
      'only bad ones',
      [bad, 7],
      422,
      { code: 'INPUT_INVALID', errors: [{ path: '/0/lines[0].quantity' }, { path: '/1' }] },
      0,
    ],
    ['none', [], 400, { code: 'BAD_REQUEST' }, 0],
    ['null', null, 422, { code: 'INPUT_INVALID' }, 0],
    ['no JSON', '{', 400, { code: 'BAD_JSON' }, 0],
    ['an empty body', '', 400, { code: 'BAD_REQUEST' }, 0],
    ['a prototype', '{"__proto__": {"x": 1}}', 400, { code: 'BAD_JSON' }, 0],
  ];
  test.each(cases)('%s', (_, payload, status, expected, written) =>
    withApi({}, async (api) => {
      const response = await post(api, payload);
      expect({ status: response.statusCode, body: response.json() }).toMatchObject({
        status,
        body: expected,
      });
      expect(api.written).toHaveLength(written);
    }),
  );

  test('goes into the log under its store, in the wire format, with exact money', () =>
    withApi({}, async (api) => {
      await post(api, ticket({ lines: [{ sku: '1', quantity: '1.255', net_amount: '0.30' }] }));
      const record = api.written[0]!;
      expect(record.key?.toString()).toBe('406');
      const message = (await createCodec()).decode(TOPICS.transactions, record.value!);
      expect(message).toMatchObject({
        event_id: 'e-1',
        business_date: '2017-09-02',
        lines: [{ quantity_thousandths: 1255, net_amount_minor: 30 }],
      });
    }));

  test('another kind of body is refused', () =>
    withApi({}, async (api) => {
      const response = await post(api, 'a,b', { 'content-type': 'text/csv' });
      expect(response.statusCode).toBe(415);
      expect(response.json()).toMatchObject({ code: 'UNSUPPORTED_MEDIA_TYPE' });
    }));

  test('too many and too large are refused with the limit', async () => {
    const base = {
      requestMsMax: 30_000,
      idleSocketMsMax: 75_000,
      historyRowsMax: 100,
      alertsMax: 10,
    };
    const http = { ...base, bodyBytesMax: 2_000, transactionsPerRequestMax: 2, recentEventIdsMax: 10 };
    await withApi({ config: { http } }, async (api) => {
      expect((await post(api, [good(1), good(2), good(3)])).json()).toMatchObject({
        status: 413,
        code: 'TOO_MANY_TRANSACTIONS',
      });
      expect((await post(api, 'x'.repeat(2_001))).json()).toMatchObject({
        status: 413,
        code: 'BODY_TOO_LARGE',
      });
      expect(api.written).toHaveLength(0);
    });
  });

  const failures = [
    ['LOG_UNAVAILABLE', 503],
    ['DISK_FULL', 507],
  ] as const;
  test.each(failures)(
    '%s: nothing is acknowledged, and the same again is taken later',
    async (code, status) => {
      let fails = true;
      const append = async () => {
        if (fails) throw new ForetillError(code, 'The log failed.', { remedy: 'Later.' });
      };
      await withApi({ append }, async (api) => {
        const refused = await post(api, good(1));
        expect(refused.json()).toMatchObject({ status, code, remedy: 'Later.' });
        expect(refused.headers['retry-after']).toBe('5');
        fails = false;
        expect((await post(api, good(1))).json()).toMatchObject({ accepted: 1, duplicates: 0 });
        expect((await post(api, good(1))).json()).toMatchObject({ accepted: 0, duplicates: 1 });
      });
    },
  );

  test('sent at the same time twice it is written once, and both wait for the disk', async () => {
    const { promise: disk, resolve: diskDone } = Promise.withResolvers<void>();
    const { promise: writing, resolve: begins } = Promise.withResolvers<void>();
    const append = () => {
      begins();
      return disk;
    };
    await withApi({ append }, async (api) => {
      const answers: number[] = [];
      const both = [post(api, good(1)), post(api, good(1))].map(async (response) => {
        answers.push((await response).statusCode);
        return (await response).json<{ accepted: number; duplicates: number }>();
      });
      await writing;
      expect(answers).toEqual([]);
      diskDone();
      const receipts = await Promise.all(both);
      expect(receipts.map(({ accepted }) => accepted).sort((a, b) => a - b)).toEqual([0, 1]);
      expect(receipts.map(({ duplicates }) => duplicates).sort((a, b) => a - b)).toEqual([0, 1]);
      expect(api.written).toHaveLength(1);
    });
  });

  test('a duplicate of what failed is not acknowledged', async () => {
    const { promise: disk, reject: diskFails } = Promise.withResolvers<void>();
    const { promise: writing, resolve: begins } = Promise.withResolvers<void>();
    const append = () => {
      begins();
      return disk;
    };
    await withApi({ append }, async (api) => {
      const both = [post(api, good(1)), post(api, good(1))];
      await writing;
      diskFails(new ForetillError('LOG_UNAVAILABLE', 'The log failed.', { remedy: 'Later.' }));
      expect((await Promise.all(both)).map(({ statusCode }) => statusCode)).toEqual([503, 503]);
    });
  });
});
