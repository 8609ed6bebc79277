/**
 * The demonstration through Kafka, as its user starts it: role processes, tickets and forecasts that others can read
 * with any client; Ctrl-C ends all of it, and started again it goes on from there.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { findProgram } from '../../deploy/stack/find-program.ts';
import { freePort } from '../../deploy/stack/free-port.ts';
import { deleteTopics } from '../../src/adapters/kafka/topics/delete-topics.ts';
import { DEFAULT_CONFIG } from '../../src/config.ts';
import { TOPICS, topicSpecs } from '../../src/pipeline/topics.ts';
import { readTopic } from '../read-topic.ts';
import { eventually, startForetill } from '../system/live-process.ts';
import type { LiveProcess } from '../system/live-process.ts';
import { cleanUpsAfterEach } from './clean-ups.ts';
import { logOpener } from './open-log.ts';
import { stackAddresses } from './stack.ts';
import { processesOf } from './system/process-group.ts';

/** On a machine of the CI nothing may be missing. */
const READS_WITH_KCAT =
  findProgram(['kcat']) !== null || ['true', '1'].includes(process.env['CI'] ?? 'false');
const NAMESPACE = `demo-${randomUUID().slice(0, 8)}`;
const DEMO = 'demo --kafka --headless --stores 3 --speed 600';
const READY_MS_MAX = 180_000;
const SERIES = /^(?:hour|day)\/(?:units|revenue)\//;

type Status = {
  readonly now: string;
  readonly transactions_total: number;
  readonly roles: readonly { readonly role: string; readonly ready: boolean }[];
};
type Forecast = { readonly origin: string; readonly issued_at: string; readonly mean: readonly number[] };
type Demo = { readonly live: LiveProcess; readonly group: number; readonly api: string };

const cleanUp = cleanUpsAfterEach();
const open = logOpener();

test('the demonstration through Kafka sells, forecasts, stops and goes on', async () => {
  const { brokers, registryUrl } = stackAddresses();
  const dir = await mkdtemp(join(tmpdir(), 'foretill-demo-kafka-'));
  cleanUp(() => rm(dir, { recursive: true, force: true }));
  cleanUp(() => deleteAll(brokers));
  const environment = {
    KAFKA_BROKERS: brokers.join(','),
    SCHEMA_REGISTRY_URL: registryUrl,
    FORETILL_NAMESPACE: NAMESPACE,
  };

  const first = await startDemo(dir, environment);
  await allReady(first);
  expect(first.live.output()).toContain('Learning from history');
  expect(roleProcesses(first)).toHaveLength(2);
  const opened = await lookAt(first);
  await sells(first);
  if (READS_WITH_KCAT) expect(await firstKey(brokers[0]!, TOPICS.forecasts)).toMatch(SERIES);
  const before = await lookAt(first);
  // Ctrl-C in a terminal reaches the whole group.
  await stop(first, () => process.kill(-first.group, 'SIGINT'));

  const sent = await ticketsSent();
  const keptMs = placeKept(dir);
  expect(keptMs).toBeGreaterThan(Date.parse(opened.status.now));
  const second = await startDemo(dir, environment);
  await allReady(second);
  expect(second.live.output()).not.toContain('Simulating');
  const after = await lookAt(second);
  expect(Date.parse(after.status.now)).toBeGreaterThanOrEqual(keptMs - (keptMs % 1_000));
  expect(Date.parse(after.forecast.origin)).toBeGreaterThanOrEqual(Date.parse(before.forecast.origin));
  await sells(second);
  await stop(second, () => second.live.child.kill('SIGINT'));

  // Those of the first run are still there, and what the second has sent are others.
  const all = await ticketsSent();
  expect(all).toEqual(expect.arrayContaining(sent));
  expect(all.length).toBeGreaterThan(sent.length);
  expect(new Set(all).size).toBe(all.length);
});

