/**
 * kafkajs's inner layer, which it neither documents nor types, as far as we use it: `broker` and
 * `network/connectionPool` (sockets, TLS, SASL, versions), `protocol/requests` (the bytes of requests and answers),
 * `protocol/error` (names of error codes), the checksum of record batches, and `loggers`.
 */
import { createRequire } from 'node:module';

export type HostPort = { readonly host: string; readonly port: number };

export type Answer = Readonly<Record<string, unknown>>;
export type Prepared = {
  readonly request: { readonly apiKey: number; readonly apiVersion: number };
  readonly response: { decode(payload: Buffer): Promise<Answer>; parse(answer: Answer): Promise<Answer> };
  readonly requestTimeout?: number;
};
type Definition = { readonly versions: readonly string[] };
type Connection = {
  readonly socket?: { readonly connecting: boolean; destroy(error?: Error): void };
  readonly authHandlers: { onError(): void } | null;
  isConnected(): boolean;
  rejectRequests(error: Error): void;
  disconnect(): Promise<unknown>;
};
export type ConnectionPool = {
  readonly pool: readonly Connection[];
  send(prepared: Prepared): Promise<Answer>;
};
export type KafkajsBroker = {
  connect(): Promise<void>;
  lookupRequest(apiKey: number, definition: Definition): (parameters: object) => Prepared;
};
export type ApiName =
  | 'Metadata'
  | 'GroupCoordinator'
  | 'JoinGroup'
  | 'SyncGroup'
  | 'Heartbeat'
  | 'LeaveGroup'
  | 'OffsetFetch'
  | 'OffsetCommit'
  | 'ListOffsets'
  | 'Fetch';

const require = createRequire(import.meta.url);
export const inner = {
  Broker: require('kafkajs/src/broker') as new (options: object) => KafkajsBroker,
  ConnectionPool: require('kafkajs/src/network/connectionPool') as new (options: object) => ConnectionPool,
  socketFactory: require('kafkajs/src/network/socketFactory') as () => unknown,
  requests: (require('kafkajs/src/protocol/requests') as { requests: Record<ApiName, Definition> }).requests,
  apiKeys: require('kafkajs/src/protocol/requests/apiKeys') as Record<ApiName, number>,
  errors: require('kafkajs/src/protocol/error') as {
    createErrorFromCode(code: number): Error & { readonly type: string };
  },
  failures: require('kafkajs/src/errors') as {
    KafkaJSConnectionError: new (
      message: string,
      options: { readonly broker: string },
    ) => Error & { readonly broker: string };
    KafkaJSMemberIdRequired: new (
      cause: Error,
      options: { readonly memberId: string },
    ) => Error & { readonly memberId: string };
  },
  loggers: require('kafkajs/src/loggers') as { createLogger(options: object): unknown },
  crc32C: require('kafkajs/src/protocol/recordBatch/crc32C/crc32C') as (bytes: Buffer) => number,
};

/** The id that the broker wants a new member to join by; null for any other error. */
export function requiredMemberId(error: unknown): string | null {
  return error instanceof inner.failures.KafkaJSMemberIdRequired ? error.memberId : null;
}

/** The error of that name, as if a broker had answered it. */
export function protocolError(type: string): Error {
  const known = Array.from({ length: ERROR_CODES }, (_, code) => inner.errors.createErrorFromCode(code));
  return known.find((error) => error.type === type) ?? inner.errors.createErrorFromCode(-1);
}

/** One more than the highest code that kafkajs has a name for (UNSTABLE_OFFSET_COMMIT). */
const ERROR_CODES = 89;

export function connectionBroken({ host, port }: HostPort, why: string): Error {
  return new inner.failures.KafkaJSConnectionError(why, { broker: `${host}:${port}` });
}

/** True where another connection may do: it broke, was refused, or did not answer in time. */
export function isConnectionError(error: unknown): boolean {
  return error instanceof Error && CONNECTION_ERRORS.has(error.name);
}

const CONNECTION_ERRORS: ReadonlySet<string> = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSTimeout',
  'KafkaJSLockTimeout',
]);

/** Throws the error that the code of a whole answer stands for. */
export function failIf(code: unknown, answer: Answer): void {
  if (code === 0) return;
  const error = inner.errors.createErrorFromCode(Number(code));
  if (error.type !== 'MEMBER_ID_REQUIRED') throw error;
  throw new inner.failures.KafkaJSMemberIdRequired(error, { memberId: String(answer['memberId']) });
}

/** The protocol's name of a partition's error; null for none. */
export function errorNamed(code: unknown): string | null {
  return code === 0 ? null : inner.errors.createErrorFromCode(Number(code)).type;
}

/** kafkajs's own way waits for the answers that are under way, which may never come. */
export function closePool({ pool }: ConnectionPool, address: HostPort): void {
  const error = connectionBroken(address, 'The connection was closed');
  for (const connection of pool) {
    connection.authHandlers?.onError();
    connection.rejectRequests(error);
    // Only an error ends an attempt to connect; otherwise it would be an error to report.
    if (connection.socket?.connecting === true) connection.socket.destroy(error);
    else connection.socket?.destroy();
    void connection.disconnect();
  }
}
