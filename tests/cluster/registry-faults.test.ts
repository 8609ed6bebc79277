/** A real registry that is down, slow, cut off, locked, or does not know an id. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createCodec } from '../../src/adapters/avro/codec.ts';
import { manualClock } from '../../src/clock.ts';
import { TOPICS } from '../../src/pipeline/topics.ts';
import { FULL_MESSAGES } from '../adapters/avro/messages.ts';
import {
  askRegistry,
  newNamespace,
  openRegistry,
  registerForeign,
  subjectsWith,
  temporaryDirectory,
  TRANSACTIONS,
} from './registry-fixture.ts';
import type { OpenRegistry } from './registry-fixture.ts';
import { startRegistryProxy } from './registry-proxy.ts';
import type { Fault, RegistryProxy } from './registry-proxy.ts';
import { stackAddresses } from './stack.ts';

const NOBODYS_ID = 2_000_000_001;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let namespace: string;
let proxy: RegistryProxy;

beforeEach(async () => {
  directory = await temporaryDirectory();
  namespace = newNamespace();
  proxy = await startRegistryProxy(stackAddresses().registryUrl);
});
afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await directory.remove();
});

type Overrides = Parameters<typeof openRegistry>[1];

/** Through the proxy. */
function open(overrides: Overrides = {}): Promise<OpenRegistry> {
  return openRegistry(directory.path, { url: proxy.url, namespace, ...overrides });
}

/** The id of a schema of nobody else's. */
function newForeignSchema(): Promise<number> {
  const name = `Foreign${namespace.slice(0, -1)}`;
  return registerForeign(`${namespace}foreign-value`, { type: 'record', name, fields: [] });
}

/** A busy machine takes its time. */
function eventually(check: () => unknown): Promise<unknown> {
  return vi.waitFor(check, { timeout: 30_000 });
}

function kinds(registry: OpenRegistry): string[] {
  return registry.events.map(({ kind }) => kind);
}

describe('down at the start', () => {
  test('with cached schemas, messages are written and read', async () => {
    const written = await createCodec(await open());
    const bytes = written.encode(TOPICS.transactions, FULL_MESSAGES[TOPICS.transactions]);
    await proxy.stop();
    for (const mode of ['check', 'register'] as const) {
      const registry = await open({ mode });
      const codec = await createCodec(registry);
      expect(codec.encode(TOPICS.transactions, FULL_MESSAGES[TOPICS.transactions])).toEqual(bytes);
      expect(codec.decode(TOPICS.transactions, bytes)).toEqual(FULL_MESSAGES[TOPICS.transactions]);
      expect(registry.events).toEqual(
        Object.values(TOPICS).map((topic) => ({
          kind: 'published',
          subject: `${namespace}${topic}-value`,
          id: expect.any(Number) as number,
          from: 'cache',
          registered: 0,
        })),
      );
    }
  });

  test('a registry that never answers costs the start one request’s time, not one for each subject', async () => {
    await createCodec(await open());
    proxy.spoil({ kind: 'hang' });
    const asked = proxy.requests.length;
    await createCodec(await open({ limits: { requestMsMax: 100 } }));
    expect(proxy.requests.length - asked).toBe(1);
  });

  test('without them it waits, says so again and again, and goes on when the registry comes', async () => {
    await proxy.stop();
    const registry = await open({ limits: { waitSaidEveryMs: 20 } });
    const published = registry.publish(TRANSACTIONS);
    const waiting = () => registry.events.filter(({ kind }) => kind === 'waiting');
    await eventually(() => expect(waiting().length).toBeGreaterThan(2));
    expect(waiting()[0]).toMatchObject({
      subject: namespace + TRANSACTIONS,
      waitedMs: expect.any(Number) as number,
      error: {
        code: 'SCHEMA_UNKNOWN',
        message: `The schema registry at ${proxy.url} refuses the connection.`,
        remedy: expect.stringContaining('SCHEMA_REGISTRY_URL') as string,
      },
    });
    await proxy.start();
    expect((await published).id).toBeGreaterThan(0);
    expect(kinds(registry).at(-1)).toBe('published');
  });

  test('it says so no more often than it was told to', async () => {
    await proxy.stop();
    const clock = manualClock(0);
    const stop = new AbortController();
    const registry = await open({ clock, signal: stop.signal, limits: { retryDelayMsMax: 5 } });
    const refused = expect(registry.publish(TRANSACTIONS)).rejects.toMatchObject({ code: 'SCHEMA_UNKNOWN' });
    await eventually(() => expect(registry.events).toHaveLength(1));
    clock.advance(5_000);
    await eventually(() => expect(registry.events).toHaveLength(2));
    expect(registry.events.map((event) => 'waitedMs' in event && event.waitedMs)).toEqual([0, 5_000]);
    stop.abort();
    await refused;
  });

  test('a schema that is newer than the cached one is waited for', async () => {
    const v1 = { type: 'record', name: 'Sample', fields: [] };
    const v2 = { ...v1, fields: [{ name: 'a', type: 'int', default: 0 }] };
    await (await open({ subjects: await subjectsWith(TRANSACTIONS, [v1]) })).publish(TRANSACTIONS);
    await proxy.stop();
    const newer = await open({ subjects: await subjectsWith(TRANSACTIONS, [v1, v2]) });
    const published = newer.publish(TRANSACTIONS);
    await eventually(() => expect(kinds(newer)).toContain('waiting'));
    await proxy.start();
    expect((await published).schema).toEqual(v2);
  });

  test.each<[string, Fault]>([
    ['between two requests', { kind: 'status', status: 503, body: '' }],
    ['in the middle of one', { kind: 'hang' }],
  ])('whoever is stopped %s is told what it waited for', async (_, later) => {
    proxy.spoil({ kind: 'status', status: 503, body: '' });
    const stop = new AbortController();
    const pauseMs = later.kind === 'hang' ? 1 : 60_000;
    const limits = { retryDelayMs: pauseMs, retryDelayMsMax: pauseMs };
    const registry = await open({ signal: stop.signal, limits });
    const refused = expect(registry.publish(TRANSACTIONS)).rejects.toMatchObject({
      code: 'SCHEMA_UNKNOWN',
      message: `The schema registry at ${proxy.url} cannot answer now (status 503).`,
    });
    await eventually(() => expect(kinds(registry)).toContain('waiting'));
    proxy.spoil(later);
    const asked = proxy.requests.length;
    if (later.kind === 'hang') await eventually(() => expect(proxy.requests.length).toBeGreaterThan(asked));
    stop.abort();
    await refused;
  });
});

