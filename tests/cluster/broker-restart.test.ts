/**
 * The only broker is killed and comes back, again and again, while tickets come: no role ends, each says that it is held
 * up and then goes on by itself, and nothing is lost or doubled.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import { startBroker } from '../../deploy/stack/broker.ts';
import type { Broker } from '../../deploy/stack/broker.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { eventually } from '../system/live-process.ts';
import { cleanUpsAfterEach } from './clean-ups.ts';
import { answerFaults } from './system/answers.ts';
import { openClusterSystem } from './system/cluster-system.ts';
import type { ClusterSystem } from './system/cluster-system.ts';
import { makeDays, UNTIL_MS } from './system/days.ts';
import { heldUp } from './system/readiness.ts';

const SEED = process.env['FORETILL_SEED'] ?? 'broker';
const RESTARTS = 5;
/** From the first ticket of a round to the kill. */
const KILLED_AFTER_MS_MAX = 1_000;
/** Parts that a round's tickets are sent in. */
const PARTS = 10;

const cleanUp = cleanUpsAfterEach();
let broker: Broker;
let system: ClusterSystem;

beforeEach(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'foretill-broker-'));
  cleanUp(() => rm(dir, { recursive: true, force: true }));
  broker = await startBroker({ dir, heapMegabytes: 384 });
  cleanUp(() => broker.stop());
  system = await openClusterSystem({ seed: SEED, brokers: [broker.address] });
  cleanUp(() => system.close());
});

test(`a broker that is killed ${RESTARTS} times is waited for (seed ${SEED})`, async () => {
  const { sent, last, all } = makeDays(SEED, { perHour: 6, config: system.config });
  const random = createRandom('broker restarts', SEED);
  const serve = system.keep('serve');
  const workers = [system.keep('ingest'), system.keep('ingest'), system.keep('forecast')];
  const perRound = Math.ceil(sent.length / RESTARTS);

  for (let round = 0; round < RESTARTS; round += 1) {
    await Promise.all(workers.map((worker) => worker.current().ready()));
    const tickets = sent.slice(round * perRound, (round + 1) * perRound);
    const sending = sendInParts(tickets);
    await delay(random.uniform() * KILLED_AFTER_MS_MAX);
    await broker.kill();
    const said = await Promise.all(workers.map((worker) => heldUp(worker.current())));
    expect(said).toEqual(workers.map(() => expect.stringContaining('waits for the log')));
    await broker.restart();
    await sending;
  }
  await Promise.all(workers.map((worker) => worker.current().ready()));
  await system.send(last);
  await system.settled(UNTIL_MS);
  await system.judge(all, UNTIL_MS);

  expect(system.failures()).toEqual([]);
  expect([serve, ...workers].map((role) => role.restarts())).toEqual([0, 0, 0, 0]);
  await eventually('role serve has the latest forecasts', async () =>
    (await answerFaults(system, serve.current())).length === 0 ? true : null,
  );
});

async function sendInParts(tickets: Parameters<ClusterSystem['send']>[0]): Promise<void> {
  const perPart = Math.ceil(tickets.length / PARTS);
  for (let at = 0; at < tickets.length; at += perPart) {
    await system.send(tickets.slice(at, at + perPart));
    await delay(KILLED_AFTER_MS_MAX / PARTS);
  }
}
