/**
 * ClickHouse without a server: the engine runs in a child process that answers ClickHouse's HTTP protocol on the
 * loopback, so the embedded store and a server by URL are the same client code.
 *
 * Why not in this process, measured on 2 cores with tickets of four lines, both through @clickhouse/client: inserts
 * alone 151-172 thousand tickets/s in the child, 119-159 in-process; beside a running query 108-121 against 46-61,
 * because in-process statements run one at a time. The event loop stalls alike (p99 7-10 ms, the encoding of rows); a
 * small statement costs 4 ms over HTTP, 2 ms in-process; the start 270 ms against 70 ms. What decides: a crash of the
 * engine, or its end by the kernel when memory is short, takes only the child along, and the service goes on.
 *
 * When the child dies, it is started again on the same port and directory, with a rising pause; the client's retries
 * of the same bytes with the same token then succeed, and no acknowledged row is lost or doubled.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { EngineLimits } from '../../config.ts';
import { ForetillError } from '../../errors.ts';
import type { EngineOrder, EngineReport } from './engine-process.ts';

export type EmbeddedEngine = {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** Of the running child, for diagnosis; undefined between a death and the next start. */
  pid(): number | undefined;
  /** Ends the child after the statements in work. */
  stop(): Promise<void>;
};

export type EngineDeath = {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** False when the limit of restarts is reached: the engine stays down, and its owner had better end. */
  readonly restarting: boolean;
  /** The last it printed, or why it could not be started again. */
  readonly stderr: string;
};

type Child = { readonly process: ChildProcess; readonly port: number; stderr(): string };

const PROGRAM = fileURLToPath(new URL('engine-process.ts', import.meta.url));
const STDERR_BYTES_MAX = 4_096;
const RAN_WELL_MS = 60_000;

/**
 * Starts the engine on `dir` (made if missing) and resolves when it answers. Its port and password are new each time,
 * unless they are given, for an engine that several processes share. `onExit` is told of every unexpected death.
 * Errors: DATA_DIR_LOCKED, DATA_DIR_UNUSABLE, ADDRESS_IN_USE.
 */
export async function startEmbeddedEngine(options: {
  dir: string;
  limits: EngineLimits;
  port?: number;
  password?: string;
  onExit?: (death: EngineDeath) => void;
}): Promise<EmbeddedEngine> {
  const { limits } = options;
  const order: EngineOrder = {
    dir: options.dir,
    port: options.port ?? 0,
    username: 'foretill',
    password: options.password ?? randomBytes(24).toString('base64url'),
    ...limits,
  };
  let child: Child | null = await startChild(order);
  const { port } = child;
  let stopping = false;
  let restart: Promise<void> = Promise.resolve();
  /** Starts since the engine last ran for a while. */
  let starts = 0;
  watch(child);

  function watch(current: Child): void {
    const startedMs = performance.now();
    current.process.once('exit', (exitCode, signal) => {
      child = null;
      if (stopping) return;
      if (performance.now() - startedMs > RAN_WELL_MS) starts = 0;
      const restarting = starts < limits.restartsMax;
      options.onExit?.({ exitCode, signal, restarting, stderr: current.stderr() });
      if (restarting) restart = startAgain();
    });
  }

  async function startAgain(): Promise<void> {
    let stderr = '';
    while (starts < limits.restartsMax) {
      await delay(Math.min(limits.restartDelayMs * 2 ** starts, limits.restartDelayMsMax));
      if (stopping) return;
      starts++;
      try {
        child = await startChild({ ...order, port });
        return watch(child);
      } catch (error) {
        stderr = (error as Error).message;
      }
    }
    options.onExit?.({ exitCode: null, signal: null, restarting: false, stderr });
  }

  return {
    url: `http://127.0.0.1:${port}`,
    username: order.username,
    password: order.password,
    pid: () => child?.process.pid,
    async stop() {
      stopping = true;
      await restart;
      if (child !== null) await endChild(child.process, limits.drainMsMax);
    },
  };
}

async function startChild(order: EngineOrder): Promise<Child> {
  const child = fork(PROGRAM, {
    execArgv: [],
    // A thread for each session's statement, and some for reading and unzipping bodies.
    env: { ...process.env, UV_THREADPOOL_SIZE: String(order.sessions + 2), NODE_OPTIONS: '' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_BYTES_MAX);
  });
  child.send(order);
  const report = await firstReport(child);
  if (report.kind === 'ready') return { process: child, port: report.port, stderr: () => stderr };
  throw new ForetillError(report.code, report.message + stderr, { remedy: report.remedy });
}

function firstReport(child: ChildProcess): Promise<EngineReport> {
  return new Promise((resolve) => {
    child.once('message', (report) => resolve(report as EngineReport));
    child.once('exit', (exitCode, signal) =>
      resolve({
        kind: 'failed',
        code: 'DATA_DIR_UNUSABLE',
        message: `The embedded engine ended while starting (${signal ?? `exit code ${exitCode}`}). `,
        remedy: 'Free disk space and memory and start again; if it stays, choose another --dir.',
      }),
    );
    child.once('error', (error) =>
      resolve({
        kind: 'failed',
        code: 'DATA_DIR_UNUSABLE',
        message: `The embedded engine could not be started: ${error.message}. `,
        remedy: 'Check that this machine can start more processes.',
      }),
    );
  });
}

/** Closing the channel tells the child to finish and go; past the deadline it is killed. */
async function endChild(child: ChildProcess, deadlineMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const killer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  if (child.connected) child.disconnect();
  await gone;
  clearTimeout(killer);
}
