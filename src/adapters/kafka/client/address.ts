/** Where Kafka is and how one gets in: from options of a command, or from the environment. */
import { ForetillError } from '../../../errors.ts';
import { isKafkaName } from './names.ts';

export type KafkaTls = {
  /** PEM files. Without `caFile` the authorities known to Node are trusted. */
  readonly caFile?: string;
  /** The client's own certificate and key, where the brokers ask for them. */
  readonly certFile?: string;
  readonly keyFile?: string;
};

export type KafkaPassword = {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
};

/** The client credentials grant of RFC 6749, section 4.4. */
export type KafkaOauth = {
  readonly mechanism: 'oauthbearer';
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope?: string;
};

export type KafkaAddress = {
  /** `host:port` of some brokers; they tell of the others. */
  readonly brokers: readonly string[];
  /** What the brokers' logs and quotas call us. */
  readonly clientId: string;
  /** See names.ts. */
  readonly namespace: string;
  /** Of topics that we create; the brokers' own default when absent. */
  readonly replicationFactor?: number;
  readonly tls?: KafkaTls;
  readonly sasl?: KafkaPassword | KafkaOauth;
};

export type KafkaOverrides = {
  /** As in KAFKA_BROKERS: a list with commas. */
  readonly brokers?: string;
  readonly namespace?: string;
  readonly clientId?: string;
};

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The address that the environment (KAFKA_BROKERS and so on) and the overrides, which win, describe; null when neither
 * names a broker. Throws CONFIG_INVALID. An empty variable is one that is not set.
 *
 * @example kafkaAddressFrom({ KAFKA_BROKERS: 'a:9092,b:9092' }) // brokers a:9092 and b:9092, no TLS, no password
 */
export function kafkaAddressFrom(
  environment: Environment,
  overrides: KafkaOverrides = {},
): KafkaAddress | null {
  const read = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const list = overrides.brokers ?? read('KAFKA_BROKERS');
  if (list === undefined) return null;
  const tls = readTls(read);
  const sasl = readSasl(read);
  const replicationFactor = readReplication(read);
  return {
    brokers: readBrokers(list),
    clientId: overrides.clientId ?? 'foretill',
    namespace: readNamespace(overrides.namespace ?? read('FORETILL_NAMESPACE') ?? ''),
    ...(replicationFactor === undefined ? {} : { replicationFactor }),
    ...(tls === undefined ? {} : { tls }),
    ...(sasl === undefined ? {} : { sasl }),
  };
}

type Read = (name: string) => string | undefined;

function readBrokers(list: string): string[] {
  // Brokers are named in errors and logs: what stands before an @ may be a password, and is not repeated here either.
  if (list.includes('@'))
    throw invalid(
      'The list of Kafka brokers has an @ in it.',
      'Name only host:port (KAFKA_BROKERS or --kafka-brokers); a user and a password go into KAFKA_USERNAME and KAFKA_PASSWORD.',
    );
  const brokers = list
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '');
  if (brokers.length === 0)
    throw invalid(
      'The list of Kafka brokers is empty.',
      'Name at least one as host:port (KAFKA_BROKERS or --kafka-brokers).',
    );
  for (const broker of brokers) {
    const port = Number(/^(?:[^\s:/[\]]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})$/.exec(broker)?.[1]);
    if (port >= 1 && port <= 65_535) continue;
    throw invalid(
      `Kafka broker "${broker}" is not of the form host:port.`,
      'Use a list such as kafka-1:9092,kafka-2:9092 (KAFKA_BROKERS or --kafka-brokers).',
    );
  }
  return brokers;
}

function readNamespace(namespace: string): string {
  if (namespace === '' || (isKafkaName(namespace) && namespace.length <= NAMESPACE_LENGTH_MAX))
    return namespace;
  throw invalid(
    `Namespace "${namespace}" cannot begin the names of topics.`,
    `Use at most ${NAMESPACE_LENGTH_MAX} letters, digits, ".", "_" or "-" (FORETILL_NAMESPACE or --namespace).`,
  );
}

function readReplication(read: Read): number | undefined {
  const text = read('KAFKA_REPLICATION_FACTOR');
  if (text === undefined) return undefined;
  if (/^\d{1,4}$/.test(text) && Number(text) >= 1) return Number(text);
  throw invalid(`KAFKA_REPLICATION_FACTOR is "${text}".`, 'Give the number of copies, 1 or more.');
}

