/** Options of where log, schemas and tables are: all in the data directory, or Kafka, a registry and a server. */
import type { Command } from 'commander';
import { checkStoreUrl } from '../adapters/clickhouse/address.ts';
import { kafkaAddressFrom } from '../adapters/kafka/client/address.ts';
import { registryAddressFrom } from '../adapters/schema-registry/address.ts';
import { ForetillError } from '../errors.ts';
import type { ClusterAddress, StoreAddress } from '../platform.ts';

export type PlatformPlaces = {
  readonly storeUrl?: string;
  readonly storeUser?: string;
  readonly storeDatabase?: string;
  readonly kafkaBrokers?: string;
  readonly schemaRegistryUrl?: string;
  readonly namespace?: string;
  readonly register?: boolean;
};

export const PLATFORM_ENVIRONMENT = `
Environment, for what is not given as an option; passwords only here:
  KAFKA_BROKERS, FORETILL_NAMESPACE    and for access KAFKA_TLS, KAFKA_TLS_CA_FILE, KAFKA_TLS_CERT_FILE,
                                       KAFKA_TLS_KEY_FILE, KAFKA_SASL_MECHANISM, KAFKA_USERNAME, KAFKA_PASSWORD,
                                       KAFKA_OAUTH_TOKEN_URL, KAFKA_OAUTH_CLIENT_ID, KAFKA_OAUTH_CLIENT_SECRET,
                                       KAFKA_OAUTH_SCOPE; KAFKA_REPLICATION_FACTOR for topics that are created
  SCHEMA_REGISTRY_URL                  SCHEMA_REGISTRY_USERNAME, SCHEMA_REGISTRY_PASSWORD
  CLICKHOUSE_URL                       CLICKHOUSE_USER, CLICKHOUSE_DATABASE, FORETILL_STORE_PASSWORD`;

/** How long a command that does one thing and ends waits for a registry. */
const REGISTRY_WAIT_MS = 15_000;

/** Of commands that need topics and tables. */
export function addPlatformOptions(command: Command): Command {
  return addMessagingOptions(command)
    .option('--store-url <url>', 'ClickHouse server, e.g. http://127.0.0.1:8123 (default: embedded)')
    .option('--store-user <name>', 'its user')
    .option('--store-database <name>', 'its database');
}

/** Of commands that need topics alone. */
export function addMessagingOptions(command: Command): Command {
  return command
    .option('--kafka-brokers <list>', 'Kafka, e.g. 127.0.0.1:9092 (default: a log in the directory)')
    .option('--schema-registry-url <url>', 'Confluent-compatible registry, needed with Kafka')
    .option('--namespace <name>', 'prefix of all topics, groups and subjects: a tenant on shared brokers');
}

/** Of commands by which a cluster is set up. */
export function addRegisterOption(command: Command): Command {
  return command.option('--register', 'register schemas that the registry does not know yet');
}

/** What `openPlatform` is to open. `waits`: for as long as a registry is down. Throws CONFIG_INVALID and USAGE. */
export function platformPlaces(
  options: PlatformPlaces,
  { createTopics = false, waits = false }: { readonly createTopics?: boolean; readonly waits?: boolean } = {},
): { readonly store?: StoreAddress; readonly cluster?: ClusterAddress } {
  const store = storeAddress(options);
  const found = clusterAddress(options, createTopics);
  const cluster = found === undefined || waits ? found : { ...found, registryWaitMsMax: REGISTRY_WAIT_MS };
  return { ...(store === undefined ? {} : { store }), ...(cluster === undefined ? {} : { cluster }) };
}

function storeAddress(options: PlatformPlaces): StoreAddress | undefined {
  const url = options.storeUrl ?? environment('CLICKHOUSE_URL');
  if (url === undefined) return undefined;
  const username = options.storeUser ?? environment('CLICKHOUSE_USER');
  const database = options.storeDatabase ?? environment('CLICKHOUSE_DATABASE');
  const password = environment('FORETILL_STORE_PASSWORD');
  return {
    url: checkStoreUrl(url),
    ...(username === undefined ? {} : { username }),
    ...(database === undefined ? {} : { database }),
    ...(password === undefined ? {} : { password }),
  };
}

function clusterAddress(options: PlatformPlaces, createTopics: boolean): ClusterAddress | undefined {
  const { kafkaBrokers, schemaRegistryUrl, namespace } = options;
  const kafka = kafkaAddressFrom(process.env, {
    ...(kafkaBrokers === undefined ? {} : { brokers: kafkaBrokers }),
    ...(namespace === undefined ? {} : { namespace }),
  });
  if (kafka === null) {
    if (schemaRegistryUrl === undefined && namespace === undefined && options.register !== true)
      return undefined;
    throw new ForetillError('USAGE', 'A registry or a namespace is named, but no Kafka brokers are.', {
      remedy: 'Add --kafka-brokers (or KAFKA_BROKERS), or leave the others out.',
    });
  }
  const registry = registryAddressFrom(
    process.env,
    schemaRegistryUrl === undefined ? {} : { url: schemaRegistryUrl },
  );
  if (registry === null) {
    throw new ForetillError('USAGE', 'Kafka is named, but no schema registry is.', {
      remedy: 'Add --schema-registry-url (or SCHEMA_REGISTRY_URL).',
    });
  }
  return { kafka, registry, register: options.register === true, createTopics };
}

/** An empty variable is one that is not set. */
function environment(name: string): string | undefined {
  return process.env[name]?.trim() || undefined;
}
