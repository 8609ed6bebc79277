/**
 * What kafkajs throws, as an error that an operator can act on. kafkajs wraps its errors in one another, hides some
 * (asking all brokers in vain ends in a TypeError) and has no sentence for most of what a wrong address, certificate or
 * password looks like from here.
 */
import { ForetillError } from '../../../errors.ts';
import type { ErrorCode } from '../../../errors.ts';
import type { KafkaAddress } from './address.ts';

/** What was being done; names as they are above the adapter. */
export type KafkaWhere = {
  readonly address: KafkaAddress;
  readonly topic?: string;
  readonly group?: string;
};

type Told = { readonly code: ErrorCode; readonly message: string; readonly remedy: string };

/** An error that is one of ours already comes back as it is. */
export function kafkaError(error: unknown, where: KafkaWhere): ForetillError {
  const root = rootOf(error);
  if (root instanceof ForetillError) return root;
  const { code, message, remedy } = tell(root, where);
  return new ForetillError(code, message, { remedy, cause: root });
}

/** The protocol's name of an error, such as NOT_LEADER_FOR_PARTITION; null for any other. */
export function protocolErrorOf(error: unknown): string | null {
  return rootOf(error).type ?? null;
}

/**
 * What kafkajs itself gets over: a broker that is not there, or that answers with an error. Anything else (no answer in
 * time, a TypeError of its own) leaves its connections in doubt.
 */
export function isPassing(error: unknown): boolean {
  const { type, name } = rootOf(error);
  return type !== undefined || PASSING_NAMES.has(name);
}

const PASSING_NAMES: ReadonlySet<string> = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  // A leader of −1, or one that has just left.
  'KafkaJSBrokerNotFound',
]);

/** The broker and the producer count differently: nothing sent by this producer will be taken any more. */
export function isSequenceLost(error: unknown): boolean {
  return SEQUENCE_LOST.has(protocolErrorOf(error) ?? '');
}

const SEQUENCE_LOST: ReadonlySet<string> = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'DUPLICATE_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
]);

type KafkaJsError = Error & {
  readonly type?: string;
  readonly code?: string | number;
  readonly broker?: string;
  readonly topic?: string;
};

/** The innermost of errors that wrap each other; of several at once, the first that is not about our own haste. */
function rootOf(error: unknown): KafkaJsError {
  let root = error instanceof Error ? error : new Error(String(error));
  for (let depth = 0; depth < WRAPPED_MAX && !(root instanceof ForetillError); depth++) {
    const inner = 'errors' in root && Array.isArray(root.errors) ? root.errors[0] : root.cause;
    if (!(inner instanceof Error)) break;
    root = inner;
  }
  return root;
}

const WRAPPED_MAX = 10;

function tell(error: KafkaJsError, where: KafkaWhere): Told {
  if (error.type !== undefined) return PROTOCOL[error.type]?.(where) ?? answered(error, where);
  if (error.name === 'KafkaJSSASLAuthenticationError') return refusedLogin(error, where);
  if (error.name === 'KafkaJSConnectionError' || error.name === 'KafkaJSConnectionClosedError')
    return notConnected(error, where);
  if (error.name === 'KafkaJSRequestTimeoutError')
    return unavailable(
      `Kafka at ${error.broker ?? brokersOf(where)} did not answer in time.`,
      BROKERS_REMEDY,
    );
  if (/^Broker .* not found/.test(error.message)) return noLeader(where);
  if (error.name === 'KafkaJSGroupCoordinatorNotFound') return noCoordinator(where);
  return unavailable(
    `Kafka at ${brokersOf(where)} cannot be used: ${withoutFullStop(error.message)}.`,
    BROKERS_REMEDY,
  );
}

const BROKERS_REMEDY = 'See whether the brokers are up and what their logs say; it is safe to try again.';

