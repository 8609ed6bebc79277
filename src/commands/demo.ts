/** `foretill demo`: a chain of stores comes alive, with live forecasts. */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import type { RoleStatus } from '../adapters/http/system-status.ts';
import { DAY_MS, MINUTE_MS } from '../sales/durations.ts';
import type { Config } from '../config.ts';
import { ForetillError } from '../errors.ts';
import { startSystem } from '../main.ts';
import type { System } from '../main.ts';
import { TOPICS } from '../pipeline/topics.ts';
import { openPlatform } from '../platform.ts';
import type { ClusterAddress, Platform } from '../platform.ts';
import { businessDate, dayBounds } from '../sales/calendar.ts';
import { STORES_MAX } from '../simulator/chain.ts';
import type { RoleName } from '../telemetry/events.ts';
import { createTelemetry, logLevelFrom } from '../telemetry/telemetry.ts';
import { keepSettings } from './data-dir-settings.ts';
import { createDemoClock } from './demo/demo-clock.ts';
import { createControls } from './demo/demo-controls.ts';
import { startScreen } from './demo/demo-screen.ts';
import { deleteDemo, loadDemoState, saveDemoState } from './demo/demo-state.ts';
import type { DemoState } from './demo/demo-state.ts';
import type { Feed } from './demo/feed.ts';
import { playFile } from './demo/play-file.ts';
import { playSimulation } from './demo/play-simulation.ts';
import type { Play } from './demo/play.ts';
import { startRoleProcesses } from './demo/role-processes.ts';
import { sendTickets } from './demo/send-tickets.ts';
import { dateText, positiveNumber, wholeNumber } from './options.ts';
import { demandFreePort } from './free-port.ts';
import { startProgress } from './progress.ts';
import { writeErrorDetailsTo } from './report-error.ts';
import { runUntilStopped } from './run-until-stopped.ts';
import { addTillOptions, KNOWN_FILES } from './till-options.ts';
import type { TillOptions } from './till-options.ts';

type Options = TillOptions & {
  readonly data?: string;
  readonly speed: number;
  readonly stores?: number;
  readonly host: string;
  readonly port: number;
  readonly dir?: string;
  readonly headless?: boolean;
  readonly liveFrom?: string;
  readonly seed: string;
  readonly fresh?: boolean;
  readonly kafka?: boolean;
};

const DEFAULT_STORES = 10;
/** At many times real time a moment of ours is minutes of theirs: buckets wait for tickets on their way. */
const LATENESS_MS_MIN = 15 * MINUTE_MS;
const LATENESS_REAL_MS = 200;
const RETENTION_MS = 36_500 * DAY_MS;

const EXAMPLES = `
Examples:
  foretill demo                                              a simulated chain; nothing else is needed
  foretill demo --data completejourney_transactions.csv.gz   real grocery tickets: 12 weeks of history, then live
  foretill demo --data breadbasket.csv --speed 60            a bakery, an hour a minute
  foretill demo --fresh                                      from the beginning, not from where it stopped
  foretill demo --kafka                                      through Kafka and a schema registry, roles in processes

${KNOWN_FILES}
With --data, files named like it (…_products, …_promotions) are read as well. Ctrl-C stops it; started again it goes on
from there. It serves this machine only; FORETILL_TOKEN and --host let others in.
With --kafka it goes through the brokers of KAFKA_BROKERS and SCHEMA_REGISTRY_URL, or else through the local stack
(npm run stack -- start), which is started when it does not run.`;

