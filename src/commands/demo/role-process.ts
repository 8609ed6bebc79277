/**
 * A role of the demonstration in a process of its own, with Kafka between it and the others. It is told over its channel
 * what to run and what the demonstration's clock shows, and says how it is doing; it ends when the channel closes.
 */
import type { SystemStatus } from '../../adapters/http/system-status.ts';
import type { Config } from '../../config.ts';
import { startSystem } from '../../main.ts';
import type { System } from '../../main.ts';
import { openPlatform } from '../../platform.ts';
import type { ClusterAddress, Platform, StoreAddress } from '../../platform.ts';
import type { RoleName } from '../../telemetry/events.ts';
import { createTelemetry, logLevelFrom } from '../../telemetry/telemetry.ts';
import { reportError, writeErrorDetailsTo } from '../report-error.ts';
import { createDemoClock } from './demo-clock.ts';
import type { ClockReading } from './demo-clock.ts';

export type RoleOrder = {
  readonly dir: string;
  readonly config: Config;
  readonly role: RoleName;
  readonly store: StoreAddress;
  readonly cluster: ClusterAddress;
  readonly clock: ClockReading;
};

/** The first message is the order, every other what the clock shows. */
export type ToRoleProcess =
  | { readonly kind: 'order'; readonly order: RoleOrder }
  | { readonly kind: 'clock'; readonly clock: ClockReading };

export type FromRoleProcess = { readonly status: SystemStatus };

const TELL_EVERY_MS = 200;

const clock = createDemoClock({ startMs: 0, speed: 1 });
const ended = new AbortController();
let done: Promise<void> = Promise.resolve();

process.on('message', (message: ToRoleProcess) => {
  if (message.kind === 'clock') return clock.follow(message.clock);
  clock.follow(message.order.clock);
  done = run(message.order).catch(die);
});
process.on('disconnect', () => {
  ended.abort();
  void done.then(() => process.exit());
});
// Ctrl-C reaches the whole group: who started us says when it is over.
process.on('SIGINT', () => {});

async function run(order: RoleOrder): Promise<void> {
  const { dir, config, role, store, cluster } = order;
  writeErrorDetailsTo(dir);
  const telemetry = createTelemetry({ level: logLevelFrom({ FORETILL_LOG: 'warn', ...process.env }) });
  const platform = await openPlatform({
    dir,
    config,
    clock,
    telemetry,
    store,
    cluster,
    signal: ended.signal,
  });
  const system = await startSystem({
    platform,
    roles: [role],
    listen: { host: '127.0.0.1', port: 0 },
    onFailed: die,
  });
  const told = setInterval(() => tell({ status: system.status() }), TELL_EVERY_MS);
  await new Promise((resolve) => ended.signal.addEventListener('abort', resolve));
  clearInterval(told);
  await stop(system, platform);
}

async function stop(system: System, platform: Platform): Promise<void> {
  await system.stop();
  await platform.close();
}

function tell(message: FromRoleProcess): void {
  // The channel may close at any moment; then nobody is interested.
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

function die(error: unknown): void {
  if (ended.signal.aborted) process.exit();
  process.exit(reportError(error));
}
