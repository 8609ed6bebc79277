/** Whatever goes wrong on the way, totals, state and forecasts are those of a run in which nothing did. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEmbeddedEngine } from '../../src/adapters/clickhouse/embedded-engine.ts';
import type { EmbeddedEngine } from '../../src/adapters/clickhouse/embedded-engine.ts';
import { offlineRun } from './offline.ts';
import { CONFIG, DEATHS, run } from './run.ts';
import type { Outcome } from './run.ts';
import { expectedTotals, makeTraffic } from './traffic.ts';

const HOUR_MS = 3_600_000;
/** Over the change to summer time in New York and Los Angeles (12 March 2017), so that one day has 23 hours. */
const START_MS = Date.parse('2017-03-11T09:00:00Z');
const HOURS = 52;
const UNTIL_MS = Date.parse('2017-03-14T07:00:00Z');
const SEEDS = (process.env['FORETILL_SEEDS'] ?? 'a,b,c').split(',');

let engine: EmbeddedEngine;
let dir: string;
let runs = 0;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'foretill-engine-'));
  engine = await startEmbeddedEngine({ dir, limits: CONFIG.engine });
});

afterAll(async () => {
  await engine.stop();
  await rm(dir, { recursive: true, force: true });
});

function address() {
  runs += 1;
  return { url: engine.url, username: engine.username, password: engine.password, database: `run_${runs}` };
}

describe.each(SEEDS)('seed %s (FORETILL_SEEDS=%s replays it)', (seed) => {
  const sent = makeTraffic({ seed, startMs: START_MS, hours: HOURS, perHour: 14 });
  const totals = expectedTotals(sent);
  const refused = sent.filter(
    ({ message, arrivalMs }) => message === null || message.end_time > arrivalMs + HOUR_MS,
  );

  test('one quiet run comes to the totals, the state and the forecasts worked out offline', async () => {
    const quiet = await run({ sent, untilMs: UNTIL_MS, store: address(), deaths: null });
    judge(quiet, totals, seed);
    expect(quiet.deadLetters).toBe(refused.length);
  });

  test('a run full of deaths comes to the same', async () => {
    const deadly = await run({ sent, untilMs: UNTIL_MS, store: address(), deaths: seed });
    expect(deadly.deaths).toBe(DEATHS);
    judge(deadly, totals, seed);
    expect(deadly.deadLetters).toBeGreaterThanOrEqual(refused.length);
  });
});

function judge(outcome: Outcome, totals: ReturnType<typeof expectedTotals>, seed: string): void {
  expect(Object.fromEntries(sorted(outcome.sales)), `sales, seed ${seed}`).toEqual(
    Object.fromEntries(sorted(totals)),
  );
  const offline = offlineRun(totals, CONFIG, UNTIL_MS);
  expect([...outcome.states.keys()].sort()).toEqual([...offline.states.keys()].sort());
  for (const [series, state] of offline.states)
    expect(outcome.states.get(series) === state, `state of ${series}, seed ${seed}`).toBe(true);
  expect([...outcome.forecasts.keys()].sort()).toEqual([...offline.forecasts.keys()].sort());
  for (const [series, forecast] of offline.forecasts)
    expect(outcome.forecasts.get(series), `forecast of ${series}, seed ${seed}`).toBe(forecast);
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
