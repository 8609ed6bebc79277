/**
 * Foretill as it runs in a cluster: Kafka, a registry and a store shared with other tests (under a namespace and in a
 * database of its own), roles in processes of their own, and the judge of what they have come to. The test's own clients
 * talk to the log and the store directly, so that no role stands between what was sent and what is found.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { deleteTopics } from '../../../src/adapters/kafka/topics/delete-topics.ts';
import { systemClock } from '../../../src/clock.ts';
import { DEFAULT_CONFIG, resolveConfig } from '../../../src/config.ts';
import type { Config } from '../../../src/config.ts';
import { DAY_MS } from '../../../src/sales/durations.ts';
import type { OutgoingRecord } from '../../../src/pipeline/log.ts';
import { TOPICS, topicSpecs } from '../../../src/pipeline/topics.ts';
import { openPlatform } from '../../../src/platform.ts';
import type { ClusterAddress, Platform, StoreAddress } from '../../../src/platform.ts';
import { isOutage } from '../../../src/roles/steadfast.ts';
import type { RoleName } from '../../../src/telemetry/events.ts';
import { createTelemetry } from '../../../src/telemetry/telemetry.ts';
import { isRefused } from '../../simulation/traffic.ts';
import type { Sent } from '../../simulation/traffic.ts';
import { faultsOf } from '../../simulation/verdict.ts';
import { ingestedUpToMs, uncommitted } from '../../simulation/worked-through.ts';
import { doAll } from '../clean-ups.ts';
import { stackAddresses, storeAddress } from '../stack.ts';
import { keepRunning } from './keep-running.ts';
import type { Kept } from './keep-running.ts';
import { bytesText, letterFaults } from './letters.ts';
import { startRole } from './role-process.ts';
import type { RoleProcess } from './role-process.ts';

export type ClusterSystem = {
  readonly config: Config;
  readonly platform: Platform;
  /** Everything that a process is told of where things are. */
  readonly environment: Readonly<Record<string, string>>;
  /** `more`: what this one is told in place of `environment`. */
  start(role: RoleName, more?: Readonly<Record<string, string>>): RoleProcess;
  /** Started again whenever it ends unasked; `close` ends it. */
  keep(role: RoleName, more?: Readonly<Record<string, string>>): Kept;
  /** Resolves when all of it is acknowledged; what is not is sent again. */
  send(sent: readonly Sent[]): Promise<void>;
  /** As `send`, for any records. Those that are `refused` must end in the dead letters. */
  append(records: readonly (OutgoingRecord & { readonly refused: boolean })[]): Promise<void>;
  /** Resolves when everything sent so far has been worked through and every partition is closed up to there. */
  settled(untilMs: number): Promise<void>;
  /** Rejects when anything is lost, doubled or not as it is when folded in one go. To be asked when settled. */
  judge(sent: readonly Sent[], untilMs: number): Promise<void>;
  /** Processes that ended by themselves, with the last they wrote. */
  failures(): readonly string[];
  /** The last that each process wrote. */
  outputs(): string;
  close(): Promise<void>;
};

export type ClusterSystemOptions = {
  /** Told when the judge finds something. */
  readonly seed: string;
  readonly settings?: Partial<Config>;
  /** Default: those of the tests' stack. */
  readonly brokers?: readonly string[];
  readonly registryUrl?: string;
  /** Of the processes; the test's own client takes the straight way. */
  readonly rolesStoreUrl?: string;
};

/** What makes a test of minutes see what happens in hours elsewhere. */
export const QUICK: Partial<Config> = {
  timeZone: 'America/New_York',
  productsMax: 20,
  checkpointEveryMs: 500,
  checkpointMessagesMax: 1,
  // The tests' days pass in seconds: a partition that is silent meanwhile is not behind.
  idleAfterMs: 3_600_000,
  // They lie in the past: a broker that tidies up in the midst of a test must not find them too old.
  retention: { ...DEFAULT_CONFIG.retention, transactionsMs: 10 * 365 * DAY_MS },
  // The shortest that brokers take as they come.
  kafka: { ...DEFAULT_CONFIG.kafka, sessionTimeoutMs: 6_000, heartbeatMs: 1_000 },
};

const CHUNK_RECORDS = 200;
const SEND_MS_MAX = 300_000;
const SETTLE_MS_MAX = 300_000;
const LAST_OUTPUT_CHARACTERS = 3_000;

