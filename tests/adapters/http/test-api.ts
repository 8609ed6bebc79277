/** The API over small data held in memory: forecasts of a chain of two stores, a log that takes records or refuses. */
import { createAccess } from '../../../src/adapters/http/access.ts';
import type { ListenOptions } from '../../../src/adapters/http/access.ts';
import { createAlertBook } from '../../../src/adapters/http/alert-book.ts';
import { createApi } from '../../../src/adapters/http/api.ts';
import type { DemoControls, InjectedEvent } from '../../../src/adapters/http/demo-controls.ts';
import type { ForecastStore, HistoryRow } from '../../../src/adapters/http/forecast-store.ts';
import { statusView } from '../../../src/adapters/http/status-view.ts';
import { createTransactionIntake } from '../../../src/adapters/http/transaction-intake.ts';
import { createCodec } from '../../../src/adapters/avro/codec.ts';
import { createFeed } from '../../../src/adapters/websocket/feed.ts';
import { forecastView } from '../../../src/adapters/websocket/forecast-view.ts';
import { createLatest } from '../../../src/adapters/websocket/latest.ts';
import { manualClock } from '../../../src/clock.ts';
import { resolveConfig } from '../../../src/config.ts';
import type { Config } from '../../../src/config.ts';
import { ForetillError } from '../../../src/errors.ts';
import type { OutgoingRecord } from '../../../src/pipeline/log.ts';
import { parseTransactionJson } from '../../../src/sales/parse-transaction.ts';
import { toTransactionMessage } from '../../../src/sales/to-transaction-message.ts';
import { createTelemetry } from '../../../src/telemetry/telemetry.ts';
import { forecastMessage, nowcastMessage, storeSeries } from '../websocket/forecast-messages.ts';

export const NOW = Date.UTC(2017, 8, 2, 15, 30);
const ORIGIN = Date.UTC(2017, 8, 1);

export type TestApiOptions = {
  readonly listen?: ListenOptions;
  readonly config?: Partial<Config>;
  readonly append?: (records: readonly OutgoingRecord[]) => Promise<void>;
  readonly history?: readonly HistoryRow[];
  readonly demo?: boolean;
  readonly notReady?: readonly string[];
  readonly accuracy?: ForecastStore['accuracy'];
};

export async function testApi(options: TestApiOptions = {}) {
  const config = resolveConfig(options.config);
  const clock = manualClock(NOW);
  const telemetry = createTelemetry({ level: 'silent' });
  const latest = createLatest({ seriesMax: 100, onDropped: () => {} });
  for (const store of ['406', '381'])
    latest.apply(forecastMessage({ ...storeSeries(store), origin_ms: ORIGIN, value: Number(store) }));
  latest.apply(nowcastMessage({ ...storeSeries('406'), origin_ms: ORIGIN, soldSoFar: 100, rest: 150 }));
  latest.apply(
    forecastMessage({
      series: 'day/units/category=COLD%20CEREAL%2FBARS',
      granularity: 'day',
      measure: 'units',
      level: 'category',
      category: 'COLD CEREAL/BARS',
      origin_ms: ORIGIN,
    }),
  );
  const feed = createFeed({ config: config.feed, telemetry, latest });
  const written: OutgoingRecord[] = [];
  const intake = createTransactionIntake({
    codec: await createCodec(),
    config: config.http,
    log: {
      async append(_topic, records) {
        await options.append?.(records);
        written.push(...records);
        return records.map((_record, offset) => ({ partition: 0, offset }));
      },
    },
    read(item) {
      const parsed = parseTransactionJson(item, {
        currency: config.currency,
        calendarOf: () => ({ timeZone: 'America/New_York', businessDayStartMinutes: 0 }),
        recordTimestampMs: clock.nowMs(),
        futureSkewMsMax: config.futureSkewMsMax,
        earliestTimeMs: config.earliestTimeMs,
        businessDateSkewDaysMax: config.businessDateSkewDaysMax,
      });
      return parsed.ok ? { ok: true, message: toTransactionMessage(parsed.transaction) } : parsed;
    },
  });
  const store: ForecastStore = {
    history: async ({ fromMs, toMs }) =>
      (options.history ?? []).filter(({ bucketMs }) => bucketMs >= fromMs && bucketMs < toMs),
    forecastsAsOf: async ({ series }) =>
      series?.includes('day/revenue/store=406') === true
        ? [forecastView(forecastMessage({ ...storeSeries('406'), value: 7 }))]
        : [],
    accuracy: options.accuracy ?? (async () => []),
    ping: async () => true,
  };
  const demo = options.demo === true ? testDemo() : null;
  const alerts = createAlertBook({ alertsMax: 100, onDropped: () => {} });
  const app = await createApi({
    version: '1',
    config,
    clock,
    telemetry,
    access: createAccess(options.listen ?? { host: '127.0.0.1', port: 0 }),
    intake,
    latest,
    store,
    feed,
    demo,
    alerts,
    accuracy: () => store.accuracy(),
    notReady: async () => options.notReady ?? [],
    status: () =>
      statusView({
        version: '0.0.0',
        startedMs: NOW,
        config,
        clock,
        latest,
        feed,
        demo,
        status: () => ({
          roles: [
            {
              role: 'ingest',
              ready: true,
              lagRecords: 3,
              watermarkMs: NOW - 60_000,
              lastError: null,
              waitsFor: null,
            },
          ],
          warmStart: null,
          transactionsTotal: 42,
        }),
      }),
  });
  const close = async () => {
    await feed.close();
    await app.close();
  };
  return { app, written, telemetry, latest, feed, alerts, close };
}

function testDemo(): DemoControls {
  let speed = 60;
  let active: InjectedEvent[] = [];
  return {
    label: 'Simulated chain of 2 stores',
    simulated: true,
    nowMs: () => NOW,
    speed: () => speed,
    speeds: [1, 60, 600],
    setSpeed: (value) => void (speed = value),
    progress: () => null,
    injectable: [{ kind: 'promotion', label: 'Promotion', description: 'Sells more.', parameters: [] }],
    inject(kind, parameters) {
      if (kind !== 'promotion')
        throw new ForetillError('INPUT_INVALID', `There is no event "${kind}".`, {
          remedy: 'Use promotion.',
        });
      const event = {
        id: 'e1',
        kind,
        label: `Promotion ${parameters['store'] ?? ''}`,
        startedMs: NOW,
        endsMs: null,
      };
      active = [...active, event];
      return event;
    },
    active: () => active,
    stop(id) {
      const before = active.length;
      active = active.filter((event) => event.id !== id);
      return active.length < before;
    },
  };
}

/** A ticket as a till would send it. */
export function ticket(overrides: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    event_id: 'e-1',
    transaction_id: 't-1',
    type: 'SALE',
    store_id: '406',
    end_time: '2017-09-02T11:29:00-04:00',
    currency: 'USD',
    lines: [{ sku: '1041453', quantity: '1', net_amount: '1.43' }],
    ...overrides,
  };
}