describe('down while running', () => {
  test('known ids go on, another is refused for now, and found when the registry is back', async () => {
    const id = await newForeignSchema();
    const registry = await open();
    const { id: own } = await registry.publish(TRANSACTIONS);
    await proxy.stop();
    expect(await registry.lookUp(own)).not.toBeNull();
    await expect(registry.lookUp(id)).rejects.toMatchObject({
      code: 'SCHEMA_UNKNOWN',
      retryable: true,
      message: `The schema registry at ${proxy.url} refuses the connection.`,
    });
    expect(kinds(registry).filter((kind) => kind === 'retried')).toHaveLength(3);
    await proxy.start();
    await eventually(async () => expect(await registry.lookUp(id)).not.toBeNull());
  });

  test('ids that another process or an earlier run has found are in the cache on disk', async () => {
    const id = await newForeignSchema();
    const running = await open();
    await (await open()).lookUp(id);
    await proxy.stop();
    expect(await running.lookUp(id)).toMatchObject({ type: 'record' });
    expect(await (await open()).lookUp(id)).toMatchObject({ type: 'record' });
  });

  test('many that wait for a dead registry do not ask it one after the other', async () => {
    await proxy.stop();
    const clock = manualClock(0);
    const registry = await open({ clock, limits: { inFlightMax: 2, attemptsMax: 2 } });
    const ids = Array.from({ length: 500 }, (_, index) => NOBODYS_ID + index);
    const outcomes = await Promise.allSettled(ids.map((id) => registry.lookUp(id)));
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect(kinds(registry).filter((kind) => kind === 'looked_up')).toHaveLength(2);
    await proxy.start();
    await expect(registry.lookUp(NOBODYS_ID)).rejects.toMatchObject({ code: 'SCHEMA_UNKNOWN' });
    clock.advance(50);
    expect(await registry.lookUp(NOBODYS_ID)).toBeNull();
  });
});

