/** `npm run stack` as its users type it, on free ports and in directories of its own. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { findProgram } from '../../deploy/stack/find-program.ts';
import { processIdentity } from '../../deploy/stack/process-identity.ts';
import type { StackStatus } from '../../deploy/stack/status.ts';

const MAIN = fileURLToPath(new URL('../../deploy/stack/main.ts', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'foretill-stack-'));
const dirs: string[] = [];
const launched: ChildProcess[] = [];
/** Also when other tests keep the machine busy. */
const PATIENTLY = { timeout: 60_000 };
const START_MS_MAX = 300_000;

afterEach(async () => {
  // Those that a failed test has left at work; each ends what it started.
  for (const child of launched.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
  for (const dir of dirs.splice(0)) await stack(['stop', '--dir', dir]);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** One stack for all of them; each goes by what runs when it begins, whatever those before it have done. */
describe('a whole stack', () => {
  const dir = mkdtempSync(join(root, 'whole-'));
  let starts: readonly Ended[];
  beforeAll(async () => {
    const start = ['start', '--any-ports', '--json', '--dir', dir];
    starts = await Promise.all([stack(start), stack(start)]);
  }, START_MS_MAX);
  afterAll(async () => {
    await stack(['stop', '--dir', dir]);
  });

  test('started twice at the same time, is started once', () => {
    expect(starts.map(({ code }) => code)).toEqual([0, 0]);
    expect(statusOf(starts[0]!.stdout)).toEqual(statusOf(starts[1]!.stdout));
    const said = starts.map(({ stderr }) => stderr);
    expect(said.filter((text) => text.includes('The stack already runs.'))).toHaveLength(1);
    expect(said.join('\n')).toMatch(/^Kafka is ready at 127\.0\.0\.1:\d+ \(/m);
  });

  test('has every part that can run here, each with its log', async () => {
    const { parts, ready } = await statusIn(dir);
    expect(ready).toBe(true);
    expect(parts.map(({ name }) => name)).toEqual([
      'kafka',
      'registry',
      'store',
      'alertmanager',
      'prometheus',
    ]);
    for (const part of parts) expect(part.ready, part.title).toBe(part.lacking === null);
    expect(parts.filter(({ lacking }) => lacking !== null).map(({ name }) => name)).toEqual([
      ...(findProgram(['prometheus-alertmanager', 'alertmanager']) === null ? ['alertmanager'] : []),
      ...(findProgram(['prometheus']) === null ? ['prometheus'] : []),
    ]);
    for (const { log, running } of parts) expect(existsSync(log), log).toBe(running);
  });

  test('has a store whose password only its owner may read', async () => {
    const { environment, storePasswordFile } = await statusIn(dir);
    const password = readFileSync(storePasswordFile, 'utf8');
    expect(statSync(storePasswordFile).mode & 0o777).toBe(0o600);
    for (const { stdout, stderr } of starts) expect(stdout + stderr).not.toContain(password);
    const answer = await fetch(environment['CLICKHOUSE_URL']!, {
      method: 'POST',
      headers: { 'X-ClickHouse-User': environment['CLICKHOUSE_USER']!, 'X-ClickHouse-Key': password },
      body: 'SELECT 1',
    });
    expect(await answer.text()).toBe('1\n');
  });

  test('is told of as it was when it started, and is not started again', async () => {
    const status = await statusIn(dir);
    const text = await stack(['status', '--dir', dir]);
    expect(text.stdout).toContain(`  export KAFKA_BROKERS=${status.environment['KAFKA_BROKERS']}\n`);
    const again = await stack(['start', '--json', '--dir', dir]);
    expect(again).toMatchObject({ code: 0, stderr: 'The stack already runs.\n' });
    expect(statusOf(again.stdout)).toEqual(status);
  });

  test('has a part that died started again on its port, and the others left alone', async () => {
    const before = await statusIn(dir);
    process.kill(-partOf(before, 'kafka').pid!, 'SIGKILL');
    await expect.poll(() => processIdentity(partOf(before, 'kafka').pid!), PATIENTLY).toBeNull();
    const died = await stack(['status', '--json', '--dir', dir]);
    expect(died.code).toBe(10);
    expect(partOf(statusOf(died.stdout), 'kafka')).toMatchObject({ running: false, ready: false, pid: null });

    const after = statusOf((await stack(['start', '--json', '--dir', dir])).stdout);
    expect(partOf(after, 'kafka')).toMatchObject({ ready: true, address: partOf(before, 'kafka').address });
    expect(partOf(after, 'kafka').pid).not.toBe(partOf(before, 'kafka').pid);
    expect(partOf(after, 'registry')).toEqual(partOf(before, 'registry'));
    expect(partOf(after, 'store')).toEqual(partOf(before, 'store'));
  });

  test('leaves nothing behind when it is stopped', async () => {
    const pids = pidsOf(await statusIn(dir));
    expect(pids.length).toBeGreaterThanOrEqual(3);
    const stopped = await stack(['stop', '--json', '--dir', dir]);
    expect(stopped.code).toBe(0);
    expect(pids.filter((pid) => processIdentity(pid) !== null)).toEqual([]);
    expect(statusOf(stopped.stdout).parts.every(({ running }) => !running)).toBe(true);
    expect((await stack(['status', '--dir', dir])).code).toBe(10);
    expect(await stack(['stop', '--dir', dir])).toMatchObject({
      code: 0,
      stderr: 'Nothing of the stack runs.\n',
    });
  });
});

describe('a start that does not come to its end', () => {
  test('interrupted while it starts, it ends what it started', async () => {
    const dir = newDir('interrupted');
    const child = launch(['start', '--any-ports', '--dir', dir]);
    const ended = result(child);
    await expect.poll(() => startedIn(dir).length, PATIENTLY).toBeGreaterThan(0);
    const pids = startedIn(dir);
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 130, stdout: '' });
    expect(pids.filter((pid) => processIdentity(pid) !== null)).toEqual([]);
    expect(startedIn(dir)).toEqual([]);
  });

  test('interrupted while Maven fetches, it ends Maven', async () => {
    const pidFile = join(root, 'maven.pid');
    const bin = await programs('slow-maven', {
      java: null,
      sleep: null,
      mvn: `echo $$ > ${pidFile}; exec sleep 600`,
    });
    const child = launch(['start', '--dir', newDir('fetching')], {
      PATH: bin,
      FORETILL_STACK_CACHE: join(root, 'slow-cache'),
    });
    const ended = result(child);
    await expect
      .poll(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8').endsWith('\n'), PATIENTLY)
      .toBe(true);
    const maven = Number(readFileSync(pidFile, 'utf8'));
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 130 });
    await expect.poll(() => processIdentity(maven), PATIENTLY).toBeNull();
  });

  test('a part that ends while starting is told with its last words, and takes the others along', async () => {
    const dir = newDir('broken');
    await mkdir(join(dir, 'kafka'));
    // Formatted, it believes, but there is nothing.
    await writeFile(join(dir, 'kafka', 'formatted'), '');
    const failed = await stack(['start', '--any-ports', '--dir', dir]);
    expect(failed).toMatchObject({ code: 10, stdout: '' });
    expect(failed.stderr).toMatch(/^error: Kafka ended while starting \(exit code 1\)\. Its last lines:$/m);
    expect(failed.stderr).toContain('meta.properties');
    expect(failed.stderr).toMatch(/^what to do: .*broker\.log\.$/m);
    expect(startedIn(dir)).toEqual([]);
    expect((await stack(['status', '--dir', dir])).stdout).not.toContain('ready');
  });
});

test('a state file whose process is long gone names no other that has its pid now', async () => {
  const dir = newDir('stale');
  const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1_000)'], { detached: true });
  try {
    const part = { name: 'kafka', pid: bystander.pid, identity: 'earlier', port: 9092 };
    await writeFile(join(dir, 'stack.json'), JSON.stringify({ parts: [part] }));
    const status = await stack(['status', '--json', '--dir', dir]);
    expect(partOf(statusOf(status.stdout), 'kafka')).toMatchObject({ running: false, pid: null });
    expect(await stack(['stop', '--dir', dir])).toMatchObject({
      code: 0,
      stderr: 'Nothing of the stack runs.\n',
    });
    expect(processIdentity(bystander.pid!)).not.toBeNull();
  } finally {
    bystander.kill('SIGKILL');
  }
});

