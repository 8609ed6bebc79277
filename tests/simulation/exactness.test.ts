/** Whatever goes wrong on the way, totals, state and forecasts are those of a run in which nothing did. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEmbeddedEngine } from '../../src/adapters/clickhouse/embedded-engine.ts';
import type { EmbeddedEngine } from '../../src/adapters/clickhouse/embedded-engine.ts';
import { offlineRun } from './offline.ts';
import type { Offline } from './offline.ts';
import { CONFIG, DEATHS, run } from './run.ts';
import type { Outcome } from './run.ts';
import { expectedTotals, makeTraffic } from './traffic.ts';

const HOUR_MS = 3_600_000;

/** Stretches of the calendar in which something is odd; all end when every zone's last business day has ended. */
const STRETCHES = [
  {
    // 12 March 2017 has 23 hours in New York and Los Angeles.
    what: 'the change to summer time',
    startMs: Date.parse('2017-03-11T09:00:00Z'),
    untilMs: Date.parse('2017-03-14T07:00:00Z'),
    dayStartMinutes: 0,
  },
  {
    // 5 November 2017 has 25 hours, one of which reads the same twice.
    what: 'the change to winter time, business days from 04:00',
    startMs: Date.parse('2017-11-04T09:00:00Z'),
    untilMs: Date.parse('2017-11-07T13:00:00Z'),
    dayStartMinutes: 240,
  },
  {
    what: 'a leap day, business days from 02:30',
    startMs: Date.parse('2020-02-28T09:00:00Z'),
    untilMs: Date.parse('2020-03-02T12:00:00Z'),
    dayStartMinutes: 150,
  },
];
const HOURS = 52;
const SEEDS = (process.env['FORETILL_SEEDS'] ?? 'a').split(',');
const CASES = SEEDS.flatMap((seed) => STRETCHES.map((stretch) => ({ seed, ...stretch })));

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

describe.each(CASES)('$what, seed $seed (FORETILL_SEEDS=$seed replays it)', (stretch) => {
  const { seed, untilMs, dayStartMinutes } = stretch;
  const config = { ...CONFIG, businessDayStartMinutes: dayStartMinutes };
  const sent = makeTraffic({ ...stretch, hours: HOURS, perHour: 14 });
  const totals = expectedTotals(sent);
  const offline = offlineRun(totals, config, untilMs);
  const refused = sent.filter(
    ({ message, arrivalMs }) => message === null || message.end_time > arrivalMs + HOUR_MS,
  );

  test('one quiet run comes to the totals, the state and the forecasts worked out offline', async () => {
    const quiet = await run({ sent, untilMs, config, store: address(), deaths: null });
    judge(quiet, totals, offline);
    expect(quiet.deadLetters).toBe(refused.length);
  });

  test('a run full of deaths comes to the same', async () => {
    const deadly = await run({ sent, untilMs, config, store: address(), deaths: seed });
    expect(deadly.deaths).toBe(DEATHS);
    judge(deadly, totals, offline);
    expect(deadly.deadLetters).toBeGreaterThanOrEqual(refused.length);
  });
});

function judge(outcome: Outcome, totals: ReturnType<typeof expectedTotals>, offline: Offline): void {
  expect(sorted(outcome.sales)).toEqual(sorted(totals));
  expect([...outcome.states.keys()].sort()).toEqual([...offline.states.keys()].sort());
  for (const [series, state] of offline.states) {
    expect(outcome.states.get(series) === state, `state of ${series}`).toBe(true);
  }
  expect(sorted(outcome.forecasts)).toEqual(sorted(offline.forecasts));
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
