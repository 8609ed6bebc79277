/** What a process answers that has no role serve: whether it lives and can work, and its metrics. */
import type { Config } from '../../config.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import packageJson from '../../../package.json' with { type: 'json' };
import { createAccess } from './access.ts';
import type { ListenOptions } from './access.ts';
import { listen } from './listen.ts';
import { healthRoutes, metricsRoute } from './routes/system.ts';
import { createHttpServer } from './server.ts';

export type HealthServerDeps = {
  readonly config: Config;
  readonly telemetry: Telemetry;
  readonly listen: ListenOptions;
  /** Why it is not ready; empty when it is. */
  readonly notReady: () => readonly string[];
};

/**
 * `/health` and `/ready`, there and under `/api/v1` as role serve has them, and `/metrics`. Errors: as of role serve.
 */
export async function startHealthServer(
  deps: HealthServerDeps,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const app = await createHttpServer({
    config: deps.config.http,
    telemetry: deps.telemetry,
    access: createAccess(deps.listen),
    version: packageJson.version,
  });
  const notReady = async () => deps.notReady();
  healthRoutes(app, { notReady });
  await app.register(async (api) => healthRoutes(api, { notReady }), { prefix: '/api/v1' });
  metricsRoute(app, deps.telemetry);
  return { url: await listen(app, deps.listen, '--metrics-port'), stop: () => app.close() };
}