describe('slow or broken off', () => {
  test('a request that takes too long is cut and repeated', async () => {
    const id = await newForeignSchema();
    const registry = await open({ limits: { requestMsMax: 1_000 } });
    proxy.spoil({ kind: 'slow', ms: 60_000 });
    const found = registry.lookUp(id);
    await eventually(() => expect(registry.events.length).toBeGreaterThan(0));
    expect(registry.events[0]).toMatchObject({
      kind: 'retried',
      id,
      attempt: 1,
      error: { message: `The schema registry at ${proxy.url} did not answer within 1000 ms.` },
    });
    proxy.spoil({ kind: 'none' });
    expect(await found).toMatchObject({ type: 'record' });
  });

  test('slow for ever: the attempts end', async () => {
    proxy.spoil({ kind: 'hang' });
    const registry = await open({ limits: { requestMsMax: 50, attemptsMax: 3 } });
    await expect(registry.lookUp(NOBODYS_ID)).rejects.toMatchObject({ code: 'SCHEMA_UNKNOWN' });
    expect(proxy.requests).toEqual(Array(3).fill(`GET /schemas/ids/${NOBODYS_ID}`));
    expect(registry.events.at(-1)).toMatchObject({ kind: 'looked_up', outcome: 'failed' });
  });

  test('many callers of one id share one request', async () => {
    const id = await newForeignSchema();
    const registry = await open();
    proxy.spoil({ kind: 'slow', ms: 50 });
    const found = await Promise.all(Array.from({ length: 200 }, () => registry.lookUp(id)));
    expect(new Set(found).size).toBe(1);
    expect(await registry.lookUp(id)).toBe(found[0]);
    expect(proxy.requests).toEqual([`GET /schemas/ids/${id}`]);
  });

  test('an answer that is cut off is asked for again', async () => {
    const id = await newForeignSchema();
    const registry = await open();
    proxy.spoil({ kind: 'cut' });
    const found = registry.lookUp(id);
    await eventually(() => expect(kinds(registry)).toContain('retried'));
    proxy.spoil({ kind: 'none' });
    expect(await found).toMatchObject({ type: 'record' });
    expect(registry.events[0]).toMatchObject({
      error: { message: `The schema registry at ${proxy.url} closed the connection before it had answered.` },
    });
  });

  test('a registration whose answer is lost was made all the same, and is not made twice', async () => {
    const registry = await open();
    proxy.spoil({ kind: 'cut', only: /versions$/ });
    const { id } = await registry.publish(TRANSACTIONS);
    expect(registry.events).toMatchObject([
      { kind: 'waiting', error: { message: expect.stringContaining('closed the connection') as string } },
      { kind: 'published', id, registered: 0 },
    ]);
    expect(await askRegistry(`/subjects/${namespace}${TRANSACTIONS}/versions`)).toEqual([1]);
  });
});

describe('an id the registry does not know', () => {
  test('is asked for once in 30 s, whatever comes in', async () => {
    const clock = manualClock(0);
    const registry = await open({ clock });
    const codec = await createCodec(registry);
    const bytes = Buffer.alloc(20);
    bytes.writeInt32BE(NOBODYS_ID, 1);
    const asked = () => proxy.requests.filter((request) => request.includes(String(NOBODYS_ID))).length;
    for (const [atMs, requests] of [
      [0, 1],
      [1, 1],
      [29_999, 1],
      [30_000, 2],
      [59_999, 2],
      [60_000, 3],
    ] as const) {
      clock.advance(atMs - clock.nowMs());
      for (const topic of [TOPICS.transactions, TOPICS.buckets]) await codec.prepare(topic, [bytes, bytes]);
      expect({ atMs, requests: asked() }).toEqual({ atMs, requests });
      expect(() => codec.decode(TOPICS.transactions, bytes)).toThrow(`no schema has the id ${NOBODYS_ID}`);
    }
  });

  test('is found when it is registered meanwhile', async () => {
    const clock = manualClock(0);
    const registry = await open({ clock });
    const id = await newForeignSchema();
    proxy.spoil({ kind: 'status', status: 404, body: '{"error_code":40403,"message":"Schema not found"}' });
    expect(await registry.lookUp(id)).toBeNull();
    proxy.spoil({ kind: 'none' });
    clock.advance(29_999);
    expect(await registry.lookUp(id)).toBeNull();
    clock.advance(1);
    expect(await registry.lookUp(id)).not.toBeNull();
  });

  test('is not asked for when too many others are remembered: the caller comes again', async () => {
    const clock = manualClock(0);
    const registry = await open({ clock, limits: { unknownIdsMax: 3, inFlightMax: 1 } });
    const lookUp = (from: number, count: number) =>
      Promise.allSettled(Array.from({ length: count }, (_, index) => registry.lookUp(from + index)));
    const first = await lookUp(NOBODYS_ID, 5);
    expect(first.map(({ status }) => status)).toEqual([
      ...Array<string>(3).fill('fulfilled'),
      ...Array<string>(2).fill('rejected'),
    ]);
    expect(first[4]).toMatchObject({ reason: { code: 'SCHEMA_UNKNOWN', retryable: true } });
    clock.advance(30_000);
    expect(await registry.lookUp(NOBODYS_ID + 4)).toBeNull();
    expect(proxy.requests).toHaveLength(4);
  });

  test.each([0, -1, -2_147_483_648])('%d is none: it is not asked for at all', async (id) => {
    expect(await (await open()).lookUp(id)).toBeNull();
    expect(proxy.requests).toEqual([]);
  });

  test('a proxy’s own 404 does not make an id unknown', async () => {
    const id = await newForeignSchema();
    const registry = await open({ limits: { retryDelayMsMax: 0 } });
    proxy.spoil({ kind: 'status', status: 404, body: '<h1>default backend</h1>' });
    await expect(registry.lookUp(id)).rejects.toMatchObject({
      code: 'SCHEMA_UNKNOWN',
      message: expect.stringContaining('is no schema registry') as string,
    });
    proxy.spoil({ kind: 'none' });
    expect(await registry.lookUp(id)).not.toBeNull();
  });

  test('of a schema that is not Avro is told apart', async () => {
    const schema = { $schema: 'http://json-schema.org/draft-07/schema#', title: namespace };
    const id = await registerForeign(`${namespace}json-value`, schema, 'JSON');
    const registry = await open();
    expect(await registry.lookUp(id)).toBeNull();
    expect(registry.events).toEqual([
      expect.objectContaining({
        kind: 'looked_up',
        outcome: 'unreadable',
        why: expect.stringContaining('JSON') as string,
      }),
    ]);
  });
});

