/** Members of a group that come, die, are stopped, are slow or hang, on a broker of their own. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TopicPartition } from '../../src/pipeline/log.ts';
import {
  after,
  joinRecording,
  numbered,
  numbers,
  recordsOf,
  uniqueName,
  until,
  valuesOf,
} from '../adapters/log-contract/bench.ts';
import type { MemberNews, MemberOrder } from './member-process.ts';
import { QUICK_LIMITS, startOwnBroker } from './own-broker.ts';
import type { OpenedLog, OwnBroker } from './own-broker.ts';

const DEADLINE_MS = 60_000;
const { sessionTimeoutMs } = QUICK_LIMITS;

let own: OwnBroker;
const children: ChildProcess[] = [];

beforeAll(async () => {
  own = await startOwnBroker();
}, 240_000);

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await own.dispose();
}, 120_000);

const soon = (what: string, condition: () => boolean): Promise<void> => until(what, condition, DEADLINE_MS);

async function newTopic({ log }: OpenedLog, partitions: number): Promise<string> {
  const topic = uniqueName('topic');
  await log.ensureTopics([{ name: topic, partitions }]);
  return topic;
}

/** A member in a process of its own. */
function startMember(order: Omit<MemberOrder, 'address' | 'limits'>): {
  child: ChildProcess;
  news: MemberNews[];
} {
  const child = fork(fileURLToPath(new URL('./member-process.ts', import.meta.url)), { execArgv: [] });
  const news: MemberNews[] = [];
  children.push(child);
  child.on('message', (message) => news.push(message as MemberNews));
  child.send({ ...order, address: own.address, limits: QUICK_LIMITS } satisfies MemberOrder);
  return { child, news };
}

function lastAssigned(news: readonly MemberNews[]): number[] {
  const last = news.findLast(({ kind }) => kind === 'assigned' || kind === 'revoked');
  return last?.kind === 'assigned' ? last.partitions : [];
}

function gate(): { readonly open: () => void; readonly passed: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { open: resolve, passed: promise };
}

