/**
 * The demonstration as a whole process, on a file: imported, replayed, stopped, started, killed, started, to the end.
 * Then the totals of every day are those of the file, to the unit and the cent.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { loadConfig } from '../../src/commands/data-dir-settings.ts';
import { systemClock } from '../../src/clock.ts';
import { openPlatform } from '../../src/platform.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const SEED = 'demo';
const DAY_MS = 86_400_000;
const HISTORY_DAYS = 85;
const LIVE_DAYS = 3;
/** The command's highest speed: a day in 2.4 s. */
const SPEED = 36_000;

const dir = mkdtempSync(join(tmpdir(), 'foretill-demo-system-'));
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

type Day = { units: number; cents: number };

/** A file of two shops, its totals by date, and how many of its tickets are history. */
function writeTills(path: string): { days: Map<string, Day>; history: number } {
  const random = createRandom(SEED);
  const rows: string[] = [];
  const days = new Map<string, Day>();
  let ticket = 0;
  let history = 0;
  for (let day = 0; day < HISTORY_DAYS + LIVE_DAYS; day += 1) {
    const date = new Date(Date.UTC(2017, 0, 1) + day * DAY_MS).toISOString().slice(0, 10);
    const total = { units: 0, cents: 0 };
    for (let minute = 7 * 60; minute < 22 * 60; minute += 1 + Math.floor(random.uniform() * 30)) {
      ticket += 1;
      const time = `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
      for (let line = 1; line <= 1 + random.poisson(1); line += 1) {
        const units = 1 + Math.floor(random.uniform() * 3);
        const cents = 50 + Math.floor(random.uniform() * 900);
        rows.push(
          `${date}T${time},${ticket % 2 === 0 ? 'A' : 'B'},${ticket},p${line},${units},${(cents / 100).toFixed(2)},c${line % 2}`,
        );
        total.units += units;
        total.cents += cents;
      }
    }
    days.set(date, total);
    if (day < HISTORY_DAYS) history = ticket;
  }
  writeFileSync(path, `time,store,ticket,sku,quantity,amount,category\n${rows.join('\n')}\n`);
  return { days, history };
}

type Run = {
  readonly child: ChildProcess;
  said(text: string): Promise<void>;
  ended(): Promise<number | null>;
  output(): string;
};

function demo(...args: readonly string[]): Run {
  const child = spawn(
    process.execPath,
    [CLI, 'demo', '--headless', '--port', '0', '--speed', String(SPEED), ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  running.add(child);
  let output = '';
  const listeners = new Set<() => void>();
  const hear = (text: string) => {
    output += text;
    for (const listener of listeners) listener();
  };
  child.stdout?.setEncoding('utf8').on('data', hear);
  child.stderr?.setEncoding('utf8').on('data', hear);
  const end = new Promise<number | null>((resolve) =>
    child.once('close', (code) => {
      running.delete(child);
      resolve(code);
      hear('');
    }),
  );
  return {
    child,
    ended: () => end,
    output: () => output,
    said: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (output.includes(text)) resolve();
          else if (!running.has(child)) reject(new Error(`ended without "${text}":\n${output}`));
        };
        listeners.add(look);
        look();
      }),
  };
}

test('stopped, killed and started again, a replay ends with the totals of its file', async () => {
  const path = join(dir, 'tills.csv');
  const { days: expected, history } = writeTills(path);
  const args = [
    '--data',
    path,
    '--dir',
    join(dir, 'data'),
    '--zone',
    'America/New_York',
    '--currency',
    'USD',
  ];

  const first = demo(...args);
  await first.said('Ctrl-C stops it');
  await sent(history + 20);
  expect(first.output()).toMatch(/First forecast after/);
  first.child.kill('SIGINT');
  expect(await first.ended(), first.output()).toBe(0);
  expect(first.output()).toContain('it goes on from here');

  const second = demo(...args);
  await second.said('Ctrl-C stops it');
  await sent(history + 80);
  second.child.kill('SIGKILL');
  await second.ended();

  const third = demo(...args);
  await third.said('end of the data');
  expect(third.output()).not.toContain('Reading');
  // The last day closes before the clock stands still, half an hour after it on the demonstration's clock.
  await lastDayClosed(third, [...expected.keys()].at(-1) as string);
  third.child.kill('SIGINT');
  expect(await third.ended(), third.output()).toBe(0);

  const platform = await openPlatform({
    dir: join(dir, 'data'),
    config: loadConfig(join(dir, 'data')),
    clock: systemClock,
    telemetry: createTelemetry({ level: 'silent' }),
  });
  try {
    const rows = await platform.store.query<{ date: string; units: number; cents: number }>(
      `SELECT toString(toDate(bucket)) AS date, sum(total.1) / 1000 AS units, sum(total.2) AS cents FROM (
         SELECT bucket, store_id, category, sku, argMax((units_thousandths, revenue_minor), recorded_at) AS total
         FROM sales WHERE granularity = 'day' GROUP BY bucket, store_id, category, sku)
       GROUP BY date ORDER BY date`,
    );
    expect(new Map(rows.map(({ date, units, cents }) => [date, { units, cents }])), `seed ${SEED}`).toEqual(
      expected,
    );
  } finally {
    await platform.close();
  }
});

/** Until so many tickets of the file are dealt with, by what the demonstration keeps of its place. */
async function sent(tickets: number): Promise<void> {
  for (const deadlineMs = Date.now() + 60_000; Date.now() < deadlineMs;) {
    const state = JSON.parse(readFileSync(join(dir, 'data', 'demo.json'), 'utf8')) as Record<string, number>;
    if ((state['nextTicket'] ?? 0) >= tickets) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${tickets} tickets were not sent`);
}

async function lastDayClosed(run: Run, date: string): Promise<void> {
  const url = /Live page\s+(http:\S+)/.exec(run.output())?.[1] ?? '';
  for (const deadlineMs = Date.now() + 60_000; Date.now() < deadlineMs;) {
    const answer = await fetch(`${url}api/v1/series/${encodeURIComponent('day/units/total')}/forecast`);
    const { forecast } = (await answer.json()) as { forecast?: { origin?: string } };
    // On a busy machine the clock is stopped a little later, and empty days after it have closed as well.
    if (forecast?.origin !== undefined && forecast.origin.slice(0, 10) >= date) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const status = await (await fetch(`${url}api/v1/status`)).text();
  throw new Error(`the day ${date} was not closed: ${status}\n${run.output()}`);
}
