/**
 * Role serve: follows the forecast topic and answers for it: the WebSocket feed, the HTTP API, the live page and
 * /metrics, all on one port. It writes nothing but the transactions that are sent to it.
 */
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { createAccess } from '../adapters/http/access.ts';
import type { ListenOptions } from '../adapters/http/access.ts';
import type { DemoControls } from '../adapters/http/demo-controls.ts';
import type { ForecastStore } from '../adapters/http/forecast-store.ts';
import { listen } from '../adapters/http/listen.ts';
import { accuracyRoutes } from '../adapters/http/routes/accuracy.ts';
import { demoRoutes } from '../adapters/http/routes/demo.ts';
import { forecastRoutes } from '../adapters/http/routes/forecasts.ts';
import { pageRoutes } from '../adapters/http/routes/page.ts';
import { seriesRoutes } from '../adapters/http/routes/series.ts';
import { metricsRoute, systemRoutes } from '../adapters/http/routes/system.ts';
import { transactionRoutes } from '../adapters/http/routes/transactions.ts';
import { createHttpServer } from '../adapters/http/server.ts';
import { statusView } from '../adapters/http/status-view.ts';
import type { SystemStatus } from '../adapters/http/system-status.ts';
import { createTransactionIntake } from '../adapters/http/transaction-intake.ts';
import { acceptFeed } from '../adapters/http/accept-feed.ts';
import { createFeed } from '../adapters/websocket/feed.ts';
import { createLatest } from '../adapters/websocket/latest.ts';
import type { Codec } from '../pipeline/codec.ts';
import type { Log } from '../pipeline/log.ts';
import type { ParseContext } from '../sales/parse-context.ts';
import { parseTransactionJson } from '../sales/parse-transaction.ts';
import { toTransactionMessage } from '../sales/to-transaction-message.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { followAlerts, followForecasts } from './follow-topics.ts';
import { createAccuracyMonitor } from './accuracy-monitor.ts';
import packageJson from '../../package.json' with { type: 'json' };

export type ServeDeps = {
  readonly log: Log;
  readonly store: ForecastStore;
  readonly codec: Codec;
  readonly config: Config;
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
 * ADDRESS_IN_USE, and those of the log.
 */
export async function startServe(deps: ServeDeps): Promise<{ url: string; stop(): Promise<void> }> {
  const { config, telemetry, log, store, clock } = deps;
  const access = createAccess(deps.listen);
  const latest = createLatest({
    seriesMax: config.seriesMax,
    onDropped: () => telemetry.events.dropped({ what: 'series_max', count: 1 }),
  });
  const feed = createFeed({ config: config.feed, telemetry, latest });
  const demo = deps.demo ?? null;
  const statusDeps = { ...deps, version: packageJson.version, startedMs: clock.nowMs(), latest, feed, demo };
  const status = () => statusView(statusDeps);
  const accuracy = createAccuracyMonitor({ store, telemetry });
  const intake = createTransactionIntake({
    log,
    codec: deps.codec,
    config: config.http,
    read: (item) => readTransaction(item, deps),
  });

  telemetry.events.roleStarted({ role: 'serve' });
  const forecasts = followForecasts({ ...deps, latest, feed });
  const alerts = followAlerts({ ...deps, feed });
  const notReady = async () => [
    ...forecasts.notReady(),
    ...((await store.ping()) ? [] : ['The store does not answer.']),
    ...deps
      .status()
      .roles.filter(({ ready }) => !ready)
      .map(({ role, lastError }) => lastError ?? `Role ${role} is not ready yet.`),
  ];

  const app = await createHttpServer({
    config: config.http,
    telemetry,
    access,
    version: packageJson.version,
  });
  await app.register(
    async (api) => {
      transactionRoutes(api, { intake, config: config.http, telemetry });
      seriesRoutes(api, { latest, store, config, clock: demo ?? clock });
      forecastRoutes(api, { latest, store });
      accuracyRoutes(api, { accuracy: accuracy.read });
      systemRoutes(api, { telemetry, status, notReady });
      if (demo !== null) demoRoutes(api, demo);
    },
    { prefix: '/api/v1' },
  );
  metricsRoute(app, telemetry);
  await pageRoutes(app, access);
  acceptFeed(app.server, { feed, access, telemetry });

  const stopFollowing = async () => {
    accuracy.stop();
    await Promise.all([forecasts.stop(), alerts.stop()]);
  };
  const url = await listen(app, deps.listen).catch(async (error: unknown) => {
    await stopFollowing();
    await feed.close();
    throw error;
  });
  const ticks = setInterval(() => {
    if (feed.clients === 0) return;
    const body = JSON.stringify(status());
    feed.publish({ type: 'status', series: null, key: 'status', body: () => body });
  }, STATUS_EVERY_MS);

  return {
    url,
    async stop() {
      clearInterval(ticks);
      await stopFollowing();
      await feed.close();
      await app.close();
      telemetry.events.roleStopped({ role: 'serve' });
    },
  };
}

function readTransaction(item: unknown, deps: ServeDeps) {
  const { config } = deps;
  const parsed = parseTransactionJson(item, {
    currency: config.currency,
    calendarOf:
      deps.calendarOf ??
      ((_store, timeZone) => ({
        timeZone: timeZone ?? config.timeZone,
        businessDayStartMinutes: config.businessDayStartMinutes,
      })),
    recordTimestampMs: deps.clock.nowMs(),
    futureSkewMsMax: config.futureSkewMsMax,
    earliestTimeMs: config.earliestTimeMs,
    businessDateSkewDaysMax: config.businessDateSkewDaysMax,
  });
  return parsed.ok ? { ok: true as const, message: toTransactionMessage(parsed.transaction) } : parsed;
}