test('a damaged state file is said', async () => {
  const dir = newDir('damaged');
  const file = join(dir, 'stack.json');
  await writeFile(file, '{"parts": [{');
  const status = await stack(['status', '--dir', dir]);
  expect(status).toMatchObject({ code: 4, stdout: '' });
  expect(status.stderr).toContain(`error: ${file} cannot be read: it is damaged.`);
  rmSync(file);
});

describe('what the machine lacks is said with what to install', () => {
  test('no Java', async () => {
    const failed = await stack(['start', '--dir', newDir('no-java')], { PATH: root, JAVA_HOME: '' });
    expect(failed).toMatchObject({ code: 10, stdout: '' });
    expect(failed.stderr).toContain('error: The local stack needs Java 17 or later: there is none.\n');
    expect(failed.stderr).toMatch(/^what to do: .*apt-get install openjdk-17-jre-headless/m);
  });

  test('a Java too old', async () => {
    const bin = await programs('old-java', { java: 'echo \'openjdk version "11.0.2" 2019-01-15\' >&2' });
    const failed = await stack(['start', '--dir', newDir('old-java-stack')], { PATH: bin, JAVA_HOME: '' });
    expect(failed.code).toBe(10);
    expect(failed.stderr).toContain('error: The local stack needs Java 17, and java is 11.\n');
  });

  test('no Maven', async () => {
    const cache = join(root, 'no-maven-cache');
    const bin = await programs('no-maven', { java: null });
    const failed = await stack(['start', '--dir', newDir('no-maven-stack')], {
      PATH: bin,
      FORETILL_STACK_CACHE: cache,
    });
    expect(failed.code).toBe(10);
    expect(failed.stderr).toContain('error: Maven, which fetches the local stack, is not on the PATH.\n');
    expect(failed.stderr).toMatch(/^what to do: Install Maven .*apt-get install maven/m);
  });

  test('a fetch that fails half-way counts for nothing', async () => {
    const cache = join(root, 'half-cache');
    const half =
      'for word; do case $word in -Dstack.dir=*) mkdir -p "${word#-Dstack.dir=}/kafka";; esac; done';
    const bin = await programs('half', {
      java: null,
      mkdir: null,
      mvn: `${half}; echo "[ERROR] Could not transfer artifact"; exit 1`,
    });
    for (const attempt of [1, 2]) {
      const failed = await stack(['start', '--dir', newDir(`half-${attempt}`)], {
        PATH: bin,
        FORETILL_STACK_CACHE: cache,
      });
      expect(failed.code).toBe(10);
      expect(failed.stderr).toContain(
        'Maven could not fetch the local stack:\n[ERROR] Could not transfer artifact\n',
      );
      expect(failed.stderr).toContain('what to do: Check the network, or the mirror and proxy in');
      expect(readdirSync(cache)).toEqual([]);
    }
  });
});

