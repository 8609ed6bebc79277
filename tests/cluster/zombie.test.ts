/**
 * Processes that stand still for twice the time after which their group gives them up, in quiet and in the midst of a
 * burst, and then go on as if nothing had happened: others have their partitions by then, and what they had in work must
 * not be told any more. They join again, and all is as it must be.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FORECAST_GROUP } from '../../src/roles/forecast/forecast.ts';
import { INGEST_GROUP } from '../../src/roles/ingest/ingest.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { eventually } from '../system/live-process.ts';
import { openClusterSystem } from './system/cluster-system.ts';
import type { ClusterSystem } from './system/cluster-system.ts';
import { watchCommits } from './system/commits-watch.ts';
import { makeDays, UNTIL_MS } from './system/days.ts';
import type { Kept } from './system/keep-running.ts';
import { partitionsHeld } from './system/partitions-held.ts';
import { trickle } from './system/trickle.ts';

const SEED = process.env['FORETILL_SEED'] ?? 'cluster zombie';
const GROUPS = { ingest: INGEST_GROUP, forecast: FORECAST_GROUP } as const;
const SHARDS = 2;
const PARTITIONS = 4;
const ALL = { ingest: PARTITIONS, forecast: SHARDS } as const;
type Role = keyof typeof GROUPS;

/** Who is stopped, and whether while a burst is being worked on. */
const ROUNDS: readonly { readonly roles: readonly Role[]; readonly burst: boolean }[] = [
  { roles: ['ingest'], burst: false },
  { roles: ['forecast'], burst: false },
  { roles: ['ingest', 'forecast'], burst: true },
  { roles: ['ingest', 'forecast'], burst: true },
  { roles: ['ingest', 'forecast'], burst: true },
];
const QUIET_MS = 1_500;
/** A burst is worked on for about this long. */
const BURST_MS = { ingest: 500, forecast: 1_500 } as const;
const LOST = 'The group went on without this member';

let system: ClusterSystem;

beforeEach(async () => {
  system = await openClusterSystem({
    seed: SEED,
    settings: { shards: SHARDS, transactionPartitions: PARTITIONS },
  });
});
afterEach(() => system.close());

test(`stopped for twice the session time-out (seed ${SEED}), a process damages nothing`, async () => {
  const random = createRandom('cluster zombies', SEED);
  const { sent, last, all } = makeDays(SEED, { perHour: 40, config: system.config });
  const pairs = {
    ingest: [system.keep('ingest'), system.keep('ingest')],
    forecast: [system.keep('forecast'), system.keep('forecast')],
  };
  const commits = watchCommits(system);
  const standsStillMs = 2 * system.config.kafka.sessionTimeoutMs;
  for (const [at, { roles, burst }] of ROUNDS.entries()) {
    const part = sent.slice(...share(at, sent.length));
    const half = Math.floor(part.length / 2);
    await Promise.all(roles.map((role) => shared(role, pairs[role])));
    const zombies = roles.map((role) => ({ role, at: random.uniform() < 0.5 ? 0 : 1 }));
    const traffic = burst ? system.send(part.slice(0, half)) : trickle(system, part.slice(0, half), QUIET_MS);
    const moments = zombies.map(({ role }) => random.uniform() * (burst ? BURST_MS[role] : QUIET_MS));
    await Promise.all([
      traffic,
      ...zombies.map(async (zombie, nth) => {
        await delay(moments[nth]);
        pairs[zombie.role][zombie.at]?.current().pause();
      }),
    ]);
    await Promise.all([delay(standsStillMs), trickle(system, part.slice(half), standsStillMs)]);
    for (const zombie of zombies) {
      await holding(zombie.role, pairs[zombie.role][1 - zombie.at] as Kept, ALL[zombie.role]);
      const process = (pairs[zombie.role][zombie.at] as Kept).current();
      const before = process.output().split(LOST).length;
      process.resume();
      await eventually(
        () => `${zombie.role} notices; ${process.output()}`,
        async () => (process.output().split(LOST).length > before ? true : null),
      );
    }
  }
  await system.send(last);
  await system.settled(UNTIL_MS);
  await system.judge(all, UNTIL_MS);
  expect(await commits.wentBack()).toEqual([]);
  expect(system.failures()).toEqual([]);
  for (const kept of Object.values(pairs).flat()) {
    expect(kept.restarts()).toBe(0);
    expect(await kept.stop('SIGTERM'), system.outputs()).toMatchObject({ code: 0 });
  }
});

function share(round: number, total: number): [number, number] {
  return [Math.floor((round * total) / ROUNDS.length), Math.floor(((round + 1) * total) / ROUNDS.length)];
}

/** Resolves when both have half of the partitions. */
async function shared(role: Role, pair: readonly Kept[]): Promise<void> {
  await Promise.all(pair.map((each) => holding(role, each, ALL[role] / 2)));
  await Promise.all(pair.map((each) => each.current().ready()));
}

async function holding(role: Role, kept: Kept, partitions: number): Promise<void> {
  await eventually(
    () => `role ${role} holds ${partitions} partitions; ${system.outputs()}`,
    async () => ((await partitionsHeld(kept.current(), GROUPS[role])) === partitions ? true : null),
  );
}
