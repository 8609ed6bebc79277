/** The server with all its routes, and the feed on the same port; it does not listen yet. */
import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../clock.ts';
import type { Config } from '../../config.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { Feed } from '../websocket/feed.ts';
import type { Latest } from '../websocket/latest.ts';
import { acceptFeed } from './accept-feed.ts';
import type { Access } from './access.ts';
import type { DemoControls } from './demo-controls.ts';
import type { AccuracyRow, ForecastStore } from './forecast-store.ts';
import type { AlertBook } from './alert-book.ts';
import { accuracyRoutes } from './routes/accuracy.ts';
import { alertRoutes } from './routes/alerts.ts';
import { demoRoutes } from './routes/demo.ts';
import { forecastRoutes } from './routes/forecasts.ts';
import { pageRoutes } from './routes/page.ts';
import { seriesRoutes } from './routes/series.ts';
import { metricsRoute, systemRoutes } from './routes/system.ts';
import { transactionRoutes } from './routes/transactions.ts';
import { createHttpServer } from './server.ts';
import type { StatusView } from './status-view.ts';
import type { TransactionIntake } from './transaction-intake.ts';

export type ApiDeps = {
  readonly version: string;
  readonly config: Config;
  /** Of the chain: a demonstration's own where there is one. */
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly access: Access;
  readonly intake: TransactionIntake;
  readonly latest: Latest;
  readonly store: ForecastStore;
  readonly feed: Feed;
  readonly demo: DemoControls | null;
  readonly alerts: AlertBook;
  readonly accuracy: () => Promise<readonly AccuracyRow[]>;
  readonly status: () => StatusView;
  readonly notReady: () => Promise<readonly string[]>;
};

export async function createApi(deps: ApiDeps): Promise<FastifyInstance> {
  const { telemetry, access, version } = deps;
  const app = await createHttpServer({ config: deps.config.http, telemetry, access, version });
  await app.register(
    (api, _options, done) => {
      transactionRoutes(api, { intake: deps.intake, config: deps.config.http, telemetry });
      seriesRoutes(api, deps);
      forecastRoutes(api, deps);
      accuracyRoutes(api, deps);
      alertRoutes(api, deps);
      systemRoutes(api, deps);
      if (deps.demo !== null) demoRoutes(api, deps.demo);
      done();
    },
    { prefix: '/api/v1' },
  );
  metricsRoute(app, telemetry);
  await pageRoutes(app, access);
  acceptFeed(app.server, { feed: deps.feed, access, telemetry });
  return app;
}
