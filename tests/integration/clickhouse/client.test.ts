import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Store, Table } from '../../../src/adapters/clickhouse/client.ts';
import { openStore } from '../../../src/adapters/clickhouse/client.ts';
import { DEFAULT_CONFIG } from '../../../src/config.ts';
import type { StoreLimits } from '../../../src/config.ts';
import { startCuttingProxy } from './cutting-proxy.ts';
import type { CuttingProxy } from './cutting-proxy.ts';
import { useEngine } from './engine-fixture.ts';

const fixture = useEngine();
const EVENTS: Table = { name: 'events', columns: ['id', 'name', 'amount'] };

async function withEvents(url?: string): Promise<Store> {
  const store = await fixture.openDatabase(url === undefined ? {} : { url });
  await store.command(`CREATE TABLE events (id UInt64, name String, amount Int64)
    ENGINE = MergeTree ORDER BY id SETTINGS non_replicated_deduplication_window = 100`);
  return store;
}

const count = async (store: Store): Promise<number> =>
  (await store.query<{ n: number }>('SELECT count() AS n FROM events'))[0]!.n;

describe('values come back as they were given', () => {
  const texts = [
    '',
    ' ',
    "O'Neil",
    'tab\tnewline\nbackslash\\',
    '{x:String}',
    'ä€😀',
    "'; DROP TABLE events; --",
    '\\N',
    '\0',
  ];

  it.each(texts)('text %j as a parameter', async (text) => {
    const store = await fixture.openDatabase();
    expect(
      await store.query('SELECT {text:String} AS text, length({text:String}) AS bytes', { text }),
    ).toEqual([{ text, bytes: Buffer.byteLength(text) }]);
  });

  it('texts and integers as rows and as arrays of parameters', async () => {
    const store = await withEvents();
    const rows = texts.map((text, id) => [id, text, (id % 2 === 0 ? 1 : -1) * Number.MAX_SAFE_INTEGER]);
    await store.insert(EVENTS, rows, { token: 'texts' });
    const columns = await store.queryColumns<{ id: number[]; name: string[]; amount: number[] }>(
      'SELECT * FROM events WHERE name IN {names:Array(String)} AND id IN {ids:Array(UInt64)} ORDER BY id',
      { names: texts, ids: rows.map((_, id) => id) },
    );
    expect(columns.name).toEqual(texts);
    expect(columns.amount).toEqual(rows.map((row) => row[2]));
  });

  it('floats to the bit', async () => {
    const store = await fixture.openDatabase();
    await store.command('CREATE TABLE floats (i UInt32, x Float64) ENGINE = MergeTree ORDER BY i');
    const floats = Array.from({ length: 2_000 }, (_, i) => Math.sin(i + 1) * 10 ** ((i % 30) - 15));
    await store.insert(
      { name: 'floats', columns: ['i', 'x'] },
      floats.map((x, i) => [i, x]),
      { token: 'floats' },
    );
    const { x } = await store.queryColumns<{ x: number[] }>('SELECT x FROM floats ORDER BY i');
    expect(x).toEqual(floats);
  });

  it.each(['9007199254740992', '-9007199254740993', '9223372036854775807'])(
    'an integer that a number cannot hold (%s) is an error, not a near miss',
    async (value) => {
      const store = await fixture.openDatabase();
      const sql = 'SELECT toInt64({value:String}) AS total, [total] AS totals';
      await expect(store.query(sql, { value })).rejects.toMatchObject({ code: 'STORE_REJECTED' });
      await expect(store.queryColumns(sql, { value })).rejects.toMatchObject({ code: 'STORE_REJECTED' });
    },
  );
});