async function startDemo(dir: string, environment: Readonly<Record<string, string>>): Promise<Demo> {
  const port = await freePort();
  const live = startForetill([...DEMO.split(' '), '--port', String(port), '--dir', dir], environment);
  const group = live.child.pid!;
  cleanUp(async () => {
    if (processesOf(group).length > 0) process.kill(-group, 'SIGKILL');
    await eventually('all of it is gone', async () => (processesOf(group).length === 0 ? true : null));
  });
  return { live, group, api: `http://127.0.0.1:${port}/api/v1` };
}

/** Until it can do its work, and the tills are open. */
async function allReady(demo: Demo): Promise<void> {
  await until(
    demo,
    'all roles are ready',
    async () => {
      const { roles } = await ask<Status>(demo, 'status');
      const ready = roles.filter((each) => each.ready).map(({ role }) => role);
      return ready.length === 3 && demo.live.output().includes('Ctrl-C stops it');
    },
    READY_MS_MAX,
  );
}

/** Until tickets have come in and the forecast is another one. */
async function sells(demo: Demo): Promise<void> {
  const before = await lookAt(demo);
  await until(demo, 'tickets are sold', async () => {
    const { transactions_total } = await ask<Status>(demo, 'status');
    return transactions_total > before.status.transactions_total;
  });
  await until(demo, 'an hour closes and is forecast', async () => {
    const { forecast } = await lookAt(demo);
    return forecast.origin > before.forecast.origin && String(forecast.mean) !== String(before.forecast.mean);
  });
}

async function lookAt(demo: Demo): Promise<{ status: Status; forecast: Forecast }> {
  const series = encodeURIComponent('hour/units/total');
  const { forecast } = await ask<{ forecast: Forecast }>(demo, `series/${series}/forecast`);
  return { status: await ask<Status>(demo, 'status'), forecast };
}

async function ask<T>({ api }: Demo, path: string): Promise<T> {
  const answer = await fetch(`${api}/${path}`);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

async function until(
  { live }: Demo,
  what: string,
  isSo: () => Promise<boolean>,
  deadlineMs = 60_000,
): Promise<void> {
  try {
    await eventually(what, async () => (live.ended() || (await isSo()) ? true : null), deadlineMs);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${live.output()}`, { cause: error });
  }
  if (live.ended()) throw new Error(`ended before this was so: ${what}\n${live.output()}`);
}

async function stop({ live, group }: Demo, interrupt: () => void): Promise<void> {
  interrupt();
  await eventually('it has ended', async () => (live.ended() ? true : null));
  expect(live.child.exitCode, live.output()).toBe(0);
  expect(processesOf(group)).toEqual([]);
}

function roleProcesses({ group }: Demo): string[] {
  return processesOf(group).filter((line) => line.includes('role-process.ts'));
}

/** Of the oldest record of a topic, as anybody's client shows it. */
async function firstKey(broker: string, topic: string): Promise<string> {
  const what = [
    '-C',
    '-b',
    broker,
    '-t',
    `${NAMESPACE}.${topic}`,
    '-o',
    'beginning',
    '-c',
    '1',
    '-e',
    '-f',
    '%k',
  ];
  return (await promisify(execFile)('kcat', what, { timeout: 60_000 })).stdout;
}

/** What the demonstration's clock showed when it was last written down, milliseconds. */
function placeKept(dir: string): number {
  return (JSON.parse(readFileSync(join(dir, 'demo.json'), 'utf8')) as { nowMs: number }).nowMs;
}

async function ticketsSent(): Promise<string[]> {
  const { log } = await open({ brokers: stackAddresses().brokers, namespace: NAMESPACE });
  const records = await readTopic(log, TOPICS.transactions);
  return records.map(({ value }) => String(value?.toString('base64')));
}

async function deleteAll(brokers: readonly string[]): Promise<void> {
  const address = { brokers, clientId: 'foretill-test', namespace: NAMESPACE };
  const topics = topicSpecs(DEFAULT_CONFIG).map(({ name }) => name);
  await deleteTopics(address, DEFAULT_CONFIG.kafka, { topics, groups: [] });
}
