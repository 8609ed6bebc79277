/**
 * From the kill of a role's only process (SIGKILL; it is started again at once, as a container runtime does) to the
 * first message on the forecast topic that knows of a sale made after the kill.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../src/clock.ts';
import { TOPICS } from '../../src/pipeline/topics.ts';
import { DAY_MS } from '../../src/sales/durations.ts';
import type { Platform } from '../../src/platform.ts';
import type { RoleName } from '../../src/telemetry/events.ts';
import { keepRunning } from '../cluster/system/keep-running.ts';
import { startRole } from '../cluster/system/role-process.ts';
import { withTenant } from './cluster.ts';
import type { Cluster } from './cluster.ts';
import { TIME_ZONE } from './ingest.ts';
import { createTicketMaker } from './tickets.ts';

const GOAL_SECONDS = 15;
const SEND_EVERY_MS = 50;
const WAIT_MS_MAX = 120_000;
const PAST_MS = 3 * DAY_MS;
const PAST_TICKETS = 5_000;
const SETTINGS = { timeZone: TIME_ZONE, idleAfterMs: 5_000, allowedLatenessMs: 2_000 };

export async function benchRecovery(cluster: Cluster, { quick }: { readonly quick: boolean }): Promise<void> {
  const kills = quick ? 1 : 4;
  const place = { settings: SETTINGS, clock: systemClock };
  console.log(`recovery: ${kills} kills of each role, 20 tickets/s`);
  await withTenant(cluster, place, async ({ platform, environment }) => {
    const roles = (['ingest', 'forecast'] as const).map((role) => ({
      role,
      kept: keepRunning(
        () => startRole(role, environment),
        ({ output }) => console.error(output()),
      ),
    }));
    await sellPast(platform);
    const stop = new AbortController();
    const selling = sell(platform, stop.signal);
    const heard = await hear(platform);
    try {
      await flows(heard, systemClock.nowMs());
      for (const { role, kept } of roles) {
        const seconds: number[] = [];
        for (let kill = 0; kill < kills; kill += 1) {
          await kept.current().ready();
          await kept.current().kill('SIGKILL');
          const killedMs = systemClock.nowMs();
          await flows(heard, killedMs);
          seconds.push((systemClock.nowMs() - killedMs) / 1_000);
        }
        report(role, seconds);
      }
    } finally {
      stop.abort();
      await selling;
      await heard.stop();
      for (const { kept } of roles) await kept.stop('SIGKILL');
    }
  });
}

function report(role: RoleName, seconds: readonly number[]): void {
  const worst = Math.max(...seconds);
  console.log(
    `  role ${role} killed → forecasts flow: ${seconds.map((each) => each.toFixed(1)).join(', ')} s ` +
      `(goal under ${GOAL_SECONDS}: ${worst < GOAL_SECONDS ? 'reached' : 'missed'})`,
  );
}

/** Without closed hours nothing is forecast. */
async function sellPast({ log, codec }: Platform): Promise<void> {
  const maker = createTicketMaker('past', TIME_ZONE);
  const nowMs = systemClock.nowMs();
  const records = Array.from({ length: PAST_TICKETS }, (_, at) => {
    const message = maker.next(nowMs - PAST_MS + Math.floor((at / PAST_TICKETS) * PAST_MS));
    return { key: Buffer.from(message.store_id), value: codec.encode(TOPICS.transactions, message) };
  });
  await log.append(TOPICS.transactions, records);
}

async function sell({ log, codec }: Platform, signal: AbortSignal): Promise<void> {
  const maker = createTicketMaker('recovery', TIME_ZONE);
  while (!signal.aborted) {
    const message = maker.next(systemClock.nowMs());
    await log.append(TOPICS.transactions, [
      { key: Buffer.from(message.store_id), value: codec.encode(TOPICS.transactions, message) },
    ]);
    await delay(SEND_EVERY_MS, undefined, { signal }).catch(() => {});
  }
}

type Heard = { lastEventMs(): number; stop(): Promise<void> };

async function hear({ log, codec }: Platform): Promise<Heard> {
  let lastEventMs = 0;
  const tail = await log.tail(
    { topic: TOPICS.forecasts, from: 'latest', batchRecordsMax: 500 },
    {
      async eachBatch({ records }) {
        for (const { value } of records) {
          if (value === null) continue;
          lastEventMs = Math.max(lastEventMs, codec.decode(TOPICS.forecasts, value).event_ms ?? 0);
        }
      },
      onCrash: (error) => console.error(error),
    },
  );
  return { lastEventMs: () => lastEventMs, stop: () => tail.stop() };
}

/** Resolves when something was heard that knows of a sale after `afterMs`. */
async function flows({ lastEventMs }: Heard, afterMs: number): Promise<void> {
  const deadlineMs = systemClock.nowMs() + WAIT_MS_MAX;
  while (lastEventMs() <= afterMs) {
    if (systemClock.nowMs() > deadlineMs) throw new Error(`nothing was heard for ${WAIT_MS_MAX / 1_000} s`);
    await delay(20);
  }
}
