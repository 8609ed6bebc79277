/**
 * Roles in processes of their own, killed with SIGKILL at seeded moments while tickets come, some of them in the middle
 * of starting up, and started again each time: nothing is lost or doubled, the forecasts are those of a run in which
 * nothing happened, and role serve has them. FORETILL_KILLS=200 kills more often, FORETILL_SEED=… at other moments.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRandom } from '../../src/simulator/random.ts';
import type { Random } from '../../src/simulator/random.ts';
import { eventually } from '../system/live-process.ts';
import { answerFaults } from './system/answers.ts';
import { openClusterSystem } from './system/cluster-system.ts';
import type { ClusterSystem } from './system/cluster-system.ts';
import { makeDays, UNTIL_MS } from './system/days.ts';
import type { Kept } from './system/keep-running.ts';
import { trickle } from './system/trickle.ts';

const KILLS = Number(process.env['FORETILL_KILLS'] ?? 25);
const SEED = process.env['FORETILL_SEED'] ?? 'cluster kill';
/** Now and then two are dead at once, and a group has to wait for the session of a dead member to end. */
const PAUSE_MS_MAX = 7_000;
const TIMEOUT_MS = 300_000 + 2 * KILLS * PAUSE_MS_MAX;
const ROLES = ['ingest', 'ingest', 'forecast', 'forecast', 'serve'] as const;

let system: ClusterSystem;

beforeEach(async () => {
  system = await openClusterSystem({ seed: SEED, settings: { shards: 2 } });
});
afterEach(() => system.close());

const NAME = `killed ${KILLS} times (seed ${SEED}), roles lose nothing, double nothing and forecast the same`;

test(NAME, { timeout: TIMEOUT_MS }, async () => {
  const random = createRandom('cluster kills', SEED);
  const { sent, last, all } = makeDays(SEED, { perHour: 14, config: system.config });
  const roles = ROLES.map((role) => system.keep(role));
  const serve = roles[ROLES.indexOf('serve')]!;
  const traffic = trickle(system, sent, (KILLS * PAUSE_MS_MAX) / 2);
  let victims: number[] = [];
  for (let kills = 0; kills < KILLS; kills += 1) {
    await delay(random.uniform() * PAUSE_MS_MAX);
    if (victims.length === 0) victims = shuffled(random, [...roles.keys()]);
    const victim = roles[victims.pop() as number]!;
    await runs(victim);
    await victim.current().kill('SIGKILL');
  }
  await traffic;
  await system.send(last);
  await system.settled(UNTIL_MS);
  await system.judge(all, UNTIL_MS);

  await serve.current().kill('SIGKILL');
  await runs(serve);
  await serve.current().ready();
  expect(await answerFaults(system, serve.current())).toEqual([]);

  expect(system.failures()).toEqual([]);
  expect(roles.reduce((sum, role) => sum + role.restarts(), 0)).toBe(KILLS + 1);
  for (const role of roles) expect(await role.stop('SIGTERM'), system.outputs()).toMatchObject({ code: 0 });
});

/** Resolves when it has been started again, if it was dead: one that is killed dead would not be started twice. */
async function runs(role: Kept): Promise<void> {
  await eventually('it is started again', async () => (role.current().hasEnded() ? null : true));
}

function shuffled(random: Random, list: number[]): number[] {
  return list
    .map((each) => ({ each, place: random.uniform() }))
    .sort((a, b) => a.place - b.place)
    .map(({ each }) => each);
}
