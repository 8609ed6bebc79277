/**
 * Role serve: follows the forecast topic and answers for it: the WebSocket feed, the HTTP API, the live page and
 * /metrics, all on one port. It writes nothing but the transactions that are sent to it.
 */
import { createAccess } from '../adapters/http/access.ts';
import type { ListenOptions } from '../adapters/http/access.ts';
import { createAlertBook } from '../adapters/http/alert-book.ts';
import { createApi } from '../adapters/http/api.ts';
import type { DemoControls } from '../adapters/http/demo-controls.ts';
import { createForecastStore } from '../adapters/http/forecast-store.ts';
import { listen } from '../adapters/http/listen.ts';
import { statusView } from '../adapters/http/status-view.ts';
import { rolesNotReady } from '../adapters/http/system-status.ts';
import type { SystemStatus } from '../adapters/http/system-status.ts';
import { createTransactionIntake } from '../adapters/http/transaction-intake.ts';
import type { Store } from '../adapters/clickhouse/client.ts';
import { createFeed } from '../adapters/websocket/feed.ts';
import { createLatest } from '../adapters/websocket/latest.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { Codec } from '../pipeline/codec.ts';
import type { Log } from '../pipeline/log.ts';
import type { ParseContext } from '../sales/parse-context.ts';
import { parseTransactionJson } from '../sales/parse-transaction.ts';
import { toTransactionMessage } from '../sales/to-transaction-message.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { createAccuracyMonitor } from './accuracy-monitor.ts';
import { followAlerts, followForecasts } from './follow-topics.ts';
import packageJson from '../../package.json' with { type: 'json' };

export type ServeDeps = {
  readonly log: Log;
  readonly store: Store;
  readonly codec: Codec;
  readonly config: Config;
  /** The clock that stamps the log's records. */
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly listen: ListenOptions;
  /** Of the stores as ingest knows them; without it all stores have the chain's calendar. */
  readonly calendarOf?: ParseContext['calendarOf'];
  readonly demo?: DemoControls;
  status(): SystemStatus;
};

const STATUS_EVERY_MS = 1_000;

/**
 * Resolves when it listens; forecasts may still be loading then (see /ready). Errors: ADDRESS_NEEDS_TOKEN,
 * ADDRESS_IN_USE, and USAGE for an address that this machine has not.
 */
export async function startServe(deps: ServeDeps): Promise<{ url: string; stop(): Promise<void> }> {
  const { config, telemetry } = deps;
  const access = createAccess(deps.listen);
  const demo = deps.demo ?? null;
  const clock = demo ?? deps.clock;
  const store = createForecastStore({ store: deps.store, config, clock });
  const latest = createLatest({
    seriesMax: config.seriesMax,
    onDropped: () => telemetry.events.dropped({ what: 'series_max', count: 1 }),
  });
  const feed = createFeed({ config: config.feed, telemetry, latest });
  const accuracy = createAccuracyMonitor({ store, telemetry });
  telemetry.events.roleStarted({ role: 'serve' });
  const forecasts = followForecasts({ ...deps, latest, feed });
  const book = createAlertBook({
    alertsMax: config.http.alertsMax,
    onDropped: () => telemetry.events.dropped({ what: 'http.alertsMax', count: 1 }),
  });
  const alerts = followAlerts({ ...deps, feed, book });
  const version = packageJson.version;
  const startedMs = clock.nowMs();
  const status = () =>
    statusView({ version, startedMs, config, clock, latest, feed, demo, status: () => deps.status() });

  const notReady = async () => [
    ...forecasts.notReady(),
    ...((await store.ping()) ? [] : ['The store does not answer.']),
    ...rolesNotReady(deps.status()),
  ];
  const app = await createApi({
    version,
    config,
    clock,
    telemetry,
    access,
    latest,
    store,
    feed,
    demo,
    status,
    notReady,
    alerts: book,
    accuracy: () => accuracy.read(),
    intake: createTransactionIntake({
      log: deps.log,
      codec: deps.codec,
      config: config.http,
      read: (item) => readTransaction(item, deps),
    }),
  });

  const ticks = setInterval(() => {
    forecasts.notReady();
    if (feed.clients === 0) return;
    const body = JSON.stringify(status());
    feed.publish({ type: 'status', series: null, key: 'status', body: () => body });
  }, STATUS_EVERY_MS);
  const stop = async () => {
    clearInterval(ticks);
    accuracy.stop();
    await Promise.all([forecasts.stop(), alerts.stop()]);
    await feed.close();
    await app.close();
    telemetry.events.roleStopped({ role: 'serve' });
  };
  try {
    return { url: await listen(app, deps.listen), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function readTransaction(item: unknown, deps: ServeDeps) {
  const { config } = deps;
  const parsed = parseTransactionJson(item, {
    currency: config.currency,
    calendarOf: deps.calendarOf ?? ((_store, timeZone) => chainCalendar(config, timeZone)),
    recordTimestampMs: deps.clock.nowMs(),
    futureSkewMsMax: config.futureSkewMsMax,
    earliestTimeMs: config.earliestTimeMs,
    businessDateSkewDaysMax: config.businessDateSkewDaysMax,
  });
  return parsed.ok ? { ok: true as const, message: toTransactionMessage(parsed.transaction) } : parsed;
}

function chainCalendar(config: Config, timeZone: string | undefined) {
  return {
    timeZone: timeZone ?? config.timeZone,
    businessDayStartMinutes: config.businessDayStartMinutes,
  };
}
