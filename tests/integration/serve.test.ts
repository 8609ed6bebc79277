import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { insertForecasts } from '../../src/adapters/clickhouse/forecasts-table.ts';
import { manualClock } from '../../src/clock.ts';
import { resolveConfig } from '../../src/config.ts';
import type { ForecastMessage } from '../../src/pipeline/messages.ts';
import { TOPICS } from '../../src/pipeline/topics.ts';
import { openPlatform } from '../../src/platform.ts';
import type { Platform } from '../../src/platform.ts';
import { startServe } from '../../src/roles/serve.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';
import { ticket } from '../adapters/http/test-api.ts';
import { forecastMessage, nowcastMessage, storeSeries } from '../adapters/websocket/forecast-messages.ts';

const DEADLINE_MS = 30_000;
const NOW = Date.UTC(2017, 8, 2, 15, 30);
const ORIGIN = Date.UTC(2017, 8, 1);
const STORE = storeSeries('406');

let dir: string;
let platform: Platform;
const clock = manualClock(NOW);

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'foretill-serve-'));
  const config = resolveConfig({ timeZone: 'America/New_York' });
  platform = await openPlatform({ dir, config, clock, telemetry: createTelemetry({ level: 'silent' }) });
});
afterAll(async () => {
  await platform?.close();
  await rm(dir, { recursive: true, force: true });
});

function serve(port = 0) {
  return startServe({
    ...platform,
    telemetry: createTelemetry({ level: 'silent' }),
    listen: { host: '127.0.0.1', port },
    status: () => ({ roles: [], warmStart: null, transactionsTotal: 0 }),
  });
}

async function publish(...messages: ForecastMessage[]) {
  await platform.log.append(
    TOPICS.forecasts,
    messages.map((message) => ({
      key: Buffer.from(message.series),
      value: platform.codec.encode(TOPICS.forecasts, message),
    })),
  );
}

async function getJson(url: string) {
  const response = await fetch(url);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function until(condition: () => Promise<boolean>, what: string) {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => void setTimeout(resolve, 20));
  }
}