describe('a group on Kafka', () => {
  it('is shared among clients, and shown by Kafka’s own tools', async () => {
    const [a, b] = [await own.open(), await own.open()];
    const topic = await newTopic(a, 5);
    const first = await joinRecording(a.log, { topics: [topic] });
    await soon('the first', () => first.seen.assigned.at(-1)?.length === 5);
    const second = await joinRecording(b.log, { topics: [topic], group: first.group });
    await soon('the second', () => second.seen.assigned.length === 1 && first.seen.assigned.length === 2);
    const shares = [first, second].map(
      ({ seen }) => seen.assigned.at(-1)?.map(({ partition }) => partition) ?? [],
    );
    expect(new Set(shares.flat())).toEqual(new Set([0, 1, 2, 3, 4]));
    expect(new Set(shares.map(({ length }) => length))).toEqual(new Set([2, 3]));

    const admin = new Kafka({ brokers: [...own.address.brokers], logLevel: logLevel.NOTHING }).admin();
    const { groups } = await admin.describeGroups([`${own.address.namespace}.${first.group}`]);
    await admin.disconnect();
    expect(groups[0]).toMatchObject({ state: 'Stable', protocol: 'range', protocolType: 'consumer' });
    expect(groups[0]?.members).toHaveLength(2);

    expect(a.events.filter(({ kind }) => kind === 'rebalanced')).toMatchObject([
      { group: first.group, members: 1, partitions: 5 },
      { group: first.group, partitions: shares[0]?.length },
    ]);
    await first.consumer.stop();
    await soon('all to the second', () => second.seen.assigned.at(-1)?.length === 5);
    await second.consumer.stop();
    expect([...a.events, ...b.events].filter(({ kind }) => kind === 'lost')).toEqual([]);
  });

  it('goes on without a member that dies, from what that had committed', async () => {
    const a = await own.open();
    const topic = await newTopic(a, 2);
    const group = uniqueName('group');
    await a.log.append(topic, [...numbered(5), ...numbered(5, { partition: 1 })]);
    const { child, news } = startMember({ group, topic, stoppedMs: sessionTimeoutMs });
    await soon('the child’s work', () => news.filter(({ kind }) => kind === 'batch').length === 2);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await a.log.append(topic, [...numbered(5, { from: 5 }), ...numbered(5, { from: 5, partition: 1 })]);
    const { consumer, seen } = await joinRecording(a.log, { topics: [topic], group });
    await soon('all of its partitions', () => seen.assigned.at(-1)?.length === 2);
    await soon(
      'the rest',
      () =>
        valuesOf(recordsOf(seen.batches)).includes('9') && valuesOf(recordsOf(seen.batches, 1)).includes('9'),
    );
    await consumer.stop();
    // Killed between a batch and its commit it would have come again; committed it must not.
    const committed = seen.assigned.at(-1)?.map((each) => each.committed?.offset ?? 0) ?? [];
    for (const partition of [0, 1]) {
      const from = committed[partition] ?? 0;
      expect(valuesOf(recordsOf(seen.batches, partition))).toEqual(numbers(10 - from, from));
    }
  });

  it('takes a stopped member’s partitions, which knows it at its first look when it goes on', async () => {
    const a = await own.open();
    const topic = await newTopic(a, 2);
    const group = uniqueName('group');
    const { child, news } = startMember({ group, topic, stoppedMs: sessionTimeoutMs });
    await soon('the child', () => lastAssigned(news).length === 2);
    const { consumer, seen } = await joinRecording(a.log, { topics: [topic], group }, (itself) => ({
      eachBatch: async (batch) => itself().commit([after(batch, 'parent')]),
    }));
    await soon('halves', () => lastAssigned(news).length === 1 && seen.assigned.at(-1)?.length === 1);
    const stopped = lastAssigned(news)[0] ?? -1;
    const stoppedMs = performance.now();
    child.kill('SIGSTOP');
    await a.log.append(topic, [...numbered(3), ...numbered(3, { partition: 1 })]);
    await soon('all to the parent', () => seen.assigned.at(-1)?.length === 2);
    await soon('the records', () => seen.records === 6);
    await soon('twice the session', () => performance.now() - stoppedMs > 2 * sessionTimeoutMs);
    child.kill('SIGCONT');
    await soon('its first look', () => news.some(({ kind }) => kind === 'continued'));
    expect(news.find(({ kind }) => kind === 'continued')).toEqual({
      kind: 'continued',
      partition: stopped,
      holds: false,
      commit: 'LOG_UNAVAILABLE',
    });
    await soon('halves again', () => lastAssigned(news).length === 1 && seen.assigned.at(-1)?.length === 1);
    const revoked = news.filter(({ kind }) => kind === 'revoked').at(-1);
    expect(revoked).toMatchObject({ held: [false] });
    expect(news.findLast(({ kind }) => kind === 'assigned')).toMatchObject({ held: [true] });
    const holders = [
      ...lastAssigned(news),
      ...(seen.assigned.at(-1) ?? []).map(({ partition }) => partition),
    ];
    expect(holders).toHaveLength(2);
    expect(new Set(holders)).toEqual(new Set([0, 1]));
    expect((await a.log.committed(group, topic)).get(stopped)).toEqual({ offset: 3, metadata: 'parent' });
    expect(news.filter(({ kind }) => kind === 'crashed')).toEqual([]);
    await consumer.stop();
    child.kill('SIGKILL');
  });

  it('waits for a member that takes longer to start than its session, and hears of it all the while', async () => {
    const a = await own.open();
    const topic = await newTopic(a, 2);
    const learned = gate();
    const order: string[] = [];
    let times = 0;
    const first = await joinRecording(a.log, { topics: [topic] }, () => ({
      async onAssigned() {
        if (++times === 1) await learned.passed;
        order.push('first assigned');
      },
      onRevoked: async () => void order.push('first revoked'),
    }));
    await soon('its assignment', () => first.seen.assigned.length === 1);
    const startedMs = performance.now();
    const second = await joinRecording(a.log, { topics: [topic], group: first.group }, () => ({
      onAssigned: async () => void order.push('second assigned'),
    }));
    await soon('two sessions', () => performance.now() - startedMs > 2 * sessionTimeoutMs);
    expect(order).toEqual([]);
    expect(first.consumer.holds({ topic, partition: 0 })).toBe(true);
    learned.open();
    await soon('both', () => order.length === 4);
    expect(order.slice(0, 2)).toEqual(['first assigned', 'first revoked']);
    expect(order.slice(2).sort()).toEqual(['first assigned', 'second assigned']);
    expect(a.events.filter(({ kind }) => kind === 'lost')).toEqual([]);
    await Promise.all([first.consumer.stop(), second.consumer.stop()]);
  });

  it('does not wait for ever for a batch: who holds on too long holds nothing when another gets it', async () => {
    const a = await own.open({ rebalanceTimeoutMs: 3_000 });
    const topic = await newTopic(a, 1);
    await a.log.append(topic, numbered(1));
    const working = gate();
    const commits: string[] = [];
    const held: boolean[] = [];
    const part: TopicPartition = { topic, partition: 0 };
    const first = await joinRecording(a.log, { topics: [topic] }, (itself) => ({
      async eachBatch(batch) {
        await working.passed;
        await itself()
          .commit([after(batch)])
          .catch((error: { code: string }) => commits.push(error.code));
      },
      onRevoked: async () => void held.push(itself().holds(part)),
    }));
    await soon('a batch in work', () => first.seen.batches.length === 1);
    const firstHolds: boolean[] = [];
    const second = await joinRecording(a.log, { topics: [topic], group: first.group }, () => ({
      onAssigned: async () => void firstHolds.push(first.consumer.holds(part)),
    }));
    await soon('the second', () => second.seen.records === 1);
    expect(firstHolds).toEqual([false]);
    expect(first.seen.revoked).toEqual([]);
    working.open();
    await soon('the first to know', () => first.seen.revoked.length === 1);
    expect({ commits, held }).toEqual({ commits: ['LOG_UNAVAILABLE'], held: [false] });
    expect(a.events.filter(({ kind }) => kind === 'lost')).toEqual([{ kind: 'lost', group: first.group }]);
    await Promise.all([first.consumer.stop(), second.consumer.stop()]);
    expect(first.seen.crashes).toEqual([]);
  });

  it('is left at once by who is still waiting to be let in', async () => {
    const a = await own.open();
    const topic = await newTopic(a, 2);
    await a.log.append(topic, numbered(1));
    const working = gate();
    const first = await joinRecording(a.log, { topics: [topic] }, () => ({
      eachBatch: () => working.passed,
    }));
    await soon('a batch in work', () => first.seen.batches.length === 1);
    const second = await joinRecording(a.log, { topics: [topic], group: first.group });
    const leftMs = performance.now();
    await second.consumer.stop();
    expect(performance.now() - leftMs).toBeLessThan(QUICK_LIMITS.rebalanceTimeoutMs);
    working.open();
    await first.consumer.stop();
    const third = await joinRecording(a.log, { topics: [topic], group: first.group });
    await soon('the third', () => third.seen.assigned.at(-1)?.length === 2);
    await third.consumer.stop();
    expect(second.seen.assigned).toEqual([]);
  });

  it('is left by a member whose handler hangs', async () => {
    const a = await own.open({ stalledMsMax: 1_000 });
    const topic = await newTopic(a, 1);
    await a.log.append(topic, numbered(1));
    const hanging = await joinRecording(a.log, { topics: [topic] }, () => ({
      eachBatch: () => new Promise(() => undefined),
    }));
    await soon('the crash', () => hanging.seen.crashes.length === 1);
    expect(hanging.seen.crashes).toMatchObject([{ code: 'LOG_UNAVAILABLE' }]);
    expect(a.events.filter(({ kind }) => kind === 'stalled')).toEqual([
      { kind: 'stalled', group: hanging.group, topics: [topic], seconds: 1, inHandler: true },
    ]);
    await hanging.consumer.stop();
    expect(hanging.consumer.holds({ topic, partition: 0 })).toBe(false);
    const next = await joinRecording(a.log, { topics: [topic], group: hanging.group });
    await soon('the next', () => next.seen.records === 1);
    await next.consumer.stop();
    // Who has left does not go on asking.
    expect(a.events.filter(({ kind }) => kind === 'retried')).toEqual([]);
  });

  it('loses a member for good when its topic is deleted', async () => {
    const a = await own.open();
    const topic = await newTopic(a, 1);
    const { consumer, seen } = await joinRecording(a.log, { topics: [topic] });
    await soon('its assignment', () => seen.assigned.length === 1);
    const admin = new Kafka({ brokers: [...own.address.brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.deleteTopics({ topics: [`${own.address.namespace}.${topic}`] });
    await admin.disconnect();
    await soon('the crash', () => seen.crashes.length === 1);
    expect(seen.crashes).toMatchObject([{ code: 'INPUT_NOT_FOUND' }]);
    await consumer.stop();
    assert(a.events.some(({ kind }) => kind === 'retried'));
  });
});
