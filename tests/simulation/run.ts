/** Plays traffic into ingest and forecast over a real log and a real store, with deaths, and reads what came of it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { manualClock } from '../../src/clock.ts';
import { resolveConfig } from '../../src/config.ts';
import type { Config } from '../../src/config.ts';
import { startSystem } from '../../src/main.ts';
import type { System } from '../../src/main.ts';
import { deadLetterTopic, TOPICS } from '../../src/pipeline/topics.ts';
import { openPlatform } from '../../src/platform.ts';
import type { Platform, StoreAddress } from '../../src/platform.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';
import { Died, mortal } from './faults.ts';
import type { Mortal } from './faults.ts';
import { latestForecasts, readSales } from './outcome.ts';
import { lastTickets } from './traffic.ts';
import type { ExpectedLeaf, Sent } from './traffic.ts';

const HOUR_MS = 3_600_000;
/** How often a mortal run dies. */
export const DEATHS = 12;

export const CONFIG: Config = resolveConfig({
  timeZone: 'America/New_York',
  productsMax: 20,
  checkpointEveryMs: 40,
  nowcastEveryMs: 20,
  ingestTickMs: 10,
  ingestBatchRecordsMax: 40,
  snapshotsMax: 4,
});

export type Outcome = {
  readonly sales: Map<string, ExpectedLeaf>;
  /** Latest issue or amendment per series, without what tells when it was issued. */
  readonly forecasts: Map<string, string>;
  /** Per series the engine's words, as hexadecimal. */
  readonly states: Map<string, string>;
  readonly deadLetters: number;
  readonly deaths: number;
};

export type RunOptions = {
  readonly sent: readonly Sent[];
  readonly untilMs: number;
  readonly config: Config;
  readonly store: StoreAddress;
  /** Seeds the deaths; null: none. */
  readonly deaths: string | null;
};

export async function run(options: RunOptions): Promise<Outcome> {
  const dir = await mkdtemp(join(tmpdir(), 'foretill-simulation-'));
  const clock = manualClock(options.sent[0]?.arrivalMs ?? 0);
  const telemetry = createTelemetry({ level: 'silent' });
  const platform = await openPlatform({
    dir,
    config: options.config,
    clock,
    telemetry,
    store: options.store,
  });
  const life = createLife(platform, options.deaths);
  try {
    await life.begin();
    const random = createRandom('feeding', options.deaths ?? 'clean');
    for (let at = 0; at < options.sent.length;) {
      const chunk = options.sent.slice(at, at + 1 + Math.floor(random.uniform() * 25));
      at += chunk.length;
      clock.advance(Math.max(0, (chunk.at(-1)?.arrivalMs ?? 0) - clock.nowMs()));
      await platform.log.append(
        TOPICS.transactions,
        chunk.map((each) => record(each, platform)),
      );
      if (random.uniform() < 0.5) await delay(Math.floor(random.uniform() * 25));
      await life.reviveIfDead();
    }
    clock.advance(options.untilMs + HOUR_MS / 2 - clock.nowMs());
    const last = lastTickets(options.sent, {
      untilMs: options.untilMs,
      allowedLatenessMs: CONFIG.allowedLatenessMs,
      arrivalMs: clock.nowMs(),
    });
    await platform.log.append(
      TOPICS.transactions,
      last.map((each) => record(each, platform)),
    );
    await life.settle(options.untilMs);
    const outcome = await read(platform, life.system());
    return { ...outcome, deaths: life.deaths() };
  } finally {
    await life.end();
    await platform.close();
    await rm(dir, { recursive: true, force: true });
  }
}

function record({ store, message, arrivalMs }: Sent, { codec }: Platform) {
  const value = message === null ? Buffer.from('not a ticket') : codec.encode(TOPICS.transactions, message);
  return { key: Buffer.from(store), value, timestampMs: arrivalMs };
}

/** A system that dies and is started again, over a platform that stays. */
function createLife(platform: Platform, seed: string | null) {
  const random = createRandom('deaths', seed ?? '');
  let body: Mortal | null = null;
  let current: System | null = null;
  let deaths = 0;

  async function begin(): Promise<void> {
    for (;;) {
      const mortalNow = seed !== null && deaths < DEATHS;
      body = mortal(platform, {
        diesAtEffect: mortalNow ? 1 + Math.floor(random.uniform() * 25) : Number.POSITIVE_INFINITY,
        afterDoingIt: random.uniform() < 0.5,
      });
      const failed = body;
      try {
        current = await startSystem({
          platform: { ...platform, log: body.log, store: body.store },
          roles: ['ingest', 'forecast'],
          listen: { host: '127.0.0.1', port: 0 },
          onFailed: (error) => failed.kill(error),
        });
        return;
      } catch (error) {
        if (!(error instanceof Died)) throw error;
        deaths += 1;
      }
    }
  }

  async function end(): Promise<void> {
    body?.kill();
    await current?.stop().catch(() => {});
    current = null;
  }

  async function reviveIfDead(): Promise<void> {
    if (body?.dead() !== true) return;
    if (body.cause() !== undefined) throw body.cause();
    deaths += 1;
    await end();
    await begin();
  }

  return {
    begin,
    end,
    reviveIfDead,
    deaths: () => deaths,
    system: () => current as System,
    /** Goes on, dying as often as is its lot, until everything that was sent has been worked through. */
    async settle(untilMs: number): Promise<void> {
      const deadlineMs = Date.now() + 60_000;
      for (;;) {
        await reviveIfDead();
        if (await isSettled(platform, current as System, untilMs)) return;
        if (Date.now() > deadlineMs)
          throw new Error(`not settled: ${JSON.stringify((current as System).status())}`);
        await delay(20);
      }
    },
  };
}

async function isSettled(platform: Platform, system: System, untilMs: number): Promise<boolean> {
  const shard = system.forecast?.shards()[0];
  if (shard === undefined || !system.ready()) return false;
  const ends = await platform.log.offsets(TOPICS.transactions);
  const committed = await platform.log.committed('foretill-ingest', TOPICS.transactions);
  for (const [partition, { end }] of ends)
    if (end > 0 && (committed.get(partition)?.offset ?? 0) < end) return false;
  const buckets = (await platform.log.offsets(TOPICS.buckets)).get(0)?.end ?? 0;
  return (
    shard.nextOffset === buckets &&
    (shard.tables.hour.nextBucketMs ?? 0) >= untilMs &&
    system.forecast?.idle() === true
  );
}

async function read(platform: Platform, system: System): Promise<Omit<Outcome, 'deaths'>> {
  return {
    sales: await readSales(platform),
    forecasts: await latestForecasts(platform),
    states: statesOf(system),
    deadLetters: (await platform.log.offsets(deadLetterTopic(TOPICS.transactions))).get(0)?.end ?? 0,
  };
}

function statesOf(system: System): Map<string, string> {
  const states = new Map<string, string>();
  for (const shard of system.forecast?.shards() ?? []) {
    for (const table of Object.values(shard.tables)) {
      const { engine, nodes, records } = table;
      for (const [node, key] of nodes.keys.entries()) {
        const place = records.places[node];
        if (place === undefined || place === -1 || engine.count(records.slab, place) === 0) continue;
        const words = records.slab.f64.slice(place, place + 2 * engine.words);
        states.set(
          `${table.granularity} ${JSON.stringify(key)}`,
          Buffer.from(words.buffer).toString('base64'),
        );
      }
    }
  }
  return states;
}