describe('role serve on a real log and store', () => {
  test('is ready when the forecasts of the topic are loaded, follows it, and knows it all again after a restart', async () => {
    const first = await serve();
    expect(await getJson(`${first.url}/api/v1/ready`)).toMatchObject({
      status: 503,
      body: { code: 'NOT_READY' },
    });
    expect(await getJson(`${first.url}/api/v1/health`)).toMatchObject({ status: 200 });

    await publish(forecastMessage({ ...STORE, origin_ms: ORIGIN, value: 7 }));
    await until(async () => (await fetch(`${first.url}/api/v1/ready`)).ok, 'readiness');
    await platform.log.append(TOPICS.forecasts, [{ key: null, value: Buffer.from('no message') }]);
    await publish(nowcastMessage({ ...STORE, origin_ms: ORIGIN, soldSoFar: 3, rest: 5 }));
    const forecastOf = (url: string) =>
      getJson(`${url}/api/v1/series/${encodeURIComponent(STORE.series)}/forecast`);
    const expected = { forecast: { mean: [7, 7, 7] }, nowcasts: [{ sold: 3, mean: 8 }] };
    await until(
      async () => JSON.stringify((await forecastOf(first.url)).body).includes('"sold":3'),
      'the nowcast',
    );
    expect((await forecastOf(first.url)).body).toMatchObject(expected);
    await first.stop();

    const second = await serve();
    await until(async () => (await fetch(`${second.url}/api/v1/ready`)).ok, 'readiness');
    expect((await forecastOf(second.url)).body).toMatchObject(expected);
    await second.stop();
  });

  test('brings a message from the topic to the feed', async () => {
    const running = await serve();
    const ws = new WebSocket(`${running.url.replace('http', 'ws')}/feed`);
    const messages: { type: string; mean?: number }[] = [];
    ws.on('message', (data) => void messages.push(JSON.parse((data as Buffer).toString())));
    await new Promise((resolve) => void ws.once('open', resolve));
    ws.send(JSON.stringify({ type: 'subscribe', id: 'a', filter: { series: [STORE.series] } }));
    await until(async () => messages.some(({ type }) => type === 'snapshot'), 'the snapshot');
    await publish(
      nowcastMessage({ ...STORE, origin_ms: ORIGIN, soldSoFar: 20, rest: 1, issued_at_ms: NOW + 3_600_000 }),
    );
    await until(
      async () => messages.some(({ type, mean }) => type === 'nowcast' && mean === 21),
      'the nowcast',
    );
    await until(async () => messages.some(({ type }) => type === 'status'), 'the status');
    ws.terminate();
    await running.stop();
  });

  test('alerts can be asked for from the beginning; those that come while it runs are also on the feed', async () => {
    const raise = async (id: string): Promise<void> => {
      const { series, granularity, measure, level, store, category, product } = forecastMessage(STORE);
      const alert = {
        series,
        granularity,
        measure,
        level,
        store,
        category,
        product,
        alert_id: id,
        kind: 'drift',
        severity: 'WARNING' as const,
        message: `${id} has shifted.`,
        value: 0.3,
        threshold: null,
        since_ms: ORIGIN,
        resolved_ms: null,
        error_before: 0.1,
        error_after: 0.3,
      };
      const value = platform.codec.encode(TOPICS.alerts, alert);
      await platform.log.append(TOPICS.alerts, [{ key: Buffer.from(id), value }]);
    };
    await raise('before');
    const running = await serve();
    const told = async (): Promise<string[]> => {
      const { body } = await getJson(`${running.url}/api/v1/alerts?store=406`);
      return (body['items'] as { id: string }[]).map(({ id }) => id);
    };
    await until(async () => (await told()).length === 1, 'the alert of before');
    const ws = new WebSocket(`${running.url.replace('http', 'ws')}/feed`);
    const messages: { type: string; id?: string }[] = [];
    ws.on('message', (data) => void messages.push(JSON.parse((data as Buffer).toString())));
    await new Promise((resolve) => void ws.once('open', resolve));
    ws.send(JSON.stringify({ type: 'subscribe', id: 'a', filter: { store: '406' } }));
    await until(async () => messages.some(({ type }) => type === 'snapshot'), 'the snapshot');
    await raise('after');
    const alerts = () => messages.flatMap(({ type, id }) => (type === 'alert' ? [id] : []));
    await until(async () => alerts().length > 0, 'the alert on the feed');
    expect(alerts()).toEqual(['after']);
    expect((await told()).toSorted()).toEqual(['after', 'before']);
    ws.terminate();
    await running.stop();
  });

  test('a transaction is in the log when it is acknowledged', async () => {
    const running = await serve();
    const response = await fetch(`${running.url}/api/v1/transactions`, {
      method: 'POST',
      body: JSON.stringify([ticket(), ticket({ event_id: 'e-2', transaction_id: 't-2' })]),
      headers: { 'content-type': 'application/json' },
    });
    expect({ status: response.status, body: await response.json() }).toEqual({
      status: 202,
      body: { accepted: 2, duplicates: 0, rejected: [] },
    });
    const offsets = await platform.log.offsets(TOPICS.transactions);
    expect([...offsets.values()].reduce((sum, { start, end }) => sum + end - start, 0)).toBe(2);
    await running.stop();
  });

  test('answers from the ledger what was forecast at a past moment', async () => {
    const row = {
      granularity: 'day',
      measure: 'revenue',
      level: 'store',
      series: STORE.series,
      originMs: ORIGIN,
      watermarkMs: ORIGIN,
      kind: 'issue',
      modelVersion: 'test',
      reconciled: true,
      bucketsMs: [ORIGIN + 86_400_000],
      probabilities: [0.1, 0.9],
    } as const;
    const rows = [1, 2].map((day) => ({
      ...row,
      issuedAtMs: ORIGIN + day * 3_600_000,
      mean: [day],
      quantiles: [day - 0.5, day + 0.5],
    }));
    await insertForecasts(platform.store, rows, 'test');
    const running = await serve();
    const at = (instant: string) =>
      getJson(`${running.url}/api/v1/series/${encodeURIComponent(STORE.series)}/forecast?as_of=${instant}`);
    expect(await at('2017-09-01T00:30:00Z')).toMatchObject({ status: 404 });
    expect(await at('2017-09-01T01:30:00Z')).toMatchObject({
      body: { forecast: { mean: [1], quantiles: [[0.5, 1.5]] } },
    });
    expect(await at('2017-09-01T02:30:00Z')).toMatchObject({ body: { forecast: { mean: [2] } } });
    const history = `${running.url}/api/v1/series/${encodeURIComponent(STORE.series)}/history`;
    expect(await getJson(history)).toMatchObject({ status: 200, body: { currency: 'USD', values: [] } });
    expect(await getJson(`${history}?as_of=2017-09-01T00:00:00Z`)).toMatchObject({
      status: 200,
      body: { values: [] },
    });
    expect(await getJson(`${running.url}/api/v1/accuracy`)).toMatchObject({
      status: 200,
      body: { items: [] },
    });
    await running.stop();
  });

  test('a port that is taken is refused with what to do, and leaves nothing running', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => void other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    await expect(serve(port)).rejects.toMatchObject({
      code: 'ADDRESS_IN_USE',
      remedy: expect.stringContaining('--port'),
    });
    await new Promise((resolve) => void other.close(resolve));
    await (await serve(port)).stop();
  });
});