describe('what the engine refuses', () => {
  it.each([
    ['a statement with a mistake', 'SELEC 1', /Syntax error/],
    ['a missing table', 'SELECT * FROM nowhere', /nowhere/],
    ['a parameter not given', 'SELECT {missing:String}', /missing/],
    ['a parameter an earlier statement had', 'SELECT {text:String} AS text', /text.* is not set/],
  ])('%s', async (_what, sql, message) => {
    const store = await fixture.openDatabase();
    // So that every session of the engine has had the parameter.
    await Promise.all(
      Array.from({ length: 32 }, (_, i) => store.query('SELECT {text:String} AS t', { text: `${i}` })),
    );
    await expect(store.query(sql)).rejects.toMatchObject({
      code: 'STORE_REJECTED',
      message: expect.stringMatching(message),
    });
  });

  it('rows that do not fit, naming the table', async () => {
    const store = await withEvents();
    await expect(store.insert(EVENTS, [[1, 'a', 'many']], { token: 'bad' })).rejects.toMatchObject({
      code: 'STORE_REJECTED',
      message: expect.stringMatching(/1 rows into events.*amount/s),
    });
    expect(await count(store)).toBe(0);
  });

  it('a wrong password', async () => {
    const { url, username } = fixture.engine();
    await expect(
      openStore({ url, username, password: 'guess', limits: DEFAULT_CONFIG.store }),
    ).rejects.toMatchObject({ code: 'STORE_REJECTED', message: expect.stringMatching(/Authentication/) });
  });

  it('a request without credentials, whatever it asks', async () => {
    const answer = await fetch(`${fixture.engine().url}/?query=SELECT%201`, { method: 'POST' });
    expect([answer.status, answer.headers.get('x-clickhouse-exception-code')]).toEqual([403, '516']);
  });
});

describe('statements side by side', () => {
  it('each see their own parameters, settings and database', async () => {
    const stores = await Promise.all([fixture.openDatabase(), fixture.openDatabase()]);
    const asked = Array.from({ length: 120 }, (_, i) => i);
    const answers = await Promise.all(
      asked.map((i) =>
        stores[i % 2]!.query<{ i: number; database: string }>(
          `SELECT {i:UInt32} AS i, currentDatabase() AS database SETTINGS max_threads = ${1 + (i % 2)}`,
          { i },
        ),
      ),
    );
    expect(answers.map(([row]) => row!.i)).toEqual(asked);
    const databases = answers.map(([row]) => row!.database);
    expect(new Set(databases.filter((_, i) => i % 2 === 0)).size).toBe(1);
    expect(new Set(databases).size).toBe(2);
  });

  it('are refused when too many wait', async () => {
    const { url, username, password } = fixture.engine();
    const limits = { ...DEFAULT_CONFIG.store, inFlightMax: 1, waitingMax: 2 };
    const store = await openStore({ url, username, password, database: 'default', limits });
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => store.query('SELECT 1 AS one')));
    await store.close();
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    expect((results[4] as PromiseRejectedResult).reason).toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});

describe('an insert', () => {
  it('with the same token stores its rows once', async () => {
    const store = await withEvents();
    for (let i = 0; i < 3; i++) await store.insert(EVENTS, [[1, 'a', 1]], { token: 'one' });
    await store.insert(EVENTS, [[2, 'b', 2]], { token: 'two' });
    expect(await count(store)).toBe(2);
  });

  it('whose acknowledgement is lost is sent again and stores its rows once', async () => {
    const proxy = await startCuttingProxy(fixture.engine().url);
    const store = await withEvents(proxy.url);
    for (let batch = 0; batch < 5; batch++) {
      proxy.cutNext(batch % 3);
      const rows = Array.from({ length: 100 }, (_, i) => [batch * 100 + i, `row ${i}`, i]);
      await store.insert(EVENTS, rows, { token: `batch ${batch}` });
    }
    expect(proxy.cuts()).toBe(4);
    expect(await store.query('SELECT count() AS n, uniqExact(id) AS ids FROM events')).toEqual([
      { n: 500, ids: 500 },
    ]);
    await store.close();
    await proxy.close();
  });

  it('may come gzipped', async () => {
    const store = await withEvents();
    const { url, username, password } = fixture.engine();
    const [row] = await store.query<{ database: string }>('SELECT currentDatabase() AS database');
    const query = 'INSERT INTO events (id, name, amount) FORMAT JSONCompactEachRow';
    const answer = await fetch(`${url}/?database=${row!.database}&query=${encodeURIComponent(query)}`, {
      method: 'POST',
      headers: {
        Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
        'Content-Encoding': 'gzip',
      },
      body: gzipSync('[1,"zipped",5]\n'),
    });
    expect(answer.status).toBe(200);
    expect(await store.query('SELECT * FROM events')).toEqual([{ id: 1, name: 'zipped', amount: 5 }]);
  });
});