function readTls(read: Read): KafkaTls | undefined {
  const wanted = readFlag(read, 'KAFKA_TLS');
  const caFile = read('KAFKA_TLS_CA_FILE');
  const certFile = read('KAFKA_TLS_CERT_FILE');
  const keyFile = read('KAFKA_TLS_KEY_FILE');
  const named = [caFile, certFile, keyFile].some((file) => file !== undefined);
  if (wanted === false && named)
    throw invalid(
      'KAFKA_TLS is false, but files for TLS are named.',
      'Set KAFKA_TLS=true, or name no files.',
    );
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw invalid(
      'Of the client’s certificate for Kafka only one half is named.',
      'Set both KAFKA_TLS_CERT_FILE and KAFKA_TLS_KEY_FILE.',
    );
  }
  if (wanted !== true && !named) return undefined;
  return {
    ...(caFile === undefined ? {} : { caFile }),
    ...(certFile === undefined || keyFile === undefined ? {} : { certFile, keyFile }),
  };
}

function readFlag(read: Read, name: string): boolean | undefined {
  const text = read(name)?.toLowerCase();
  if (text === undefined) return undefined;
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw invalid(`${name} is "${text}".`, 'Use true or false.');
}

function readSasl(read: Read): KafkaPassword | KafkaOauth | undefined {
  const mechanism = read('KAFKA_SASL_MECHANISM')?.toLowerCase();
  switch (mechanism) {
    case undefined:
      for (const name of [...PASSWORD_NAMES, ...OAUTH_NAMES]) {
        if (read(name) === undefined) continue;
        throw invalid(
          `${name} is set, but KAFKA_SASL_MECHANISM is not.`,
          `Set it to one of ${MECHANISMS}, or leave ${name} out.`,
        );
      }
      return undefined;
    case 'plain':
    case 'scram-sha-256':
    case 'scram-sha-512': {
      const [username, password] = PASSWORD_NAMES.map((name) => demanded(read, name, mechanism));
      return { mechanism, username: username as string, password: password as string };
    }
    case 'oauthbearer':
      return readOauth(read);
    default:
      throw invalid(`KAFKA_SASL_MECHANISM "${mechanism}" is unknown.`, `Use one of ${MECHANISMS}.`);
  }
}

function readOauth(read: Read): KafkaOauth {
  const [tokenUrl, clientId, clientSecret] = OAUTH_NAMES.map((name) => demanded(read, name, 'oauthbearer'));
  if (!/^https?:$/.test(URL.parse(tokenUrl as string)?.protocol ?? ''))
    throw invalid('KAFKA_OAUTH_TOKEN_URL is not a URL.', 'Use the https address of the token endpoint.');
  const { username, password } = new URL(tokenUrl as string);
  if (username !== '' || password !== '')
    throw invalid(
      'KAFKA_OAUTH_TOKEN_URL has a user or a password in it.',
      'Take them out of it and set KAFKA_OAUTH_CLIENT_ID and KAFKA_OAUTH_CLIENT_SECRET.',
    );
  const scope = read('KAFKA_OAUTH_SCOPE');
  return {
    mechanism: 'oauthbearer',
    tokenUrl: tokenUrl as string,
    clientId: clientId as string,
    clientSecret: clientSecret as string,
    ...(scope === undefined ? {} : { scope }),
  };
}

function demanded(read: Read, name: string, mechanism: string): string {
  const text = read(name);
  if (text !== undefined) return text;
  throw invalid(`KAFKA_SASL_MECHANISM is ${mechanism}, but ${name} is not set.`, `Set ${name}.`);
}

function invalid(message: string, remedy: string): ForetillError {
  return new ForetillError('CONFIG_INVALID', message, { remedy });
}

const MECHANISMS = 'plain, scram-sha-256, scram-sha-512, oauthbearer';
const PASSWORD_NAMES = ['KAFKA_USERNAME', 'KAFKA_PASSWORD'] as const;
const OAUTH_NAMES = ['KAFKA_OAUTH_TOKEN_URL', 'KAFKA_OAUTH_CLIENT_ID', 'KAFKA_OAUTH_CLIENT_SECRET'] as const;
const NAMESPACE_LENGTH_MAX = 64;
