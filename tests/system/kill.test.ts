/**
 * The real process killed with SIGKILL at seeded moments while tickets are sent to it, some of them in the middle of
 * starting up: whatever was acknowledged is there, nothing is there twice, and the forecasts are those of a run in
 * which nothing happened. FORETILL_KILLS=200 kills more often, FORETILL_SEED=… at other moments.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from '../../deploy/stack/free-port.ts';
import { systemClock } from '../../src/clock.ts';
import { resolveConfig } from '../../src/config.ts';
import { openPlatform } from '../../src/platform.ts';
import type { Platform } from '../../src/platform.ts';
import type { TransactionMessage } from '../../src/sales/transaction-message.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';
import { lastTickets, makeTraffic } from '../simulation/traffic.ts';
import { faultsOf } from '../simulation/verdict.ts';
import { isWorkedThrough } from '../simulation/worked-through.ts';
import { eventually, startForetill } from './live-process.ts';
import type { LiveProcess } from './live-process.ts';

const KILLS = Number(process.env['FORETILL_KILLS'] ?? 25);
const SEED = process.env['FORETILL_SEED'] ?? 'kill';
const START_MS = Date.parse('2017-03-11T09:00:00Z');
const UNTIL_MS = Date.parse('2017-03-14T07:00:00Z');
const SETTINGS = { timeZone: 'America/New_York', productsMax: 20, checkpointEveryMs: 500 };
const CONFIG = resolveConfig(SETTINGS);

let dir: string;
let running: LiveProcess | null = null;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'foretill-kill-'));
  await writeFile(join(dir, 'foretill.json'), JSON.stringify(SETTINGS));
});

afterEach(async () => {
  await running?.kill('SIGKILL');
  await rm(dir, { recursive: true, force: true });
});

test(`killed ${KILLS} times (seed ${SEED}), it loses nothing, doubles nothing and forecasts the same`, async () => {
  const random = createRandom('kills', SEED);
  const port = await freePort();
  const api = `http://127.0.0.1:${port}/api/v1`;
  const sent = makeTraffic({ seed: SEED, startMs: START_MS, hours: 52, perHour: 14, dayStartMinutes: 0 });
  const last = lastTickets(sent, {
    untilMs: UNTIL_MS,
    allowedLatenessMs: CONFIG.allowedLatenessMs,
    arrivalMs: UNTIL_MS,
  });
  const messages = sent.flatMap(({ message }) => message ?? []);
  const start = (): LiveProcess => startForetill(['run', '--dir', dir, '--port', String(port)]);

  running = start();
  let acknowledged = 0;
  for (let kills = 0; kills < KILLS; kills += 1) {
    const dies = delay(random.uniform() * 3_000);
    const share = Math.ceil(((kills + 1) / KILLS) * messages.length);
    const over = new AbortController();
    const sending = (async () => {
      while (!over.signal.aborted && acknowledged < share) {
        const batch = messages.slice(acknowledged, Math.min(share, acknowledged + 20));
        if (await send(api, batch)) acknowledged += batch.length;
        else await delay(20);
      }
    })();
    await dies;
    await running.kill('SIGKILL');
    over.abort();
    await sending;
    running = start();
  }
  const rest = [...messages.slice(acknowledged), ...last.flatMap(({ message }) => message ?? [])];
  await eventually('the rest is taken in', async () => ((await send(api, rest)) ? true : null));
  let platform = await stopWhenForecast(running, api);
  while (!(await isWorkedThrough(platform))) {
    await platform.close();
    running = start();
    platform = await stopWhenForecast(running, api);
  }
  try {
    expect(await faultsOf(platform, [...sent, ...last], { config: CONFIG, untilMs: UNTIL_MS })).toEqual([]);
  } finally {
    await platform.close();
  }
});

async function stopWhenForecast(live: LiveProcess, api: string): Promise<Platform> {
  await eventually(
    () => `all of it is forecast; ${live.output()}`,
    () => isForecast(api),
    120_000,
  );
  await live.kill('SIGTERM');
  expect(live.child.exitCode, live.output()).toBe(0);
  return openPlatform({
    dir,
    config: CONFIG,
    clock: systemClock,
    telemetry: createTelemetry({ level: 'silent' }),
  });
}

/** True when the batch is acknowledged: on disk, but for what no till may send. */
async function send(api: string, messages: readonly TransactionMessage[]): Promise<boolean> {
  try {
    const answer = await fetch(`${api}/transactions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(messages),
      signal: AbortSignal.timeout(10_000),
    });
    return answer.status === 202 || answer.status === 422;
  } catch {
    return false;
  }
}

async function isForecast(api: string): Promise<true | null> {
  const status = (await (await fetch(`${api}/status`)).json()) as {
    roles: { role: string; watermark: string | null }[];
  };
  const watermark = status.roles.find(({ role }) => role === 'forecast')?.watermark ?? null;
  return watermark !== null && Date.parse(watermark) >= UNTIL_MS ? true : null;
}
