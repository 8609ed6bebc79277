/**
 * Kafka and the schema registry for a demonstration: those that the environment names, else the local stack, which is
 * started when it does not run and goes on running afterwards.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { kafkaAddressFrom } from '../../adapters/kafka/client/address.ts';
import { deleteTopics } from '../../adapters/kafka/topics/delete-topics.ts';
import { openKafkaLog } from '../../adapters/kafka/kafka-log.ts';
import { registryAddressFrom } from '../../adapters/schema-registry/address.ts';
import { systemClock } from '../../clock.ts';
import type { Config } from '../../config.ts';
import { ForetillError } from '../../errors.ts';
import type { Log } from '../../pipeline/log.ts';
import { TOPICS, topicSpecs } from '../../pipeline/topics.ts';
import type { ClusterAddress } from '../../platform.ts';
import { FORECAST_GROUP } from '../../roles/forecast/forecast.ts';
import { INGEST_GROUP } from '../../roles/ingest/ingest.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Options = {
  readonly config: Config;
  /** Nothing has been played in its directory yet: its topics must be empty, too. */
  readonly isNew: boolean;
  /** What another demonstration left in the topics of the local stack may be deleted. */
  readonly fresh: boolean;
};

const LAUNCHER = fileURLToPath(new URL('../../../deploy/stack/main.ts', import.meta.url));

/** Errors: NOT_READY when the stack does not start, LOG_UNAVAILABLE, USAGE when the topics are somebody else's. */
export async function openDemoCluster(options: Options): Promise<ClusterAddress> {
  const named = clusterFrom(process.env);
  const cluster = named ?? clusterFrom({ ...process.env, ...(await startStack()) });
  if (cluster === null) throw noStack('it says nothing of Kafka or of a registry');
  if (options.isNew) await demandEmpty(cluster, { ...options, mayDelete: named === null && options.fresh });
  return cluster;
}

function clusterFrom(environment: Environment): ClusterAddress | null {
  const kafka = kafkaAddressFrom(environment);
  if (kafka === null) return null;
  const registry = registryAddressFrom(environment);
  if (registry !== null) return { kafka, registry, register: true, createTopics: true };
  throw new ForetillError('USAGE', 'KAFKA_BROKERS is set, but SCHEMA_REGISTRY_URL is not.', {
    remedy: 'Set both, or neither for the local stack.',
  });
}

/** Returns the environment that points at it. Its progress goes to standard error. */
async function startStack(): Promise<Environment> {
  if (!existsSync(LAUNCHER)) throw noStack('its launcher is not part of this installation');
  const child = spawn(process.execPath, [LAUNCHER, 'start', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) throw noStack(`its launcher ended with exit code ${code}`);
  return (JSON.parse(text) as { environment: Environment }).environment;
}

async function demandEmpty(
  { kafka }: ClusterAddress,
  { config, mayDelete }: Options & { readonly mayDelete: boolean },
): Promise<void> {
  const { kafka: limits } = config;
  const log = await openKafkaLog({ address: kafka, limits, clock: systemClock, onEvent: () => {} });
  try {
    if (await isEmpty(log)) return;
  } finally {
    await log.close();
  }
  if (mayDelete) {
    const topics = topicSpecs(config).map(({ name }) => name);
    return deleteTopics(kafka, limits, { topics, groups: [INGEST_GROUP, FORECAST_GROUP] });
  }
  throw new ForetillError(
    'USAGE',
    `${TOPICS.transactions} at ${kafka.brokers[0]} holds tickets of another system.`,
    {
      remedy:
        'Add --fresh to delete what an earlier demonstration left in the local stack, or set FORETILL_NAMESPACE to a new name to keep apart.',
    },
  );
}

async function isEmpty(log: Log): Promise<boolean> {
  if (!(await log.topics()).some(({ name }) => name === TOPICS.transactions)) return true;
  return [...(await log.offsets(TOPICS.transactions)).values()].every(({ end }) => end === 0);
}

function noStack(why: string): ForetillError {
  return new ForetillError('NOT_READY', `The local stack cannot be used: ${why}.`, {
    remedy: 'Set KAFKA_BROKERS and SCHEMA_REGISTRY_URL to a Kafka and a schema registry of your own.',
  });
}
