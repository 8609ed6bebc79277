/**
 * The dead letters cannot be written, because one of the two brokers that must have them is away: the partition with
 * something to refuse stands still before it, the others go on, and nothing is dropped.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import { startBroker } from '../../deploy/stack/broker.ts';
import type { Broker } from '../../deploy/stack/broker.ts';
import { names } from '../../src/adapters/kafka/client/names.ts';
import { partitionForKey } from '../../src/pipeline/partitioner.ts';
import { deadLetterTopic, TOPICS } from '../../src/pipeline/topics.ts';
import { isRefused } from '../simulation/traffic.ts';
import { eventually } from '../system/live-process.ts';
import { cleanUpsAfterEach } from './clean-ups.ts';
import { behind } from './system/behind.ts';
import { openClusterSystem, QUICK } from './system/cluster-system.ts';
import type { ClusterSystem } from './system/cluster-system.ts';
import { makeDays, UNTIL_MS } from './system/days.ts';
import { heldUp } from './system/readiness.ts';
import { startSecondBroker } from './system/second-broker.ts';
import { keepTwoCopies } from './system/two-copies.ts';

const SEED = process.env['FORETILL_SEED'] ?? 'dead letters';
const LETTERS = deadLetterTopic(TOPICS.transactions);
const STORE = '406';
/** How long it is looked at that nothing is committed. */
const STANDS_STILL_MS = 5_000;
/** A copy that does not keep up is given up after this time. */
const PROPERTIES = { 'replica.lag.time.max.ms': '3000' };

const cleanUp = cleanUpsAfterEach();
let dir: string;
let first: Broker;
let system: ClusterSystem;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'foretill-dead-letters-'));
  cleanUp(() => rm(dir, { recursive: true, force: true }));
  first = await startBroker({ dir: join(dir, '1'), heapMegabytes: 384, properties: PROPERTIES });
  cleanUp(() => first.stop());
  system = await openClusterSystem({
    seed: SEED,
    brokers: [first.address],
    settings: { kafka: { ...QUICK.kafka!, appendMsMax: 5_000 } },
  });
  cleanUp(() => system.close());
});

test(`while dead letters cannot be written, only the partition that has one stands still (seed ${SEED})`, async () => {
  const { sent, last, all } = makeDays(SEED, { perHour: 8, config: system.config });
  const third = Math.ceil(sent.length / 3);
  const meanwhile = sent.slice(third, 2 * third).filter((each) => !isRefused(each));
  const later = sent.slice(third).filter((each) => !meanwhile.includes(each));
  const ingest = system.keep('ingest');
  system.keep('forecast');
  await system.send(sent.slice(0, third));
  await eventually('all is committed', async () => ((await behind(system)).size === 0 ? true : null));

  const second = await startSecondBroker(join(dir, '2'), join(dir, '1'), PROPERTIES);
  cleanUp(() => second.stop());
  await keepTwoCopies(first.address, names(system.environment['FORETILL_NAMESPACE'] ?? '').wire(LETTERS));
  await second.kill();

  const partition = partitionForKey(Buffer.from(STORE), system.config.transactionPartitions);
  const place = (await system.platform.log.offsets(TOPICS.transactions)).get(partition)?.end ?? 0;
  await system.append([{ key: Buffer.from(STORE), value: Buffer.from('cannot be a ticket'), refused: true }]);
  await system.send(meanwhile);
  expect(await heldUp(ingest.current())).toContain('Role ingest waits for the log');
  expect(ingest.current().output()).toContain(`Too few brokers have a copy of topic ${LETTERS}`);
  await eventually('the others are committed', async () => {
    const partitions = [...(await behind(system)).keys()];
    return String(partitions) === String(partition) ? true : null;
  });
  await delay(STANDS_STILL_MS);
  expect(await behind(system)).toEqual(new Map([[partition, place]]));

  await second.restart();
  await eventually('the partition goes on', async () => ((await behind(system)).size === 0 ? true : null));
  await ingest.current().ready();
  await system.send([...later, ...last]);
  await system.settled(UNTIL_MS);
  await system.judge(all, UNTIL_MS);
  expect(system.failures()).toEqual([]);
  expect(ingest.restarts()).toBe(0);
});