const PROTOCOL: Readonly<Record<string, (where: KafkaWhere) => Told>> = {
  UNKNOWN_TOPIC_OR_PARTITION: ({ topic }) => ({
    code: 'INPUT_NOT_FOUND',
    message: `Kafka has no topic ${topic ?? 'of that name'}.`,
    remedy: 'Create it first (foretill topics), or correct its name.',
  }),
  MESSAGE_TOO_LARGE: tooLarge,
  RECORD_LIST_TOO_LARGE: tooLarge,
  INVALID_TIMESTAMP: (where) => ({
    code: 'INPUT_INVALID',
    message: `Kafka refuses records for ${topicOf(where)} because of their timestamps.`,
    remedy:
      'Set the topic’s message.timestamp.before.max.ms and message.timestamp.after.max.ms, or the clocks right.',
  }),
  INVALID_RECORD: (where) => ({
    code: 'INPUT_INVALID',
    message: `Kafka refuses records for ${topicOf(where)} as they are.`,
    remedy: 'Give every record of a compacted topic a key; see the broker’s log for other reasons.',
  }),
  TOPIC_AUTHORIZATION_FAILED: (where) => notAllowed(topicOf(where), where),
  GROUP_AUTHORIZATION_FAILED: (where) => notAllowed(`group ${where.group ?? 'names of ours'}`, where),
  CLUSTER_AUTHORIZATION_FAILED: (where) => notAllowed('the cluster itself', where),
  SASL_AUTHENTICATION_FAILED: (where) => refusedLogin(null, where),
  UNSUPPORTED_SASL_MECHANISM: wrongMechanism,
  ILLEGAL_SASL_STATE: wrongMechanism,
  INVALID_REPLICATION_FACTOR: (where) => ({
    code: 'CONFIG_INVALID',
    message: `Kafka cannot keep as many copies of ${topicOf(where)} as were asked for: there are fewer brokers.`,
    remedy: 'Lower the replication factor (KAFKA_REPLICATION_FACTOR), or start more brokers.',
  }),
  INVALID_PARTITIONS: (where) => ({
    code: 'CONFIG_INVALID',
    message: `Kafka cannot create ${topicOf(where)} with that number of partitions.`,
    remedy: 'Use 1 or more.',
  }),
  INVALID_TOPIC_EXCEPTION: (where) => ({
    code: 'CONFIG_INVALID',
    message: `Kafka takes no topic named ${where.topic ?? 'like that'}.`,
    remedy: 'Use letters, digits, ".", "_" and "-" for the namespace (FORETILL_NAMESPACE or --namespace).',
  }),
  INVALID_CONFIG: (where) => ({
    code: 'CONFIG_INVALID',
    message: `Kafka refuses the settings for ${topicOf(where)}.`,
    remedy: 'Foretill needs Kafka 3.6 or later; see the broker’s log for the setting it means.',
  }),
  POLICY_VIOLATION: (where) => ({
    code: 'CONFIG_INVALID',
    message: `A policy of the Kafka cluster forbids ${topicOf(where)} as it was asked for.`,
    remedy: 'Ask whoever runs the cluster for the topic, with the settings that foretill topics shows.',
  }),
  INVALID_SESSION_TIMEOUT: () => ({
    code: 'CONFIG_INVALID',
    message: 'Kafka refuses our session time-out as too short or too long.',
    remedy: 'Set the brokers’ group.min.session.timeout.ms to at most kafka.sessionTimeoutMs.',
  }),
  UNSUPPORTED_COMPRESSION_TYPE: (where) => ({
    code: 'CONFIG_INVALID',
    message: `Kafka does not take the compression we use for ${topicOf(where)}.`,
    remedy: 'Choose another one (kafka.compression), or update the brokers.',
  }),
  UNSUPPORTED_VERSION: (where) => ({
    code: 'CONFIG_INVALID',
    message: `Kafka at ${brokersOf(where)} no longer, or not yet, understands what we ask.`,
    remedy: 'Use Kafka 3.6 or later, up to 4.',
  }),
  KAFKA_STORAGE_ERROR: (where) => ({
    code: 'DISK_FULL',
    message: `A Kafka broker cannot write ${topicOf(where)} to its disk, which is full or failing.`,
    remedy: 'Free or replace the broker’s disk; nothing acknowledged is lost, and sending goes on by itself.',
  }),
  NOT_ENOUGH_REPLICAS: tooFewCopies,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: tooFewCopies,
  LEADER_NOT_AVAILABLE: noLeader,
  NOT_LEADER_FOR_PARTITION: noLeader,
};

function tooLarge(where: KafkaWhere): Told {
  return {
    code: 'INPUT_INVALID',
    message: `Kafka refuses records for ${topicOf(where)} as too large.`,
    remedy: 'Send smaller records, or raise the topic’s max.message.bytes.',
  };
}

function tooFewCopies(where: KafkaWhere): Told {
  return unavailable(
    `Too few brokers have a copy of ${topicOf(where)} to write to it safely.`,
    'Start the brokers that are down, or lower the topic’s min.insync.replicas.',
  );
}

/** Also what is left of a topic whose broker's disk has failed or is full: kafkajs asks again before it tells. */
function noLeader(where: KafkaWhere): Told {
  return unavailable(
    `No broker leads ${topicOf(where)} at the moment.`,
    'See whether the brokers are up and whether their disks are full; it is safe to try again.',
  );
}

/** kafkajs does not tell why: rights that are lacking look the same. */
function noCoordinator(where: KafkaWhere): Told {
  return unavailable(
    `No broker answers for group ${where.group ?? 'names of ours'} at the moment, or ${userOf(where)} may not use it.`,
    'See whether the brokers are up, and whether the rights (ACLs) to read the group are granted.',
  );
}

function withoutFullStop(text: string): string {
  return text.replace(/\.+$/, '');
}

function wrongMechanism(where: KafkaWhere): Told {
  return {
    code: 'CONFIG_INVALID',
    message: `Kafka at ${brokersOf(where)} does not offer SASL ${mechanismOf(where)} at this port.`,
    remedy: 'Set KAFKA_SASL_MECHANISM to one that the listener offers, or use another port.',
  };
}

