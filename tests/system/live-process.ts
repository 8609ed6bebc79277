/** The real program in a process of its own, to be talked to over HTTP and killed. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

export type LiveProcess = {
  /** Null once it has ended. */
  readonly child: ChildProcess;
  ended(): boolean;
  /** All it wrote, for the message of a failing test. */
  output(): string;
  kill(signal: NodeJS.Signals): Promise<void>;
};

/** Starts `foretill …args`. It is a leader of its own group, as from a terminal. */
export function startForetill(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): LiveProcess {
  const child = spawn(process.execPath, [CLI, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, FORETILL_LOG: 'warn', ...env },
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-20_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    child,
    ended,
    output: () => output,
    async kill(signal) {
      if (ended()) return;
      const exit = once(child, 'exit');
      child.kill(signal);
      await exit;
    },
  };
}

/**
 * Asks until `answer` is not null. Past the deadline it rejects, with `what` was wanted (as it is told then) and what
 * `answer` last failed of.
 */
export async function eventually<T>(
  what: string | (() => string),
  answer: () => Promise<T | null>,
  deadlineMs = 60_000,
): Promise<T> {
  const untilMs = Date.now() + deadlineMs;
  for (;;) {
    let failure: unknown = null;
    try {
      const found = await answer();
      if (found !== null) return found;
    } catch (error) {
      failure = error;
    }
    if (Date.now() > untilMs) {
      const wanted = typeof what === 'string' ? what : what();
      throw tooLate(`not within ${deadlineMs / 1000} s: ${wanted}`, failure);
    }
    await delay(25);
  }
}

function tooLate(what: string, failure: unknown): Error {
  if (failure === null) return new Error(what);
  const { message, cause } = failure as Error;
  // That of a failed `fetch` says nothing by itself.
  const why = cause instanceof Error ? `${message}: ${cause.message}` : message;
  return new Error(`${what}; at last: ${why}`, { cause: failure });
}
