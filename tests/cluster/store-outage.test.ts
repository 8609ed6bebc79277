/**
 * The store is away for a minute, refusing connections and then not answering at all; and, in another run, it does what
 * it is asked and the answer is lost, again and again. Nothing is lost and nothing is there twice.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { INGEST_GROUP } from '../../src/roles/ingest/ingest.ts';
import { TOPICS } from '../../src/pipeline/topics.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { storeAddress } from './stack.ts';
import { openClusterSystem, QUICK } from './system/cluster-system.ts';
import type { ClusterSystem } from './system/cluster-system.ts';
import { makeDays, UNTIL_MS } from './system/days.ts';
import { heldUp } from './system/readiness.ts';
import { startStoreProxy } from './system/store-proxy.ts';
import type { StoreProxy } from './system/store-proxy.ts';

const SEED = process.env['FORETILL_SEED'] ?? 'store';
const OUTAGE_MS = 60_000;
/** Of the statements that write. */
const LOST_SHARE = 0.4;

let proxy: StoreProxy;
let system: ClusterSystem;

beforeEach(async () => {
  proxy = await startStoreProxy(storeAddress().url);
  system = await openClusterSystem({
    seed: SEED,
    rolesStoreUrl: proxy.url,
    settings: {
      ingestBatchRecordsMax: 40,
      // Whoever waits for the store longer than this is not stuck.
      kafka: { ...QUICK.kafka!, appendMsMax: 15_000, stalledMsMax: 30_000 },
    },
  });
});
afterEach(async () => {
  await system.close();
  await proxy.close();
});

test(`a minute without the store is waited out (seed ${SEED})`, async () => {
  const { sent, last, all } = makeDays(SEED, { perHour: 9, config: system.config });
  const third = Math.ceil(sent.length / 3);
  const roles = [system.keep('ingest'), system.keep('forecast')];
  const processes = () => roles.map((role) => role.current());
  await system.send(sent.slice(0, third));
  await Promise.all(processes().map((each) => each.ready()));

  const sinceMs = performance.now();
  await proxy.refuse();
  await system.send(sent.slice(third, 2 * third));
  const said = await Promise.all(processes().map(heldUp));
  expect(said).toEqual([expect.stringContaining('Role ingest'), expect.stringContaining('Role forecast')]);
  for (const process of processes()) expect(process.output()).toContain(`ClickHouse at ${proxy.url}`);
  const committed = await committedOffsets();
  await delay(OUTAGE_MS / 2 - (performance.now() - sinceMs));
  await proxy.hang();
  await delay(OUTAGE_MS - (performance.now() - sinceMs));
  expect(await committedOffsets()).toEqual(committed);
  await proxy.mend();

  await Promise.all(processes().map((each) => each.ready()));
  await system.send(sent.slice(2 * third));
  await system.send(last);
  await system.settled(UNTIL_MS);
  await system.judge(all, UNTIL_MS);
  expect(system.failures()).toEqual([]);
});

test(`answers that are lost after the work was done double nothing (seed ${SEED})`, async () => {
  const { all } = makeDays(SEED, { perHour: 9, config: system.config });
  proxy.loseAnswers(LOST_SHARE, createRandom('lost answers', SEED));
  system.keep('ingest');
  system.keep('forecast');
  await system.send(all);
  await system.settled(UNTIL_MS);
  await system.judge(all, UNTIL_MS);
  expect(proxy.lost()).toBeGreaterThan(20);
  expect(system.failures()).toEqual([]);
});

async function committedOffsets(): Promise<Map<number, number>> {
  const committed = await system.platform.log.committed(INGEST_GROUP, TOPICS.transactions);
  return new Map([...committed].map(([partition, { offset }]) => [partition, offset]));
}
