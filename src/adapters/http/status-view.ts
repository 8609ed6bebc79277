/** The status as clients see it, over HTTP and once a second on the feed. */
import type { Clock } from '../../clock.ts';
import type { Config } from '../../config.ts';
import type { Feed } from '../websocket/feed.ts';
import { isoSeconds } from '../websocket/forecast-view.ts';
import type { Latest } from '../websocket/latest.ts';
import type { DemoControls } from './demo-controls.ts';
import type { SystemStatus } from './system-status.ts';

export type StatusDeps = {
  readonly version: string;
  readonly startedMs: number;
  readonly config: Config;
  readonly clock: Clock;
  readonly latest: Latest;
  readonly feed: Feed;
  readonly demo: DemoControls | null;
  readonly status: () => SystemStatus;
};

export type StatusView = ReturnType<typeof statusView>;

export function statusView(deps: StatusDeps) {
  const { config, demo } = deps;
  const status = deps.status();
  return {
    name: 'Foretill',
    version: deps.version,
    started_at: isoSeconds(deps.startedMs),
    /** The demonstration's own clock where there is one. */
    now: isoSeconds(demo?.nowMs() ?? deps.clock.nowMs()),
    currency: config.currency,
    time_zone: config.timeZone,
    business_day_start_minutes: config.businessDayStartMinutes,
    transactions_total: status.transactionsTotal,
    series: deps.latest.size,
    feed_clients: deps.feed.clients,
    roles: status.roles.map((role) => ({
      role: role.role,
      ready: role.ready,
      lag_records: role.lagRecords,
      watermark: role.watermarkMs === null ? null : isoSeconds(role.watermarkMs),
      last_error: role.lastError,
    })),
    warm_start: status.warmStart,
    demo: demo === null ? null : demoView(demo),
  };
}

function demoView(demo: DemoControls) {
  return {
    label: demo.label,
    simulated: demo.simulated,
    speed: demo.speed(),
    progress: demo.progress(),
    active: demo.active().map((event) => ({
      id: event.id,
      kind: event.kind,
      label: event.label,
      started: isoSeconds(event.startedMs),
      ends: event.endsMs === null ? null : isoSeconds(event.endsMs),
    })),
  };
}