describe('the cache', () => {
  test('a damaged file is ignored, said, and written anew', async () => {
    const { id } = await (await open()).publish(TRANSACTIONS);
    for (const name of await readdir(directory.path)) await writeFile(join(directory.path, name), '{"id":');
    const registry = await open();
    expect((await registry.publish(TRANSACTIONS)).id).toBe(id);
    expect(kinds(registry).filter((kind) => kind === 'cache_damaged').length).toBeGreaterThan(0);
    await proxy.stop();
    const again = await open();
    expect((await again.publish(TRANSACTIONS)).id).toBe(id);
    expect(kinds(again)).toEqual(['published']);
  });

  test('is forgotten when the registry gives the same schema another id: it was set up anew', async () => {
    const subjects = await subjectsWith(TRANSACTIONS, [
      { type: 'record', name: `A${namespace.slice(0, -1)}`, fields: [] },
    ]);
    const { id } = await (await open({ subjects })).publish(TRANSACTIONS);
    const other = await newForeignSchema();
    await (await open()).lookUp(other);
    const body = JSON.stringify({ id: other });
    proxy.spoil({ kind: 'status', status: 200, body });
    const registry = await open({ subjects, mode: 'check' });
    expect((await registry.publish(TRANSACTIONS)).id).toBe(other);
    expect(kinds(registry)).toEqual(['cache_cleared', 'published']);
    proxy.spoil({ kind: 'none' });
    const asked = proxy.requests.length;
    await (await open()).lookUp(id);
    expect(proxy.requests.length).toBe(asked + 1);
  });
});

describe('a user and a password', () => {
  const password = 'p:äss/wörd';

  test('let us in', async () => {
    proxy.guard('Ann', password);
    const registry = await open({ username: 'Ann', password });
    expect((await registry.publish(TRANSACTIONS)).id).toBeGreaterThan(0);
  });

  test.each([
    ['none', {}],
    ['wrong ones', { username: 'Ann', password: 'wrong-secret' }],
  ])('%s: refused at once, and no secret is told', async (_, credentials) => {
    proxy.guard('Ann', password);
    const registry = await open(credentials);
    const error: unknown = await registry.publish(TRANSACTIONS).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'CONFIG_INVALID',
      message: `The schema registry at ${proxy.url} does not know us (status 401).`,
      remedy: expect.stringContaining('SCHEMA_REGISTRY_PASSWORD') as string,
    });
    await expect(registry.lookUp(NOBODYS_ID)).rejects.toMatchObject({ code: 'SCHEMA_UNKNOWN' });
    const told = JSON.stringify([error, registry.events, (error as Error).cause]);
    expect(told).not.toMatch(/wrong-secret|QW5uO/);
  });
});
