/** The composition root: the roles of one process over one platform, started and stopped together. */
import type { ListenOptions } from './adapters/http/access.ts';
import { startHealthServer } from './adapters/http/health-server.ts';
import type { DemoControls } from './adapters/http/demo-controls.ts';
import { rolesNotReady } from './adapters/http/system-status.ts';
import type { RoleStatus, SystemStatus } from './adapters/http/system-status.ts';
import type { Platform } from './platform.ts';
import { createCalendars } from './roles/calendars.ts';
import type { Calendars } from './roles/calendars.ts';
import type { ForecastRole } from './roles/forecast/forecast.ts';
import { startForecast } from './roles/forecast/forecast.ts';
import type { IngestRole } from './roles/ingest/ingest.ts';
import { startIngest } from './roles/ingest/ingest.ts';
import { startServe } from './roles/serve.ts';
import type { RoleName } from './telemetry/events.ts';

export type SystemOptions = {
  readonly platform: Omit<Platform, 'storeAddress'>;
  readonly roles: readonly RoleName[];
  /** Where role serve listens. */
  readonly listen: ListenOptions;
  /** Where a process without role serve answers for its health and metrics; nowhere when absent. */
  readonly health?: ListenOptions;
  readonly demo?: DemoControls;
  /** How roles in other processes are doing, where that is known; role serve tells it with its own. */
  readonly elsewhere?: () => SystemStatus;
  /** A role cannot go on: the process is to stop, and a restart heals it. */
  readonly onFailed: (error: unknown) => void;
};

export type System = {
  /** Of role serve. */
  readonly url: string | null;
  /** Of a process without it. */
  readonly healthUrl: string | null;
  status(): SystemStatus;
  /** All roles of this process are ready. */
  ready(): boolean;
  /** The roles, for tests; null where not started. */
  readonly ingest: IngestRole | null;
  readonly forecast: ForecastRole | null;
  /** Drains, checkpoints, commits; leaves the platform open. */
  stop(): Promise<void>;
};

/** Stores are entered by other processes, too: by ingest at their first sale, and by imports. */
const CALENDARS_EVERY_MS = 30_000;

/**
 * Starts serving first, so that there is something to look at while the others take up their state: the forecast's
 * `ready` comes when it has learned its history, which may take a while.
 */
export async function startSystem(options: SystemOptions): Promise<System> {
  const { platform } = options;
  const calendars = createCalendars(platform);
  await calendars.load();
  const failures = new Map<RoleName, string>();
  const deps = (role: RoleName) => ({
    ...platform,
    calendars,
    onFailed(error: unknown) {
      failures.set(role, error instanceof Error ? error.message : String(error));
      options.onFailed(error);
    },
  });
  const wants = (role: RoleName): boolean => options.roles.includes(role);
  let ingest: IngestRole | null = null;
  let forecast: ForecastRole | null = null;
  const own = (): SystemStatus => systemStatus(options.roles, { ingest, forecast, failures });
  const status = (): SystemStatus => joinStatus(own(), options.elsewhere?.());
  let endAsked: (() => Promise<void>) | undefined;
  const roles: { stop(): Promise<void> }[] = [];
  /** Whoever is asked from outside first, then the roles side by side, each draining for itself. */
  async function stop(): Promise<void> {
    try {
      await endAsked?.();
    } finally {
      await stopAll(roles);
    }
  }
  try {
    const asked = wants('serve')
      ? await startServing(options, { calendars, status })
      : await startHealth(options, status);
    const reload = reloadCalendars(calendars, platform);
    endAsked = async () => {
      clearInterval(reload);
      await asked?.stop();
    };
    if (wants('forecast')) {
      const role = startForecast(deps('forecast'));
      role.started.catch(deps('forecast').onFailed);
      roles.push(role);
      forecast = role;
    }
    if (wants('ingest')) {
      const role = await startIngest(deps('ingest'));
      roles.push(role);
      ingest = role;
    }
    return {
      url: wants('serve') ? (asked?.url ?? null) : null,
      healthUrl: wants('serve') ? null : (asked?.url ?? null),
      status,
      ready: () => status().roles.every((role) => role.ready),
      ingest,
      forecast,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Each to its end, whatever becomes of the others. */
async function stopAll(roles: readonly { stop(): Promise<void> }[]): Promise<void> {
  const ended = await Promise.allSettled(roles.map((role) => role.stop()));
  for (const each of ended) if (each.status === 'rejected') throw each.reason;
}

function reloadCalendars(calendars: Calendars, { telemetry }: Pick<Platform, 'telemetry'>): NodeJS.Timeout {
  return setInterval(() => {
    calendars.load().catch((error: unknown) => {
      telemetry.log.warn('The stores could not be read; it is tried again', { error });
    });
  }, CALENDARS_EVERY_MS);
}

async function startHealth({ platform, health }: SystemOptions, status: () => SystemStatus) {
  if (health === undefined) return null;
  return startHealthServer({ ...platform, listen: health, notReady: () => rolesNotReady(status()) });
}

function startServing(
  { platform, listen, demo }: SystemOptions,
  { calendars, status }: { calendars: Calendars; status: () => SystemStatus },
): ReturnType<typeof startServe> {
  return startServe({
    ...platform,
    listen,
    status,
    calendarOf: (storeId, timeZone) =>
      calendars.known(storeId) ?? {
        ...calendars.of(undefined),
        ...(timeZone === undefined ? {} : { timeZone }),
      },
    ...(demo === undefined ? {} : { demo }),
  });
}

function joinStatus(own: SystemStatus, others: SystemStatus | undefined): SystemStatus {
  if (others === undefined) return own;
  return {
    roles: [...others.roles, ...own.roles],
    warmStart: own.warmStart ?? others.warmStart,
    transactionsTotal: own.transactionsTotal + others.transactionsTotal,
  };
}

function systemStatus(
  names: readonly RoleName[],
  now: { ingest: IngestRole | null; forecast: ForecastRole | null; failures: ReadonlyMap<RoleName, string> },
): SystemStatus {
  const role = (name: RoleName): RoleStatus => {
    const running = name === 'serve' ? null : now[name];
    return {
      role: name,
      ready: name === 'serve' || (running?.ready() ?? false),
      lagRecords: running?.lagRecords() ?? null,
      watermarkMs: running?.watermarkMs() ?? null,
      lastError: now.failures.get(name) ?? running?.trouble()?.message ?? null,
      waitsFor: running?.trouble()?.waitsFor ?? null,
    };
  };
  return {
    roles: names.map(role),
    warmStart: now.forecast?.progress() ?? null,
    transactionsTotal: now.ingest?.transactionsTotal() ?? 0,
  };
}
