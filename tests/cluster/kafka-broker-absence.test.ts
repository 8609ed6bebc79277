/** Appends while their broker is killed, paused, or away for too long: a broker of the test's own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBroker } from '../../deploy/stack/broker.ts';
import type { Broker } from '../../deploy/stack/broker.ts';
import type { Log, OutgoingRecord } from '../../src/pipeline/log.ts';
import { until } from '../adapters/log-contract/bench.ts';
import { logOpener } from './open-log.ts';
import { readEverything } from './read-everything.ts';

const open = logOpener();
let dir: string;
let broker: Broker;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'foretill-kafka-absence-'));
  broker = await startBroker({ dir: join(dir, 'broker') });
});
afterAll(async () => {
  await broker.stop();
  await rm(dir, { recursive: true, force: true });
});

const record = (value: string, partition = 0): OutgoingRecord => ({
  key: null,
  value: Buffer.from(value),
  partition,
});

type Acknowledged = { readonly value: string; readonly partition: number; readonly offset: number };

/** Appends one after the other until told to end. */
class Caller {
  readonly acknowledged: Acknowledged[] = [];
  readonly done: Promise<unknown>;
  #ending = false;

  constructor(name: string, append: (value: string) => ReturnType<Log['append']>) {
    // A failure is told by whoever awaits `done`, which may be much later.
    this.done = this.#run(name, append).catch((error: unknown) => error);
  }

  end(): Promise<unknown> {
    this.#ending = true;
    return this.done;
  }

  async #run(name: string, append: (value: string) => ReturnType<Log['append']>): Promise<void> {
    for (let i = 0; !this.#ending; i++) {
      const value = `${name} ${i}`;
      for (const place of await append(value)) this.acknowledged.push({ value, ...place });
    }
  }
}

/** A broker on a busy machine takes its time to start. */
const ABSENT_MS_MAX = 240_000;

test('nothing acknowledged is lost or moved when the broker is killed again and again', async () => {
  const { log, events } = await open({ brokers: [broker.address], limits: { appendMsMax: ABSENT_MS_MAX } });
  await log.ensureTopics([{ name: 'sales', partitions: 2 }]);
  const callers = Array.from(
    { length: 8 },
    (_, i) => new Caller(`caller ${i}`, (value) => log.append('sales', [record(value, i % 2)])),
  );
  for (let kill = 0; kill < 2; kill++) {
    const before = callers.map(({ acknowledged }) => acknowledged.length);
    await until(
      'appends',
      () => callers.every(({ acknowledged }, i) => acknowledged.length > (before[i] ?? 0) + 20),
      ABSENT_MS_MAX,
    );
    await broker.kill();
    await broker.restart();
  }
  expect(await Promise.all(callers.map((caller) => caller.end()))).toEqual(callers.map(() => undefined));
  expect(events.some(({ kind }) => kind === 'retried')).toBe(true);

  const read = await readEverything(log, 'sales');
  for (const { acknowledged } of callers) {
    for (const { value, partition, offset } of acknowledged) expect(read[partition]?.[offset]).toBe(value);
    const offsets = acknowledged.map(({ offset }) => offset);
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
  }
  const sent = callers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
  expect(read.flat()).toHaveLength(sent);
});

test('a broker that answers nothing for a while gets each record once', async () => {
  const { log } = await open({
    brokers: [broker.address],
    limits: { requestMsMax: 1_500, connectMsMax: 1_000 },
  });
  await log.ensureTopics([{ name: 'paused', partitions: 1 }]);
  await log.append('paused', [record('before')]);
  broker.pause();
  const appended = log.append('paused', [record('meanwhile')]);
  const next = log.append('paused', [record('and then')]);
  await delay(6_000);
  broker.resume();
  await appended;
  await next;
  expect(await readEverything(log, 'paused')).toEqual([['before', 'meanwhile', 'and then']]);
});

test('an append is given up in time, says where and why, and works again when the broker is back', async () => {
  const { log } = await open({ brokers: [broker.address], limits: { appendMsMax: 2_000 } });
  await log.ensureTopics([{ name: 'given-up', partitions: 1 }]);
  await log.append('given-up', [record('before')]);
  await broker.kill();
  await expect(log.append('given-up', [record('lost')])).rejects.toMatchObject({
    code: 'LOG_UNAVAILABLE',
    message: expect.stringContaining(broker.address),
  });
  await expect(log.offsets('given-up')).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  await broker.restart();
  const places = await log.append('given-up', [record('after')]);
  expect(places).toEqual([{ partition: 0, offset: 1 }]);
  expect(await readEverything(log, 'given-up')).toEqual([['before', 'after']]);
});

test('a log is closed also while its broker answers nothing; what was under way is refused', async () => {
  const { log } = await open({
    brokers: [broker.address],
    limits: { appendMsMax: ABSENT_MS_MAX, questionMsMax: ABSENT_MS_MAX, closeMsMax: 500 },
  });
  await log.ensureTopics([{ name: 'closing', partitions: 1 }]);
  await log.append('closing', [record('before')]);
  broker.pause();
  try {
    const underWay = [log.append('closing', [record('meanwhile')]), log.append('closing', [record('next')])];
    const refused = Promise.allSettled(underWay);
    const asking = log.offsets('closing').catch((error: unknown) => error);
    await log.close();
    for (const { reason } of (await refused) as PromiseRejectedResult[]) {
      expect(reason).toMatchObject({
        code: 'LOG_UNAVAILABLE',
        message: expect.stringContaining('the log was closed'),
      });
    }
    expect(await asking).toMatchObject({ code: 'LOG_UNAVAILABLE' });
  } finally {
    broker.resume();
  }
});

test('a question that its broker does not answer is given up in time, and can be asked again', async () => {
  const { log } = await open({
    brokers: [broker.address],
    limits: { requestMsMax: ABSENT_MS_MAX, questionMsMax: 1_000 },
  });
  await log.ensureTopics([{ name: 'asked', partitions: 2 }]);
  broker.pause();
  try {
    const questions = [
      () => log.offsets('asked'),
      () => log.topics(),
      () => log.committed('somebody', 'asked'),
    ];
    for (const ask of questions) {
      await expect(ask()).rejects.toMatchObject({
        code: 'LOG_UNAVAILABLE',
        message: expect.stringMatching(/took Kafka at .* longer than 1 s/),
      });
    }
  } finally {
    broker.resume();
  }
  const ranges = new Map([0, 1].map((partition) => [partition, { start: 0, end: 0 }]));
  expect(await log.offsets('asked')).toEqual(ranges);
});
