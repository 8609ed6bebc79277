/** The demonstration's roles in processes of their own: started, told the time, started again when one dies, stopped. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { SystemStatus } from '../../adapters/http/system-status.ts';
import type { RoleName } from '../../telemetry/events.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { DemoClock } from './demo-clock.ts';
import type { FromRoleProcess, RoleOrder, ToRoleProcess } from './role-process.ts';

export type RoleProcesses = {
  /** As last heard of all of them. */
  status(): SystemStatus;
  /** Graceful: each drains, checkpoints, commits. */
  stop(): Promise<void>;
};

const PROGRAM = fileURLToPath(new URL('role-process.ts', import.meta.url));
const CLOCK_EVERY_MS = 250;
const RESTART_MS = 1_000;
const STOP_MS_MAX = 15_000;

export function startRoleProcesses(
  roles: readonly RoleName[],
  options: {
    readonly order: Omit<RoleOrder, 'role' | 'clock'>;
    readonly clock: DemoClock;
    readonly telemetry: Telemetry;
  },
): RoleProcesses {
  const { clock, telemetry } = options;
  const children = new Map<RoleName, ChildProcess>();
  const heard = new Map<RoleName, SystemStatus>();
  const restarts = new Set<NodeJS.Timeout>();
  let stopping = false;

  function start(role: RoleName): void {
    const child = fork(PROGRAM, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    children.set(role, child);
    send(child, { kind: 'order', order: { ...options.order, role, clock: clock.reading() } });
    child.on('message', ({ status }: FromRoleProcess) => heard.set(role, status));
    child.once('exit', (code, signal) => {
      heard.delete(role);
      if (stopping) return;
      telemetry.log.error('A role has ended; it is started again', { role, code, signal });
      const restart = setTimeout(() => {
        restarts.delete(restart);
        start(role);
      }, RESTART_MS);
      restarts.add(restart);
    });
  }

  for (const role of roles) start(role);
  const telling = setInterval(() => {
    for (const child of children.values()) send(child, { kind: 'clock', clock: clock.reading() });
  }, CLOCK_EVERY_MS);

  return {
    status() {
      const all = [...heard.values()];
      return {
        roles: roles.map((role) => heard.get(role)?.roles[0] ?? unheard(role)),
        warmStart: all.find(({ warmStart }) => warmStart !== null)?.warmStart ?? null,
        transactionsTotal: all.reduce((total, each) => total + each.transactionsTotal, 0),
      };
    },
    async stop() {
      stopping = true;
      clearInterval(telling);
      for (const restart of restarts) clearTimeout(restart);
      await Promise.all([...children.values()].map(end));
    },
  };
}

function unheard(role: RoleName): SystemStatus['roles'][number] {
  return { role, ready: false, lagRecords: null, watermarkMs: null, lastError: null, waitsFor: null };
}

function send(child: ChildProcess, message: ToRoleProcess): void {
  // One that has just died is about to be started again.
  if (child.connected) child.send(message, () => {});
}

/** Closing the channel tells it to finish and go; past the deadline it is killed. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const killer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
  if (child.connected) child.disconnect();
  await gone;
  clearTimeout(killer);
}