export async function openClusterSystem(options: ClusterSystemOptions): Promise<ClusterSystem> {
  const id = randomUUID().slice(0, 8);
  const dir = await mkdtemp(join(tmpdir(), 'foretill-cluster-system-'));
  const settings = { ...QUICK, ...options.settings };
  await writeFile(join(dir, 'foretill.json'), JSON.stringify(settings));
  const config = resolveConfig(settings);
  const places = placesOf(options, id);
  const platform = await openPlatform({
    dir,
    config,
    clock: systemClock,
    telemetry: createTelemetry({ level: 'silent' }),
    ...places,
  }).catch(async (error: unknown) => {
    await rm(dir, { recursive: true, force: true });
    throw error;
  });
  const environment = environmentOf(places, dir, options.rolesStoreUrl);
  const processes: RoleProcess[] = [];
  const kept: Kept[] = [];
  const failures: string[] = [];
  const refused = new Set<string>();

  function start(role: RoleName, more: Readonly<Record<string, string>> = {}): RoleProcess {
    const process = startRole(role, { ...environment, ...more });
    processes.push(process);
    return process;
  }

  function outputs(): string {
    return processes
      .map((each) => `${nameOf(each)}\n${each.output().slice(-LAST_OUTPUT_CHARACTERS)}`)
      .join('\n');
  }

  async function append(records: readonly (OutgoingRecord & { readonly refused: boolean })[]): Promise<void> {
    for (const record of records) if (record.refused) refused.add(bytesText(record.value));
    for (let at = 0; at < records.length; at += CHUNK_RECORDS)
      await appendForSure(platform, records.slice(at, at + CHUNK_RECORDS));
  }

  return {
    config,
    platform,
    environment,
    start,
    keep(role, more) {
      const one = keepRunning(
        () => start(role, more),
        (process, { code }) =>
          failures.push(
            `${nameOf(process)}, exit code ${code}:\n${process.output().slice(-LAST_OUTPUT_CHARACTERS)}`,
          ),
      );
      kept.push(one);
      return one;
    },
    append,
    send: (sent) => append(sent.map((each) => recordOf(each, platform))),
    async settled(untilMs) {
      const deadlineMs = Date.now() + SETTLE_MS_MAX;
      for (;;) {
        const waiting = await uncommitted(platform);
        const upToMs = await ingestedUpToMs(platform);
        const isDone = [...waiting.values()].every((records) => records === 0);
        if (isDone && upToMs !== null && upToMs >= untilMs) return;
        if (Date.now() > deadlineMs)
          throw new Error(
            `Not worked through within ${SETTLE_MS_MAX / 1000} s, seed ${options.seed}: waiting ` +
              `${JSON.stringify([...waiting])}, closed up to ${upToMs}, wanted ${untilMs}\n${outputs()}`,
          );
        await delay(200);
      }
    },
    async judge(sent, untilMs) {
      const faults = [
        ...(await letterFaults(platform, refused)),
        ...(await faultsOf(platform, sent, { config, untilMs })),
      ];
      if (faults.length > 0)
        throw new Error(`seed ${options.seed}, namespace t${id}:\n${faults.join('\n')}\n${outputs()}`);
    },
    failures: () => failures,
    outputs,
    close: () =>
      doAll([
        () => Promise.all(kept.map((each) => each.stop('SIGKILL'))),
        () => Promise.all(processes.map((each) => each.kill('SIGKILL'))),
        () =>
          platform.store.command('DROP DATABASE IF EXISTS {database:Identifier}', {
            database: places.store.database,
          }),
        () => platform.close(),
        // Brokers of the test's own go with all they hold.
        () => (options.brokers === undefined ? deleteTheTopics(places, config) : undefined),
        () => rm(dir, { recursive: true, force: true }),
      ]),
  };
}

async function deleteTheTopics({ cluster }: Places, config: Config): Promise<void> {
  const topics = topicSpecs(config).map(({ name }) => name);
  await deleteTopics(cluster.kafka, config.kafka, { topics, groups: [] });
}

type Places = {
  readonly cluster: ClusterAddress;
  readonly store: StoreAddress & { readonly database: string };
};

function placesOf(options: ClusterSystemOptions, id: string): Places {
  const stack = stackAddresses();
  return {
    cluster: {
      kafka: { brokers: options.brokers ?? stack.brokers, clientId: 'foretill-test', namespace: `t${id}` },
      registry: { url: options.registryUrl ?? stack.registryUrl },
      register: true,
      createTopics: true,
    },
    store: { ...storeAddress(), database: `foretill_t${id}` },
  };
}

/** Everything that a process is told, but for its role. */
function environmentOf(
  { cluster, store }: Places,
  dir: string,
  storeUrl = store.url,
): Readonly<Record<string, string>> {
  return {
    FORETILL_DIR: dir,
    FORETILL_NAMESPACE: cluster.kafka.namespace,
    FORETILL_LOG: 'info',
    KAFKA_BROKERS: cluster.kafka.brokers.join(','),
    SCHEMA_REGISTRY_URL: cluster.registry.url,
    CLICKHOUSE_URL: storeUrl,
    CLICKHOUSE_DATABASE: store.database,
    ...(store.username === undefined ? {} : { CLICKHOUSE_USER: store.username }),
    ...(store.password === undefined ? {} : { FORETILL_STORE_PASSWORD: store.password }),
  };
}

function nameOf({ role, pid, hasEnded }: RoleProcess): string {
  return `--- role ${role}, process ${pid}${hasEnded() ? ', ended' : ''}`;
}

/** As a till sends it. */
export function recordOf(
  sent: Sent,
  { codec }: Pick<Platform, 'codec'>,
): OutgoingRecord & { readonly refused: boolean } {
  const { store, message } = sent;
  const value = message === null ? Buffer.from('not a ticket') : codec.encode(TOPICS.transactions, message);
  return { key: Buffer.from(store), value, refused: isRefused(sent) };
}

async function appendForSure({ log }: Platform, records: readonly OutgoingRecord[]): Promise<void> {
  for (const deadlineMs = Date.now() + SEND_MS_MAX; ;) {
    try {
      await log.append(TOPICS.transactions, records);
      return;
    } catch (error) {
      if (!isOutage(error) || Date.now() > deadlineMs) throw error;
      await delay(100);
    }
  }
}
