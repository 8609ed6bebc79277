/**
 * Starts every part that can run here and does not run yet, all at the same time, so that they outlive this process.
 * Either all become ready, or those started here are ended again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fetchArtifacts } from './artifacts.ts';
import { endParts } from './end-parts.ts';
import { freePort } from './free-port.ts';
import type { Part, PartName } from './part.ts';
import { PARTS } from './parts.ts';
import { processIdentity } from './process-identity.ts';
import { isAlive, readState, writeState } from './state-file.ts';
import type { StartedPart } from './state-file.ts';
import { partDir } from './status.ts';

export type StartOptions = {
  readonly dir: string;
  /** Any ports that are free, instead of the usual ones where they are free. */
  readonly anyPorts: boolean;
  readonly tell: (line: string) => void;
  /** Ends what has been started so far; the start then rejects. */
  readonly signal: AbortSignal;
};

const POLL_MS = 100;
/** One that runs and does not answer for this long is started again. */
const ANSWER_MS_MAX = 10_000;

/** Resolves with the number of parts that were started; none when all were ready. Errors: NOT_READY, ADDRESS_IN_USE. */
export async function startStack(options: StartOptions): Promise<number> {
  const { dir, tell, signal } = options;
  const { running, missing, ports } = await Promise.race([prepare(options), aborted(signal)]);
  if (missing.length === 0) return 0;
  const started: StartedPart[] = [];
  let failed = false;
  writeState(dir, running);

  const start = async (part: Part): Promise<void> => {
    const beganMs = performance.now();
    await part.start({
      dir: partDir(dir, part),
      port: ports[part.name],
      ports,
      tell,
      onSpawn(pid) {
        started.push({ name: part.name, pid, identity: processIdentity(pid) ?? '', port: ports[part.name] });
        // Too late: what was started before is being ended already.
        if (failed) process.kill(-pid, 'SIGKILL');
        else writeState(dir, [...running, ...started]);
      },
    });
    const seconds = ((performance.now() - beganMs) / 1_000).toFixed(1);
    tell(`${part.title} is ready at ${part.address(ports[part.name])} (${seconds} s).`);
  };
  try {
    await Promise.race([Promise.all(missing.map(start)), aborted(signal)]);
  } catch (error) {
    failed = true;
    await endParts(started);
    writeState(dir, running);
    throw error;
  }
  return missing.length;
}

type Plan = {
  readonly running: readonly StartedPart[];
  readonly missing: readonly Part[];
  readonly ports: Readonly<Record<PartName, number>>;
};

/** What is to be started and where; its programs are here then. */
async function prepare({ dir, anyPorts, tell }: StartOptions): Promise<Plan> {
  const before = readState(dir);
  const running = await keepAnswering(before.filter(isAlive), tell);
  const missing = PARTS.filter((part) => part.lacking() === null && !running.some(isOf(part)));
  if (missing.length > 0) await fetchArtifacts({ tell });
  return { running, missing, ports: await choosePorts(missing, { running, before, anyPorts, tell }) };
}

function isOf(part: Part): (started: StartedPart) => boolean {
  return ({ name }) => name === part.name;
}

/** Those that answer; the others are ended. */
async function keepAnswering(
  alive: readonly StartedPart[],
  tell: (line: string) => void,
): Promise<readonly StartedPart[]> {
  const kept = await Promise.all(
    alive.map(async (started) => {
      const part = PARTS.find(({ name }) => name === started.name)!;
      if (await answersInTime(part, started.port)) return started;
      tell(`${part.title} runs (pid ${started.pid}) but does not answer: it is started again.`);
      await endParts([started]);
      return null;
    }),
  );
  return kept.filter((started) => started !== null);
}

async function answersInTime(part: Part, port: number): Promise<boolean> {
  const deadline = performance.now() + ANSWER_MS_MAX;
  while (!(await part.isReady(port))) {
    if (performance.now() > deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}

type Choice = {
  readonly running: readonly StartedPart[];
  readonly before: readonly StartedPart[];
  readonly anyPorts: boolean;
  readonly tell: (line: string) => void;
};

/** A part that died keeps its port, so that those who know it find it again. */
async function choosePorts(missing: readonly Part[], choice: Choice): Promise<Record<PartName, number>> {
  const ports = Object.fromEntries(PARTS.map(({ name, usualPort }) => [name, usualPort])) as Record<
    PartName,
    number
  >;
  for (const { name, port } of choice.running) ports[name] = port;
  for (const part of missing) {
    const wished = choice.before.find(isOf(part))?.port ?? (choice.anyPorts ? undefined : part.usualPort);
    const port = await freePort(wished);
    if (wished !== undefined && port !== wished)
      choice.tell(`Port ${wished} is taken by another program: ${part.title} gets ${port}.`);
    ports[part.name] = port;
  }
  return ports;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
