/**
 * The schema registry is away when roles start, and while they run and meet a schema that they do not know; and ids come
 * in that no registry knows. Roles wait where they must, say so, go on by themselves, and do not flood it with questions.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import { readLetter } from '../../src/commands/dlq/letter.ts';
import { partitionForKey } from '../../src/pipeline/partitioner.ts';
import { deadLetterTopic, TOPICS } from '../../src/pipeline/topics.ts';
import { readTopic } from '../read-topic.ts';
import { isRefused } from '../simulation/traffic.ts';
import { eventually } from '../system/live-process.ts';
import { cleanUpsAfterEach } from './clean-ups.ts';
import { poison } from '../poison.ts';
import { startRegistryProxy } from './registry-proxy.ts';
import type { RegistryProxy } from './registry-proxy.ts';
import { stackAddresses } from './stack.ts';
import { behind } from './system/behind.ts';
import { openClusterSystem } from './system/cluster-system.ts';
import type { ClusterSystem } from './system/cluster-system.ts';
import { makeDays, UNTIL_MS } from './system/days.ts';
import { otherWriter } from './system/other-writer.ts';
import { heldUp } from './system/readiness.ts';
import { startRole } from './system/role-process.ts';

const SEED = process.env['FORETILL_SEED'] ?? 'registry';
const LETTERS = deadLetterTopic(TOPICS.transactions);
const STORE = '406';
/** How long it is looked at that nothing is committed. */
const STANDS_STILL_MS = 5_000;
const ASKED_AGAIN_MS = 30_000;

const cleanUp = cleanUpsAfterEach();
let proxy: RegistryProxy;
let system: ClusterSystem;

beforeEach(async () => {
  proxy = await startRegistryProxy(stackAddresses().registryUrl);
  cleanUp(() => proxy.stop());
  system = await openClusterSystem({ seed: SEED, registryUrl: proxy.url });
  cleanUp(() => system.close());
});

test(`roles start and work without a registry, by the schemas they have seen (seed ${SEED})`, async () => {
  const { all } = makeDays(SEED, { perHour: 4, config: system.config });
  await proxy.stop();
  system.keep('ingest');
  system.keep('forecast');
  await system.send(all);
  await system.settled(UNTIL_MS);
  await system.judge(all, UNTIL_MS);
  expect(system.failures()).toEqual([]);
});

test('a role that has seen no schemas waits for the registry, says so, and goes on when it comes', async () => {
  const empty = await mkdtemp(join(tmpdir(), 'foretill-empty-'));
  await writeFile(join(empty, 'foretill.json'), JSON.stringify(system.config));
  await proxy.stop();
  const role = startRole('ingest', { ...system.environment, FORETILL_DIR: empty });
  try {
    await eventually('it says what it waits for', async () =>
      role.output().includes(`The schema registry at ${proxy.url} refuses the connection`) ? true : null,
    );
    expect(role.hasEnded()).toBe(false);
    await proxy.start();
    await role.ready();
  } finally {
    await role.kill('SIGKILL');
    await rm(empty, { recursive: true, force: true });
  }
});

test(`a ticket by a new schema waits until the registry is back, and only its partition (seed ${SEED})`, async () => {
  const { sent, last, all } = makeDays(SEED, { perHour: 6, config: system.config });
  const half = Math.ceil(sent.length / 2);
  const newer = await otherWriter(system, (ours) => ({
    ...ours,
    fields: [...ours.fields, { name: 'loyalty_tier', type: ['null', 'string'], default: null }],
  }));
  const ingest = system.keep('ingest');
  system.keep('forecast');
  await system.send(sent.slice(0, half));
  await eventually('all is committed', async () => ((await behind(system)).size === 0 ? true : null));

  await proxy.stop();
  const rest = sent.slice(half);
  const first = rest.find((each) => each.store === STORE && !isRefused(each))!;
  await system.append([newer.record(first.message!, { loyalty_tier: 'gold' })]);
  await system.send(rest.filter((each) => each !== first));
  expect(await heldUp(ingest.current())).toContain('Role ingest waits for the schema registry');
  expect(ingest.current().output()).toContain(`The schema registry at ${proxy.url} refuses the connection`);
  const partition = partitionForKey(Buffer.from(STORE), system.config.transactionPartitions);
  await eventually('the others are committed', async () =>
    String([...(await behind(system)).keys()]) === String(partition) ? true : null,
  );
  await delay(STANDS_STILL_MS);
  expect([...(await behind(system)).keys()]).toEqual([partition]);

  await proxy.start();
  await eventually('the partition goes on', async () => ((await behind(system)).size === 0 ? true : null));
  await ingest.current().ready();
  await system.send(last);
  await system.settled(UNTIL_MS);
  await system.judge(all, UNTIL_MS);
  expect(system.failures()).toEqual([]);
});

test(`ids that no registry knows are asked for once, whatever comes in (seed ${SEED})`, async () => {
  const { all } = makeDays(SEED, { perHour: 4, config: system.config });
  const source = poison({ seed: SEED, codec: system.platform.codec, kinds: ['unknown_schema'] });
  system.keep('ingest');
  system.keep('forecast');
  const sinceMs = performance.now();
  const bad = source.take(400);
  for (let at = 0; at < bad.length; at += 20) {
    await system.append(bad.slice(at, at + 20).map(({ record }) => ({ ...record, refused: true })));
    await delay(100);
  }
  await system.send(all);
  await system.settled(UNTIL_MS);
  const rounds = 1 + Math.floor((performance.now() - sinceMs) / ASKED_AGAIN_MS);
  await system.judge(all, UNTIL_MS);

  const unknown = (await readTopic(system.platform.log, LETTERS))
    .map((record) => readLetter({ topic: LETTERS, partition: record.partition }, record))
    .filter(({ reason }) => reason === 'unknown_schema');
  expect(unknown).toHaveLength(bad.length);
  const asked = new Map<string, number>();
  for (const request of proxy.requests.filter((each) => /^GET \/schemas\/ids\/2\d{9}/.test(each)))
    asked.set(request, (asked.get(request) ?? 0) + 1);
  expect(asked.size).toBe(new Set(bad.map(({ record }) => record.value?.readInt32BE(1))).size);
  expect(Math.max(...asked.values())).toBeLessThanOrEqual(rounds);
  expect(system.failures()).toEqual([]);
});