function refusedLogin(error: KafkaJsError | null, where: KafkaWhere): Told {
  if (error !== null && /not supported by the server/.test(error.message)) return wrongMechanism(where);
  const { sasl } = where.address;
  return {
    code: 'CONFIG_INVALID',
    message: `Kafka at ${brokersOf(where)} refuses ${userOf(where)} by SASL ${mechanismOf(where)}.`,
    remedy:
      sasl?.mechanism === 'oauthbearer'
        ? 'Check that the brokers trust the tokens of KAFKA_OAUTH_TOKEN_URL, and KAFKA_OAUTH_SCOPE.'
        : 'Check KAFKA_USERNAME, KAFKA_PASSWORD and KAFKA_SASL_MECHANISM.',
  };
}

function notAllowed(what: string, where: KafkaWhere): Told {
  return {
    code: 'CONFIG_INVALID',
    message: `Kafka does not allow ${userOf(where)} to use ${what}.`,
    remedy: 'Have the rights (ACLs) granted: to read and write our topics, and to read our groups.',
  };
}

function notConnected(error: KafkaJsError, where: KafkaWhere): Told {
  const { broker } = error;
  const host = broker ?? brokersOf(where);
  const code = String(error.code ?? '');
  const tls = TLS_CODES.find(([pattern]) => pattern.test(code))?.[1];
  if (tls !== undefined) return { code: 'CONFIG_INVALID', ...tls(host) };
  const why = reasonOf(error);
  if (broker !== undefined && !where.address.brokers.includes(broker)) {
    return unavailable(
      `Kafka at ${brokersOf(where)} names ${broker} as a broker, which cannot be reached from here: ${why}.`,
      'Start that broker; if it is up, set its advertised.listeners to an address that this machine reaches.',
    );
  }
  return unavailable(
    `Kafka at ${host} cannot be reached: ${why}.`,
    'Start the broker, or correct KAFKA_BROKERS or --kafka-brokers; check the network and firewalls between.',
  );
}

type TlsTold = (host: string) => { message: string; remedy: string };

/** Codes of Node and OpenSSL. */
const TLS_CODES: readonly (readonly [RegExp, TlsTold])[] = [
  [
    /SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY)|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE/,
    (host) => ({
      message: `The certificate of Kafka at ${host} comes from an authority that we do not know.`,
      remedy: 'Set KAFKA_TLS_CA_FILE to the authority’s certificate.',
    }),
  ],
  [
    /CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/,
    (host) => ({
      message: `The certificate of Kafka at ${host} is not valid at this time.`,
      remedy: 'Renew it, or set this machine’s clock right.',
    }),
  ],
  [
    /ALTNAME_INVALID/,
    (host) => ({
      message: `The certificate of Kafka at ${host} is made out to another name.`,
      remedy:
        'Use the name in the certificate in KAFKA_BROKERS or --kafka-brokers, and in the broker’s advertised.listeners.',
    }),
  ],
  [
    /ALERT_(?:BAD_CERTIFICATE|CERTIFICATE_REQUIRED|CERTIFICATE_UNKNOWN|UNKNOWN_CA)|HANDSHAKE_FAILURE/,
    (host) => ({
      message: `Kafka at ${host} does not accept our certificate, or wants one.`,
      remedy:
        'Set KAFKA_TLS_CERT_FILE and KAFKA_TLS_KEY_FILE to a certificate from an authority that it trusts.',
    }),
  ],
  [
    /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/,
    (host) => ({
      message: `What listens at ${host} does not speak TLS.`,
      remedy: 'Use the port of a TLS listener, or leave KAFKA_TLS out.',
    }),
  ],
];

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'its name cannot be looked up at the moment',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
  ETIMEDOUT: 'it does not answer',
  ECONNRESET: 'it closed the connection',
};

function reasonOf(error: KafkaJsError): string {
  if (error.name === 'KafkaJSConnectionClosedError') return 'it closed the connection';
  if (error.message === 'Connection timeout') return 'it does not answer';
  return REASONS[String(error.code ?? '')] ?? error.message.replace(/^Connection error: /, '');
}

/** Any other answer of a broker: most are passing states of the cluster. */
function answered(error: KafkaJsError, where: KafkaWhere): Told {
  const about =
    where.topic === undefined && where.group === undefined ? '' : ` about ${where.topic ?? where.group}`;
  return unavailable(
    `Kafka at ${brokersOf(where)} answers ${error.type}${about}: ${withoutFullStop(error.message)}.`,
    BROKERS_REMEDY,
  );
}

function unavailable(message: string, remedy: string): Told {
  return { code: 'LOG_UNAVAILABLE', message, remedy };
}

function topicOf({ topic }: KafkaWhere): string {
  return topic === undefined ? 'a topic' : `topic ${topic}`;
}

function userOf({ address: { sasl, tls } }: KafkaWhere): string {
  if (sasl !== undefined) {
    return sasl.mechanism === 'oauthbearer' ? `client ${sasl.clientId}` : `user ${sasl.username}`;
  }
  return tls?.certFile === undefined ? 'us, who gave no name' : 'the owner of our certificate';
}

function mechanismOf({ address: { sasl } }: KafkaWhere): string {
  return sasl?.mechanism.toUpperCase() ?? 'as we use it';
}

function brokersOf({ address: { brokers } }: KafkaWhere): string {
  return brokers.join(', ');
}
