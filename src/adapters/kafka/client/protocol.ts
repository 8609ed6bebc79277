/**
 * The one boundary to the client library on the consuming side: a connection to one broker, and the ten requests of
 * Kafka's protocol that consuming takes. kafkajs-inner.ts has what it is made of, and beside it only the settings
 * (client-settings.ts), the codecs (unpack.ts) and the consumer protocol's bytes (assignment.ts) come from kafkajs. So
 * another client takes its place when it can send these ten requests to a broker of our choice, tells errors by the
 * protocol's names of them, and hands over a fetch's record batches as bytes.
 *
 * Answers are read here to the last field that we use. Errors that concern a whole request reject with kafkajs's own
 * error; those of single partitions are in the answers.
 */
import type { KafkaConfig } from 'kafkajs';
import type { TopicPartition } from '../../../pipeline/log.ts';
import { readFetchAnswer } from './fetch-answer.ts';
import type { FetchedPartition } from './fetch-answer.ts';
import { closePool, connectionBroken, errorNamed, failIf, inner } from './kafkajs-inner.ts';
import type { Answer, ApiName, ConnectionPool, HostPort, KafkajsBroker, Prepared } from './kafkajs-inner.ts';

export type ClusterMetadata = {
  readonly brokers: ReadonlyMap<number, HostPort>;
  /** By topic: the leader of each partition (−1: none now), or why nothing is known of the topic. */
  readonly topics: ReadonlyMap<string, TopicMetadata>;
};

export type TopicMetadata =
  | { readonly error: null; readonly leaders: readonly number[] }
  | { readonly error: string };

export type GroupProtocol = { readonly name: string; readonly metadata: Buffer };

export type JoinRequest = {
  readonly groupId: string;
  readonly memberId: string;
  readonly sessionTimeout: number;
  readonly rebalanceTimeout: number;
  readonly groupProtocols: readonly GroupProtocol[];
};

export type Joined = {
  readonly generationId: number;
  readonly memberId: string;
  readonly leaderId: string;
  /** All of them for the leader, else none. */
  readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[];
};

export type Membership = {
  readonly groupId: string;
  readonly memberId: string;
  readonly generationId: number;
};

export type MemberShare = { readonly memberId: string; readonly memberAssignment: Buffer };

export type PartitionOffset = TopicPartition & { readonly offset: number };

export type FetchPosition = PartitionOffset & { readonly bytesMax: number };

/** `error` is the protocol's name of it. */
export type Answered<T> = TopicPartition & ({ readonly error: string } | ({ readonly error: null } & T));

/** `offset` −1: nothing is committed. */
export type FetchedOffset = Answered<{ readonly offset: number; readonly metadata: string }>;

export type ProtocolBroker = {
  /** False once the connection has broken; a broken one is not mended, but opened anew. */
  isConnected(): boolean;
  /** At once; what is under way is rejected. */
  close(): void;
  metadata(topics: readonly string[]): Promise<ClusterMetadata>;
  findCoordinator(groupId: string): Promise<number>;
  /** Waits until all members have joined. A new member is refused first, with the id to join by: see `requiredMemberId`. */
  joinGroup(request: JoinRequest): Promise<Joined>;
  /** What this member is assigned; the leader says who gets what. */
  syncGroup(membership: Membership, shares: readonly MemberShare[]): Promise<Buffer>;
  heartbeat(membership: Membership): Promise<void>;
  leaveGroup(member: { readonly groupId: string; readonly memberId: string }): Promise<void>;
  offsetFetch(groupId: string, partitions: readonly TopicPartition[]): Promise<readonly FetchedOffset[]>;
  offsetCommit(
    membership: Membership,
    offsets: readonly (PartitionOffset & { readonly metadata: string })[],
  ): Promise<readonly Answered<object>[]>;
  listOffsets(
    partitions: readonly TopicPartition[],
    which: 'earliest' | 'latest',
  ): Promise<readonly Answered<{ readonly offset: number }>[]>;
  fetch(request: {
    readonly positions: readonly FetchPosition[];
    readonly waitMs: number;
    readonly bytesMax: number;
  }): Promise<readonly FetchedPartition[]>;
};

/** Connects and signs in. Rejects with kafkajs's errors. */
export async function openBroker(settings: KafkaConfig, address: HostPort): Promise<ProtocolBroker> {
  const logger = inner.loggers.createLogger({ level: settings.logLevel, logCreator: settings.logCreator });
  const pool = new inner.ConnectionPool({
    ...address,
    rack: null,
    logger,
    ssl: settings.ssl,
    sasl: settings.sasl,
    clientId: settings.clientId,
    socketFactory: settings.socketFactory ?? inner.socketFactory(),
    connectionTimeout: settings.connectionTimeout,
    requestTimeout: settings.requestTimeout,
    enforceRequestTimeout: true,
    reauthenticationThreshold: settings.reauthenticationThreshold,
  });
  const broker = new inner.Broker({
    connectionPool: pool,
    logger,
    authenticationTimeout: settings.authenticationTimeout,
    allowAutoTopicCreation: false,
  });
  let closed = false;
  const close = (): void => {
    closed = true;
    closePool(pool, address);
  };
  try {
    await broker.connect();
  } catch (error) {
    close();
    throw error;
  }
  return {
    ...requestsOf(broker, pool, address),
    isConnected: () => !closed && pool.pool[0]?.isConnected() === true,
    close,
  };
}

