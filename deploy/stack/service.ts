/**
 * One program of the stack as a process: started, awaited until it truly answers, paused, killed, started again on the
 * same address and data, stopped. What it prints goes to a log file.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ForetillError } from '../../src/errors.ts';
import { lastLines } from './last-lines.ts';

export type ServiceOptions = {
  /** For messages: `Kafka`. */
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Whether it answers now; tried again and again until it does. */
  readonly isReady: () => Promise<boolean>;
  readonly readyMsMax: number;
  /** From the polite signal to the kill. */
  readonly stopMsMax: number;
  /** What to do when it does not come up. */
  readonly remedy: string;
  /** It has processes of its own: what cannot be caught (kill, pause, resume) goes to all of them. */
  readonly isGroup?: boolean;
  /** It outlives this process; otherwise it goes with it. */
  readonly detached?: boolean;
  /** Told of every process that is started, before it is ready. */
  readonly onSpawn?: (pid: number) => void;
};

export type Service = {
  readonly logFile: string;
  /** Undefined while it does not run. */
  pid(): number | undefined;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same address and data, after stopping it if it runs, and resolves when it is ready. */
  restart(): Promise<void>;
  /** SIGSTOP: it keeps its connections and answers nothing. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** SIGTERM, and SIGKILL past its time; resolves when it is gone. */
  stop(): Promise<void>;
  /** The last it printed. */
  log(): string;
};

const POLL_MS = 100;
const LOG_LINES = 40;
const LOG_LINES_OF_ERROR = 12;

/** Resolves when it answers. Errors: NOT_READY with its last words when it ends or takes too long. */
export async function startService(options: ServiceOptions): Promise<Service> {
  let child = await startReady(options);

  const service: Service = {
    logFile: options.logFile,
    pid: () => (isGone(child) ? undefined : child.pid),
    async kill() {
      signalAll('SIGKILL');
      await gone(child);
    },
    async restart() {
      await service.stop();
      child = await startReady(options);
    },
    pause: () => signalAll('SIGSTOP'),
    resume: () => signalAll('SIGCONT'),
    stop: () => {
      signalAll('SIGCONT');
      return endChild(child, options.stopMsMax);
    },
    log: () => lastLines(options.logFile, LOG_LINES),
  };
  return service;

  function signalAll(signal: NodeJS.Signals): void {
    signalTo(child, options, signal);
  }
}

function signalTo(child: ChildProcess, { isGroup }: ServiceOptions, signal: NodeJS.Signals): void {
  if (isGone(child)) return;
  if (isGroup === true) process.kill(-child.pid!, signal);
  else child.kill(signal);
}

async function startReady(options: ServiceOptions): Promise<ChildProcess> {
  const child = spawnChild(options);
  const trouble = await firstTrouble(child, options);
  if (trouble === null) return child;
  await endChild(child, 0);
  const last = lastLines(options.logFile, LOG_LINES_OF_ERROR);
  throw new ForetillError('NOT_READY', `${options.name} ${trouble}. Its last lines:\n${last}`, {
    remedy: `${options.remedy} All it printed is in ${options.logFile}.`,
  });
}

function spawnChild(options: ServiceOptions): ChildProcess {
  const { program, args, env, isGroup = false, detached = false } = options;
  const log = openSync(options.logFile, 'a');
  const child = spawn(program, args, {
    stdio: ['ignore', log, log],
    env: { ...process.env, ...env },
    // The leader of a group of its own, which a Ctrl-C in the terminal does not reach.
    detached: detached || isGroup,
  });
  closeSync(log);
  if (child.pid !== undefined) options.onSpawn?.(child.pid);
  if (detached) {
    child.unref();
  } else {
    const end = (): void => signalTo(child, options, 'SIGKILL');
    process.once('exit', end);
    child.once('exit', () => process.off('exit', end));
  }
  return child;
}

/** Null when it answers; else what went wrong. */
async function firstTrouble(child: ChildProcess, options: ServiceOptions): Promise<string | null> {
  let failure: Error | undefined;
  child.once('error', (error) => (failure = error));
  const deadline = performance.now() + options.readyMsMax;
  while (performance.now() < deadline) {
    await delay(POLL_MS);
    if (failure !== undefined) return `could not be started: ${failure.message}`;
    if (isGone(child)) return `ended while starting (${child.signalCode ?? `exit code ${child.exitCode}`})`;
    if (await options.isReady()) return null;
  }
  return `did not answer within ${options.readyMsMax / 1_000} s`;
}

function isGone(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

async function gone(child: ChildProcess): Promise<void> {
  if (isGone(child)) return;
  await new Promise<void>((resolve) => child.once('exit', () => resolve()));
}

async function endChild(child: ChildProcess, deadlineMs: number): Promise<void> {
  if (isGone(child)) return;
  const killer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  child.kill('SIGTERM');
  await gone(child);
  clearTimeout(killer);
}
