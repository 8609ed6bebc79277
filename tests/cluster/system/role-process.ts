/** One role as a process of its own, to be killed, paused and asked. */
import { once } from 'node:events';
import type { RoleName } from '../../../src/telemetry/events.ts';
import { eventually, startForetill } from '../../system/live-process.ts';

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type RoleProcess = {
  readonly role: RoleName;
  readonly pid: number;
  readonly exit: Promise<Exit>;
  hasEnded(): boolean;
  /** Resolves when it has ended. One that is paused dies of SIGKILL alone. */
  kill(signal: NodeJS.Signals): Promise<Exit>;
  /** It stands still as a whole, as a machine that sleeps does. */
  pause(): void;
  resume(): void;
  /** Where it answers. */
  url(): Promise<string>;
  /** Resolves when it says that it can do its work. */
  ready(): Promise<void>;
  /** The last it wrote. */
  output(): string;
};

const READY_MS_MAX = 120_000;

export function startRole(role: RoleName, environment: Readonly<Record<string, string>>): RoleProcess {
  const port = role === 'serve' ? '--port' : '--metrics-port';
  const live = startForetill(['run', '--roles', role, port, '0'], environment);
  const { child } = live;
  const exit = once(child, 'exit').then(([code, signal]): Exit => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  let url: string | null = null;
  child.stdout?.on('data', () => {
    url ??= /Foretill is at (http:\/\/[^\s/]+)/.exec(live.output())?.[1] ?? null;
  });

  function stillRuns(): void {
    if (live.ended()) throw new Ended(`role ${role} has ended:\n${live.output()}`);
  }

  async function asked<T>(what: string, answer: () => Promise<T | null>): Promise<T> {
    const found = await eventually(
      `role ${role} ${what}`,
      async () => (live.ended() ? ENDED : answer()),
      READY_MS_MAX,
    );
    if (found === ENDED) stillRuns();
    return found as T;
  }

  const self: RoleProcess = {
    role,
    pid: child.pid ?? -1,
    exit,
    hasEnded: live.ended,
    async kill(signal) {
      if (!live.ended()) child.kill(signal);
      return exit;
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    url: () => asked('tells where it is', async () => url),
    async ready() {
      const at = await self.url();
      await asked('is ready', async () => ((await fetch(`${at}/api/v1/ready`)).ok ? true : null));
    },
    output: live.output,
  };
  return self;
}

class Ended extends Error {}
const ENDED = Symbol('ended');