function requestsOf(
  broker: KafkajsBroker,
  pool: ConnectionPool,
  address: HostPort,
): Omit<ProtocolBroker, 'isConnected' | 'close'> {
  /** Sends; rejects with the error of the whole answer, if it has one. */
  async function send(api: ApiName, parameters: object): Promise<Answer> {
    const { request, response, requestTimeout } = prepare(api, parameters);
    const answer = await pool.send({
      request,
      response: { ...response, parse: unparsed },
      ...timeout(requestTimeout),
    });
    failIf(answer['errorCode'] ?? 0, answer);
    return answer;
  }

  function prepare(api: ApiName, parameters: object): Prepared {
    return broker.lookupRequest(inner.apiKeys[api], inner.requests[api])(parameters);
  }

  return {
    async metadata(topics) {
      return readMetadata(await send('Metadata', { topics, allowAutoTopicCreation: false }));
    },
    async findCoordinator(groupId) {
      const { coordinator } = await send('GroupCoordinator', { groupId, coordinatorType: 0 });
      return (coordinator as { nodeId: number }).nodeId;
    },
    async joinGroup(request) {
      return (await send('JoinGroup', { ...request, protocolType: 'consumer' })) as unknown as Joined;
    },
    async syncGroup(membership, groupAssignment) {
      const { memberAssignment } = await send('SyncGroup', { ...membership, groupAssignment });
      return memberAssignment as Buffer;
    },
    async heartbeat({ groupId, memberId, generationId }) {
      await send('Heartbeat', { groupId, memberId, groupGenerationId: generationId });
    },
    async leaveGroup(member) {
      await send('LeaveGroup', member);
    },
    async offsetFetch(groupId, partitions) {
      const answer = await send('OffsetFetch', { groupId, topics: byTopic(partitions) });
      return partitionsOf(answer, (each) => ({
        offset: toOffset(each['offset']),
        metadata: (each['metadata'] as string | null) ?? '',
      }));
    },
    async offsetCommit({ groupId, memberId, generationId }, offsets) {
      const answer = await send('OffsetCommit', {
        groupId,
        memberId,
        groupGenerationId: generationId,
        topics: byTopic(offsets),
      });
      return partitionsOf(answer, () => ({}));
    },
    async listOffsets(partitions, which) {
      const timestamp = which === 'earliest' ? -2 : -1;
      const topics = byTopic(partitions.map((each) => ({ ...each, timestamp })));
      const answer = await send('ListOffsets', { topics, isolationLevel: READ_COMMITTED });
      return partitionsOf(answer, (each) => ({ offset: toOffset(each['offset']) }));
    },
    async fetch({ positions, waitMs, bytesMax }) {
      const { request, requestTimeout } = prepare('Fetch', {
        maxWaitTime: waitMs,
        minBytes: 1,
        maxBytes: bytesMax,
        isolationLevel: READ_COMMITTED,
        topics: byTopic(
          positions.map(({ topic, partition, offset, bytesMax: maxBytes }) => ({
            topic,
            partition,
            fetchOffset: offset,
            maxBytes,
          })),
        ),
      });
      if (request.apiVersion !== FETCH_VERSION)
        throw connectionBroken(address, 'The broker is older than Kafka 2.3');
      const response = { decode: async (payload: Buffer) => readFetchAnswer(payload), parse: unparsed };
      const answer = await pool.send({ request, response, ...timeout(requestTimeout) });
      failIf(answer['errorCode'], answer);
      return answer['partitions'] as readonly FetchedPartition[];
    },
  };
}

/** The version of the fetch request that `readFetchAnswer` reads: Kafka 2.3 and later know it. */
const FETCH_VERSION = 11;
const READ_COMMITTED = 1;

async function unparsed(answer: Answer): Promise<Answer> {
  return answer;
}

function timeout(requestTimeout: number | undefined): { requestTimeout?: number } {
  return requestTimeout === undefined ? {} : { requestTimeout };
}

function readMetadata(answer: Answer): ClusterMetadata {
  const { brokers, topicMetadata } = answer as unknown as {
    readonly brokers: readonly (HostPort & { readonly nodeId: number })[];
    readonly topicMetadata: readonly {
      readonly topic: string;
      readonly topicErrorCode: number;
      readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number }[];
    }[];
  };
  return {
    brokers: new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }])),
    topics: new Map(
      topicMetadata.map(({ topic, topicErrorCode, partitionMetadata }): [string, TopicMetadata] => {
        const error = errorNamed(topicErrorCode);
        if (error !== null) return [topic, { error }];
        const leaders = Array.from({ length: partitionMetadata.length }, () => -1);
        for (const { partitionId, leader } of partitionMetadata) leaders[partitionId] = leader;
        return [topic, { error, leaders }];
      }),
    ),
  };
}

/** As requests name partitions: grouped by topic. */
function byTopic<T extends TopicPartition>(partitions: readonly T[]): { topic: string; partitions: T[] }[] {
  return [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, each]) => ({
    topic,
    partitions: each,
  }));
}

function partitionsOf<T extends object>(answer: Answer, read: (partition: Answer) => T): Answered<T>[] {
  const responses = answer['responses'] as readonly { topic: string; partitions: readonly Answer[] }[];
  return responses.flatMap(({ topic, partitions }) =>
    partitions.map((each): Answered<T> => {
      const place = { topic, partition: each['partition'] as number };
      const error = errorNamed(each['errorCode']);
      return error === null ? { ...place, error, ...read(each) } : { ...place, error };
    }),
  );
}

/** kafkajs gives offsets as text. */
function toOffset(text: unknown): number {
  const offset = Number(text);
  if (Number.isSafeInteger(offset)) return offset;
  throw new RangeError(`${String(text)} is no offset`);
}