export function demoCommand(): Command {
  const command = new Command('demo')
    .option('--data <file>', 'real till lines to replay (default: a simulated chain)')
    .option('--speed <x>', 'times real time', positiveNumber(36_000), 600)
    .option(
      '--stores <n>',
      `how many stores (default: all of the file, ${DEFAULT_STORES} simulated)`,
      wholeNumber(1, STORES_MAX),
    )
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on, 0 for any', wholeNumber(0, 65_535), 8642)
    .option('--dir <directory>', 'data directory (default: .foretill/demo-…)')
    .option('--headless', 'plain lines, no status line')
    .option(
      '--live-from <date>',
      'what is before it is history (default: twelve weeks of the file; today simulated)',
      dateText,
    )
    .option('--seed <seed>', 'of the simulated chain', '1')
    .option(
      '--kafka',
      'through Kafka and a schema registry, with ingest and forecast in processes of their own',
    )
    .option('--fresh', 'delete what an earlier demo left in the directory')
    .addHelpText('after', EXAMPLES);
  return addTillOptions(command).action(runDemo);
}

async function runDemo(options: Options): Promise<void> {
  const startedMs = performance.now();
  const play = await playOf(options);
  const kind = `${options.data === undefined ? 'simulated' : 'replay'}${options.kafka === true ? '-kafka' : ''}`;
  const dir = resolve(options.dir ?? `.foretill/demo-${kind}`);
  writeErrorDetailsTo(dir);
  await demandFreePort(options);
  if (options.fresh === true) await deleteDemo(dir);
  const config = { ...keepSettings(dir, play.settings), ...limitsAt(options.speed) };
  const through = options.kafka === true ? await throughKafka(dir, config, options) : {};
  const state = stateOf(dir, play);
  const clock = createDemoClock({ startMs: state.nowMs, speed: options.speed });
  const terminal = options.headless !== true && process.stdout.isTTY;
  const telemetry = createTelemetry({
    level: logLevelFrom({ FORETILL_LOG: 'warn', ...process.env }),
    processMetrics: true,
  });
  process.stdout.write(`${play.label}\n`);
  const platform = await openPlatform({ dir, config, clock, telemetry, ...through });
  const demo: Demo = { play, dir, state, platform, clock, terminal, startedMs, options, ...through };
  await runUntilStopped(platform, {
    start: (onFailed, signal) => start(demo, onFailed, signal),
    started: (system, signal) => sell(demo, system, signal),
    stopping: `Stopping. Started again with the same options, it goes on from here. Ctrl-C again ends at once.`,
  });
}

type Demo = {
  readonly play: Play;
  readonly dir: string;
  state: DemoState;
  readonly platform: Platform;
  readonly clock: ReturnType<typeof createDemoClock>;
  readonly terminal: boolean;
  readonly startedMs: number;
  readonly options: Options;
  readonly cluster?: ClusterAddress;
  feed?: Feed;
  controls?: ReturnType<typeof createControls>;
};

/** Its records carry the demonstration's time: the brokers must not think them old. */
async function throughKafka(
  dir: string,
  config: Config,
  { fresh = false }: Options,
): Promise<{ readonly config: Config; readonly cluster: ClusterAddress }> {
  const { openDemoCluster } = await import('./demo/demo-cluster.ts');
  const cluster = await openDemoCluster({ config, isNew: loadDemoState(dir) === null, fresh });
  const kept = { transactionsMs: RETENTION_MS, bucketsMs: RETENTION_MS };
  const retention = { ...config.retention, ...kept, alertsMs: RETENTION_MS, deadLettersMs: RETENTION_MS };
  return { config: { ...config, retention }, cluster };
}

async function playOf(options: Options): Promise<Play> {
  const liveFrom = options.liveFrom === undefined ? {} : { liveFrom: options.liveFrom };
  if (options.data === undefined) {
    return playSimulation({ seed: options.seed, stores: options.stores ?? DEFAULT_STORES, ...liveFrom });
  }
  const { data, stores } = options;
  return playFile({ ...options, data, ...liveFrom, ...(stores === undefined ? {} : { stores }) });
}

function limitsAt(speed: number): Pick<Config, 'allowedLatenessMs' | 'idleAfterMs'> {
  const allowedLatenessMs = Math.max(LATENESS_MS_MIN, speed * LATENESS_REAL_MS);
  return { allowedLatenessMs, idleAfterMs: allowedLatenessMs / 2 };
}

