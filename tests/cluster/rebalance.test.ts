/**
 * Members of both groups come and go while tickets come: whoever is asked to stop ends in good time with everything
 * drained, checkpointed and committed, and who takes over goes on from there at once. A member that did not leave its
 * group would be waited for until its session ends, which is later here than anybody waits.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readCheckpoint } from '../../src/adapters/clickhouse/model-state-table.ts';
import { DEFAULT_CONFIG } from '../../src/config.ts';
import { shardLayout } from '../../src/pipeline/shard.ts';
import { TOPICS } from '../../src/pipeline/topics.ts';
import { FORECAST_GROUP } from '../../src/roles/forecast/forecast.ts';
import { INGEST_GROUP } from '../../src/roles/ingest/ingest.ts';
import { eventually } from '../system/live-process.ts';
import { openClusterSystem } from './system/cluster-system.ts';
import type { ClusterSystem } from './system/cluster-system.ts';
import { makeDays, UNTIL_MS } from './system/days.ts';
import { partitionsHeld } from './system/partitions-held.ts';
import type { RoleProcess } from './system/role-process.ts';
import { trickle } from './system/trickle.ts';

const SEED = process.env['FORETILL_SEED'] ?? 'cluster rebalance';
/** In each, one member joins both groups and another leaves. */
const ROUNDS = 5;
const ROUND_MS = 7_000;
const STOP_MS_MAX = 10_000;
const SESSION_MS = 60_000;
/** So seldom that there is one to go on from only because it is written by whoever lets go of a shard. */
const CHECKPOINT_EVERY_MS = 3_600_000;
const JUDGED_MS_MAX = 120_000;
const TAKE_OVER_MS_MAX = 30_000;
const SHARDS = 2;
const PARTITIONS = 4;
const GROUPS = { ingest: INGEST_GROUP, forecast: FORECAST_GROUP } as const;
const ALL = { ingest: PARTITIONS, forecast: SHARDS } as const;

type Member = { readonly role: keyof typeof GROUPS; readonly process: RoleProcess };

let system: ClusterSystem;

beforeEach(async () => {
  system = await openClusterSystem({
    seed: SEED,
    settings: {
      shards: SHARDS,
      transactionPartitions: PARTITIONS,
      checkpointEveryMs: CHECKPOINT_EVERY_MS,
      kafka: { ...DEFAULT_CONFIG.kafka, sessionTimeoutMs: SESSION_MS, heartbeatMs: 1_000 },
    },
  });
});
afterEach(() => system.close());

test(`${2 * ROUNDS} rebalances of both groups (seed ${SEED}) hand everything over at once`, async () => {
  const { sent, last, all } = makeDays(SEED, { perHour: 14, config: system.config });
  let members = await joinedBy([]);
  let learned = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const [from, to] = [round, round + 1].map((edge) => Math.floor((edge / ROUNDS) * sent.length));
    const traffic = trickle(system, sent.slice(from, to), ROUND_MS);
    const newcomers = await joinedBy(members);
    await Promise.all(members.map((member, at) => leave(member, newcomers[at] as Member)));
    members = newcomers;
    const before = learned;
    learned = (await places()).reduce((sum, { committed }) => sum + committed, 0);
    expect(learned, `what was learned in round ${round} is handed on`).toBeGreaterThan(before);
    await traffic;
  }
  await system.send(last);
  await eventually('all is as it must be', () => system.judge(all, UNTIL_MS).then(() => true), JUDGED_MS_MAX);
  await Promise.all(members.map(({ process }) => stopped(process)));
  for (const { checkpoint, committed } of await places()) expect(checkpoint).toBe(committed);
  await system.judge(all, UNTIL_MS);
});

/** A new member of each group; resolves when it has its share. */
async function joinedBy(present: readonly Member[]): Promise<Member[]> {
  const members = (['ingest', 'forecast'] as const).map((role) => ({ role, process: system.start(role) }));
  await Promise.all(
    members.map(async (member) => {
      const share = present.length === 0 ? ALL[member.role] : ALL[member.role] / 2;
      await holding(member, share);
      await member.process.ready();
    }),
  );
  return members;
}

async function leave(member: Member, heir: Member): Promise<void> {
  await stopped(member.process);
  await holding(heir, ALL[member.role]);
  await heir.process.ready();
  for (const { checkpoint, committed } of await places())
    expect(checkpoint).toBeGreaterThanOrEqual(committed);
  // What was sold so far was learned by those before it.
  if (member.role === 'forecast') expect(heir.process.output()).not.toContain('Warm start');
}

async function stopped(process: RoleProcess): Promise<void> {
  const sinceMs = performance.now();
  expect(await process.kill('SIGTERM'), process.output()).toMatchObject({ code: 0 });
  expect(performance.now() - sinceMs, process.output()).toBeLessThan(STOP_MS_MAX);
}

async function holding({ role, process }: Member, partitions: number): Promise<void> {
  await eventually(
    () => `role ${role} holds ${partitions} partitions; ${system.outputs()}`,
    async () => ((await partitionsHeld(process, GROUPS[role])) === partitions ? true : null),
    TAKE_OVER_MS_MAX,
  );
}

/** Per shard, where the last checkpoint stands and what is committed; the latter is asked for first. */
async function places(): Promise<{ checkpoint: number; committed: number }[]> {
  const { platform, config } = system;
  const committed = await platform.log.committed(FORECAST_GROUP, TOPICS.buckets);
  const layout = shardLayout(config);
  return Promise.all(
    [...committed].map(async ([shard, { offset }]) => ({
      checkpoint: (await readCheckpoint(platform.store, { shard, layout }))?.nextOffset ?? -1,
      committed: offset,
    })),
  );
}