describe('a store that does not answer', () => {
  async function openThrough(
    url: string,
    limits: Partial<StoreLimits>,
    onRetry: (retry: { attempt: number }) => void = () => undefined,
  ): Promise<Store> {
    const { username, password } = fixture.engine();
    const store = { url, username, password, database: 'default' };
    return openStore({ ...store, limits: { ...DEFAULT_CONFIG.store, ...limits }, onRetry });
  }

  it('is reported after the last attempt', async () => {
    const proxy = await startCuttingProxy(fixture.engine().url);
    const retries: number[] = [];
    const store = await openThrough(proxy.url, { attemptsMax: 3, retryDelayMs: 1 }, ({ attempt }) =>
      retries.push(attempt),
    );
    proxy.cutNext(100);
    const asking = store.query('SELECT 1 AS one');
    await expect(asking).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
    expect(retries).toEqual([1, 2]);
    await store.close();
    await proxy.close();
  });

  it('is waited for at the start for as long as a request may take, however often', async () => {
    const proxy = await startCuttingProxy(fixture.engine().url);
    proxy.cutNext(20);
    const store = await openThrough(proxy.url, { attemptsMax: 3, retryDelayMsMax: 5 });
    expect(await store.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    proxy.cutNext(Infinity);
    await expect(
      openThrough(proxy.url, { attemptsMax: 3, requestsMsMax: 500, pingMsMax: 100 }),
    ).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await store.close();
    await proxy.close();
  });

  it('because it hangs is reported in time, to who waits for his turn as well, and works again afterwards', async () => {
    const proxy = await startCuttingProxy(fixture.engine().url);
    const store = await openThrough(proxy.url, {
      inFlightMax: 1,
      requestsMsMax: 1_000,
      pingMsMax: 100,
    });
    proxy.hang();
    const asked = [1, 2, 3].map(() => store.query('SELECT 1 AS one'));
    for (const { status, reason } of (await Promise.allSettled(asked)) as PromiseRejectedResult[]) {
      expect(status).toBe('rejected');
      expect(reason).toMatchObject({
        code: 'STORE_UNAVAILABLE',
        message: expect.stringContaining('nothing was heard of it for 1 s'),
      });
    }
    expect(await store.ping()).toBe(false);
    proxy.goOn();
    expect(await store.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await store.close();
    await proxy.close();
  });

  it('because it is busy with a long statement is waited for', async () => {
    const { url } = fixture.engine();
    const store = await openThrough(url, { inFlightMax: 1, requestsMsMax: 500, pingMsMax: 50 });
    expect(await store.query('SELECT sleep(2) AS slept')).toEqual([{ slept: 0 }]);
    await store.close();
  });

  it('to a statement in its own time is not asked again and again', async () => {
    const proxy = await startCuttingProxy(fixture.engine().url);
    const retries: number[] = [];
    const limits = { requestMsMax: 1_000, requestsMsMax: 700, pingMsMax: 50 };
    const store = await openThrough(proxy.url, limits, ({ attempt }) => retries.push(attempt));
    const asking = store.query('SELECT sleep(3) AS slept SETTINGS max_execution_time = 60');
    await expect(asking).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(retries).toEqual([]);
    await store.close();
    await proxy.close();
  });

  it.each([
    ['is away', { takeAway: (proxy: CuttingProxy) => proxy.cutNext(Infinity), isRetried: true }],
    ['hangs', { takeAway: (proxy: CuttingProxy) => proxy.hang(), isRetried: false }],
  ])('because it %s keeps nobody from closing', async (_, { takeAway, isRetried }) => {
    const proxy = await startCuttingProxy(fixture.engine().url);
    const retried = Promise.withResolvers<void>();
    const store = await openThrough(
      proxy.url,
      { inFlightMax: 2, attemptsMax: Infinity, retryDelayMs: 20_000, retryDelayMsMax: 20_000 },
      () => retried.resolve(),
    );
    takeAway(proxy);
    const asked = [1, 2, 3].map(() => store.query('SELECT 1 AS one'));
    const ended = Promise.allSettled(asked);
    if (isRetried) await retried.promise;
    await store.close();
    for (const { reason } of (await ended) as PromiseRejectedResult[]) {
      expect(reason).toMatchObject({
        code: 'STORE_UNAVAILABLE',
        message: expect.stringContaining('it was closed here'),
      });
    }
    await expect(store.query('SELECT 1 AS one')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await proxy.close();
  });

  it('does not answer a ping either', async () => {
    const proxy = await startCuttingProxy(fixture.engine().url);
    const store = await fixture.openDatabase({ url: proxy.url });
    expect(await store.ping()).toBe(true);
    proxy.cutNext(1);
    expect(await store.ping()).toBe(false);
    await store.close();
    await proxy.close();
  });
});