/** Where an earlier run of the same demo stopped, or its beginning. */
function stateOf(dir: string, play: Play): DemoState {
  const state = loadDemoState(dir);
  if (state === null) {
    const { liveFromMs, startMs } = play;
    const fresh: DemoState = {
      plays: play.id,
      liveFromMs,
      imported: 'nothing',
      nowMs: startMs,
      historyTickets: 0,
      nextTicket: 0,
      sentMs: liveFromMs,
      stores: null,
      injections: [],
    };
    saveDemoState(dir, fresh);
    return fresh;
  }
  if (state.plays === play.id) return state;
  throw new ForetillError('USAGE', `${dir} holds another demo: other data, other stores or another seed.`, {
    remedy: 'Add --fresh to start over there, or choose another --dir.',
  });
}

async function start(demo: Demo, onFailed: (error: unknown) => void, stop: AbortSignal): Promise<System> {
  const { play, platform, dir, clock, options } = demo;
  if (demo.state.imported === 'nothing') {
    const imported = await play.importHistory(platform, stop);
    demo.state = { ...demo.state, ...imported, imported: 'history' };
    saveDemoState(dir, demo.state);
  }
  const controls = createControls({
    label: play.label,
    clock,
    feed: () => demo.feed ?? null,
    chain: play.chain,
    injections: demo.state.injections,
  });
  demo.controls = controls;
  demo.feed = await play.open(demo.state, platform, () => controls.injections());
  const token = process.env['FORETILL_TOKEN'];
  const here = {
    platform,
    listen: { host: options.host, port: options.port, ...(token === undefined ? {} : { token }) },
    demo: controls,
    onFailed,
  };
  const { cluster } = demo;
  if (cluster === undefined) return startSystem({ ...here, roles: ['ingest', 'forecast', 'serve'] });
  const { config, telemetry, storeAddress } = platform;
  const order = { dir, config, cluster, store: storeAddress };
  const processes = startRoleProcesses(['ingest', 'forecast'], { order, clock, telemetry });
  const system = await startSystem({ ...here, roles: ['serve'], elsewhere: () => processes.status() });
  return {
    ...system,
    async stop() {
      await system.stop();
      await processes.stop();
    },
  };
}

/** From the first look at the page to the end: learns, then lets the clock run and the tills sell. */
async function sell(demo: Demo, system: System, signal: AbortSignal): Promise<void> {
  const { platform, clock, play, dir } = demo;
  const feed = demo.feed as Feed;
  printAddresses(system.url ?? '', demo);
  await learned(demo, system, signal);
  if (signal.aborted) return;
  process.stdout.write('Ctrl-C stops it; started again it goes on from there.\n');
  const sentBefore = { tickets: 0 };
  const screen = startScreen({
    terminal: demo.terminal,
    timeZone: play.settings.timeZone,
    figures: async () => ({
      nowMs: clock.nowMs(),
      speed: clock.speed(),
      tickets: sentBefore.tickets,
      forecasts: sum(await platform.log.offsets(TOPICS.forecasts)),
    }),
  });
  clock.start();
  const companions = importCompanions(demo);
  let standing: Promise<void> = Promise.resolve();
  try {
    await sendTickets({
      platform,
      feed,
      clock,
      signal,
      onSent(sent, nowMs) {
        sentBefore.tickets += sent;
        demo.state = { ...demo.state, ...feed.place(), nowMs, injections: demo.controls?.injections() ?? [] };
        saveDemoState(dir, demo.state);
      },
      onEnded(endMs) {
        screen.say(
          'This is the end of the data: every ticket has been sent. The page stays; --fresh plays it again.',
        );
        standing = standStill(demo, system, signal, endMs);
      },
    });
  } finally {
    // What was shown last is where it goes on, also when nothing was sold meanwhile.
    demo.state = { ...demo.state, nowMs: clock.nowMs() };
    saveDemoState(dir, demo.state);
    screen.stop();
    await Promise.all([feed.close(), companions, standing]);
  }
}