/** A directory with these programs alone: shell scripts, or (null) the machine's own. */
async function programs(name: string, scripts: Readonly<Record<string, string | null>>): Promise<string> {
  const bin = join(root, `${name}-bin`);
  await mkdir(bin);
  for (const [program, script] of Object.entries(scripts)) {
    const path = join(bin, program);
    if (script === null) {
      await symlink(findProgram([program])!, path);
    } else {
      await writeFile(path, `#!/bin/sh\n${script}\n`);
      await chmod(path, 0o755);
    }
  }
  return bin;
}

/** Stopped at the end of the test, whatever it comes to. */
function newDir(name: string): string {
  const dir = mkdtempSync(join(root, `${name}-`));
  dirs.push(dir);
  return dir;
}

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

function stack(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return result(launch(args, env));
}

function launch(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  launched.push(child);
  return child;
}

function result(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

async function statusIn(dir: string): Promise<StackStatus> {
  return statusOf((await stack(['status', '--json', '--dir', dir])).stdout);
}

function statusOf(stdout: string): StackStatus {
  return JSON.parse(stdout) as StackStatus;
}

function partOf({ parts }: StackStatus, name: string): StackStatus['parts'][number] {
  return parts.find((part) => part.name === name)!;
}

function pidsOf({ parts }: StackStatus): number[] {
  return parts.flatMap(({ pid }) => (pid === null ? [] : [pid]));
}

/** The pids that the state file names. */
function startedIn(dir: string): number[] {
  const file = join(dir, 'stack.json');
  if (!existsSync(file)) return [];
  return (JSON.parse(readFileSync(file, 'utf8')) as { parts: { pid: number }[] }).parts.map(({ pid }) => pid);
}
