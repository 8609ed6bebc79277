/**
 * The store is away for a minute, refusing connections and then not answering at all; and, in another run, it does what
 * it is asked and the answer is lost, again and again. Nothing is lost and nothing is there twice.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import { createRandom } from '../../src/simulator/random.ts';
import { eventually } from '../system/live-process.ts';
import { cleanUpsAfterEach } from './clean-ups.ts';
import { storeAddress } from './stack.ts';
import { behind } from './system/behind.ts';
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

const cleanUp = cleanUpsAfterEach();
let proxy: StoreProxy;
let forecastsProxy: StoreProxy;
let system: ClusterSystem;

beforeEach(async () => {
  proxy = await startStoreProxy(storeAddress().url);
  cleanUp(() => proxy.close());
  forecastsProxy = await startStoreProxy(storeAddress().url);
  cleanUp(() => forecastsProxy.close());
  system = await openClusterSystem({
    seed: SEED,
    rolesStoreUrl: proxy.url,
    settings: {
      ingestBatchRecordsMax: 40,
      // Whoever waits for the store longer than this is not stuck.
      kafka: { ...QUICK.kafka!, appendMsMax: 15_000, stalledMsMax: 30_000 },
    },
  });
  cleanUp(() => system.close());
});

test(`a minute without the store is waited out (seed ${SEED})`, async () => {
  const { sent, last, all } = makeDays(SEED, { perHour: 9, config: system.config });
  const quarter = Math.ceil(sent.length / 4);
  const ingest = system.keep('ingest');
  const forecast = system.keep('forecast', { CLICKHOUSE_URL: forecastsProxy.url });
  await system.send(sent.slice(0, quarter));
  await Promise.all([ingest.current().ready(), forecast.current().ready()]);

  // First for who reads what others close, so that there is something to read.
  await forecastsProxy.refuse();
  await system.send(sent.slice(quarter, 2 * quarter));
  await eventually('ingest has done its part', async () => ((await behind(system)).size === 0 ? true : null));
  const sinceMs = performance.now();
  await proxy.refuse();
  await system.send(sent.slice(2 * quarter, 3 * quarter));
  const said = await Promise.all([heldUp(ingest.current()), heldUp(forecast.current())]);
  expect(said).toEqual([
    expect.stringContaining('Role ingest waits for the store'),
    expect.stringContaining('Role forecast waits for the store'),
  ]);
  expect(ingest.current().output()).toContain(`ClickHouse at ${proxy.url}`);
  expect(forecast.current().output()).toContain(`ClickHouse at ${forecastsProxy.url}`);
  const waiting = await behind(system);
  await delay(OUTAGE_MS / 2 - (performance.now() - sinceMs));
  await Promise.all([proxy.hang(), forecastsProxy.hang()]);
  await delay(OUTAGE_MS - (performance.now() - sinceMs));
  expect(await behind(system)).toEqual(waiting);
  await Promise.all([proxy.mend(), forecastsProxy.mend()]);

  await Promise.all([ingest.current().ready(), forecast.current().ready()]);
  await system.send(sent.slice(3 * quarter));
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