async function importCompanions(demo: Demo): Promise<void> {
  const { play, platform } = demo;
  if (demo.state.imported !== 'history') return;
  try {
    await play.importCompanions(platform);
    demo.state = { ...demo.state, imported: 'history and companions' };
  } catch (error) {
    platform.telemetry.log.warn('Companion files were not imported; the next start tries again', { error });
  }
}

/** Lets the last day close, then stops the clock: after the data there are no sales to expect. */
async function standStill(
  { clock, play }: Demo,
  system: System,
  signal: AbortSignal,
  endMs: number,
): Promise<void> {
  const calendar = { timeZone: play.settings.timeZone, businessDayStartMinutes: 0 };
  const lastDay = dayBounds(businessDate(endMs, calendar), calendar);
  while (!signal.aborted && (roleOf(system, 'forecast').watermarkMs ?? endMs) < lastDay.endMs)
    await delay(50);
  clock.stopAt(clock.nowMs());
}

/** Waits until the forecasts stand, or a stop; says when the first one is there. */
async function learned({ platform, startedMs }: Demo, system: System, signal: AbortSignal): Promise<void> {
  const progress = startProgress({ label: 'Learning from history', total: 1_000 });
  const before = sum(await platform.log.offsets(TOPICS.forecasts));
  let first = false;
  while (!signal.aborted && !roleOf(system, 'forecast').ready) {
    const now = system.status().warmStart;
    if (now !== null) progress.update((1_000 * now.done) / Math.max(1, now.total), now.what);
    if (!first && sum(await platform.log.offsets(TOPICS.forecasts)) > before) {
      first = true;
      process.stderr.write(`First forecast after ${secondsSince(startedMs)} s\n`);
    }
    await delay(100);
  }
  progress.stop(`live after ${secondsSince(startedMs)} s`);
}

function roleOf(system: System, name: RoleName): RoleStatus {
  const role = system.status().roles.find((each) => each.role === name);
  assert(role !== undefined, `role ${name} is not part of the demonstration`);
  return role;
}

/** Where to look at it from outside. */
function kafkaAddresses({ kafka, registry }: ClusterAddress): string {
  const prefix = kafka.namespace === '' ? '' : `${kafka.namespace}.`;
  const [broker] = kafka.brokers;
  return [
    `  Kafka      ${kafka.brokers.join(', ')}   kcat -b ${broker} -t ${prefix}${TOPICS.forecasts} -C -o end`,
    `  Schemas    ${registry.url}/subjects`,
  ].join('\n');
}

function secondsSince(startedMs: number): string {
  return ((performance.now() - startedMs) / 1_000).toFixed(1);
}

function printAddresses(url: string, { clock, options, play, cluster }: Demo): void {
  const from = new Intl.DateTimeFormat('en-GB', {
    dateStyle: 'full',
    timeStyle: 'short',
    timeZone: play.settings.timeZone,
  });
  process.stdout.write(
    [
      '',
      `  Live page  ${url}/`,
      `  API        ${url}/api/v1/series   (all of it: ${url}/api/v1/openapi.json)`,
      `  Feed       ${url.replace(/^http/, 'ws')}/feed`,
      `  Metrics    ${url}/metrics`,
      cluster === undefined ? '' : kafkaAddresses(cluster),
      '',
      `It is ${from.format(clock.nowMs())} there, and goes on at ${options.speed} times real time.`,
      'What to look at: choose a store or category on the page. The fan is the forecast with its 80 % and 95 % intervals;',
      'the open hour fills up as tickets come in, and its interval shrinks. When it closes, the forecast is scored and moves on.',
      play.chain === null
        ? ''
        : 'Under "events" you can start a promotion, empty a shelf, take a till offline, and watch what happens.',
    ]
      .filter((line, at, all) => line !== '' || all[at - 1] !== '')
      .join('\n'),
  );
  process.stdout.write('\n');
}

function sum(ranges: ReadonlyMap<number, { readonly start: number; readonly end: number }>): number {
  return [...ranges.values()].reduce((total, { end }) => total + end, 0);
}
