/**
 * The brokers of a cluster: one connection to each that is needed, opened when it is first used and replaced when it
 * has broken. (kafkajs mends a broken connection in place, with what was read of half an answer still in its buffer.)
 * Nothing is retried here.
 */
import type { KafkaConfig } from 'kafkajs';
import { connectionBroken, isConnectionError, protocolError } from './kafkajs-inner.ts';
import { openBroker } from './protocol.ts';
import type { HostPort } from './kafkajs-inner.ts';
import type { ProtocolBroker, TopicMetadata } from './protocol.ts';

/** `broker`: once it is connected. */
type Line = { readonly opening: Promise<ProtocolBroker>; broker: ProtocolBroker | null };

export class Brokers {
  readonly #settings: KafkaConfig;
  readonly #seeds: readonly HostPort[];
  readonly #topics: readonly string[];
  readonly #addresses = new Map<number, HostPort>();
  readonly #lines = new Map<number, Line>();
  #closed = false;

  /** `topics`: those that `metadata` asks for, by their names on the wire. */
  constructor(settings: KafkaConfig, topics: readonly string[]) {
    this.#settings = settings;
    this.#seeds = (settings.brokers as string[]).map(toHostPort);
    this.#topics = topics;
  }

  /** What is known of the topics now; also learns where the brokers are. `also`: further topics. */
  async metadata(also: readonly string[] = []): Promise<ReadonlyMap<string, TopicMetadata>> {
    const wanted = [...new Set([...this.#topics, ...also])];
    return this.#anyone(async (broker, address) => {
      const { brokers, topics } = await broker.metadata(wanted);
      this.#learn(brokers, broker, address);
      return topics;
    });
  }

  coordinatorOf(groupId: string): Promise<number> {
    return this.#anyone((broker) => broker.findCoordinator(groupId));
  }

  /** Sends a request to that broker. An answer that takes longer than `msMax` breaks the connection. */
  async on<T>(nodeId: number, request: (broker: ProtocolBroker) => Promise<T>, msMax?: number): Promise<T> {
    const broker = await this.#broker(nodeId);
    const timer = msMax === undefined ? undefined : setTimeout(() => this.#discard(nodeId, broker), msMax);
    try {
      return await request(broker);
    } catch (error) {
      if (isConnectionError(error)) this.#discard(nodeId, broker);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** At once; what is under way is rejected. */
  close(): void {
    this.#closed = true;
    for (const line of this.#lines.values()) void closeWhenOpen(line);
    this.#lines.clear();
  }

  /** Asks a broker that is known, or else one of those we were told of at the start, until one answers. */
  async #anyone<T>(request: (broker: ProtocolBroker, address: HostPort) => Promise<T>): Promise<T> {
    let failure: unknown;
    for (const [nodeId, address] of shuffled([...this.#addresses])) {
      try {
        return await this.on(nodeId, (broker) => request(broker, address));
      } catch (error) {
        if (!isConnectionError(error)) throw error;
        failure = error;
      }
    }
    for (const address of shuffled([...this.#seeds])) {
      try {
        return await this.#onSeed(address, request);
      } catch (error) {
        if (!isConnectionError(error)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  async #onSeed<T>(
    address: HostPort,
    request: (broker: ProtocolBroker, address: HostPort) => Promise<T>,
  ): Promise<T> {
    this.#demandOpen(address);
    const broker = await openBroker(this.#settings, address);
    try {
      this.#demandOpen(address);
      return await request(broker, address);
    } finally {
      if (![...this.#lines.values()].some((line) => line.broker === broker)) broker.close();
    }
  }

  /** Who moved is connected to anew; the broker that answered keeps its connection, now under its own number. */
  #learn(brokers: ReadonlyMap<number, HostPort>, broker: ProtocolBroker, answeredAt: HostPort): void {
    for (const [nodeId, known] of this.#addresses) {
      const address = brokers.get(nodeId);
      if (address !== undefined && same(address, known)) continue;
      this.#addresses.delete(nodeId);
      const line = this.#lines.get(nodeId);
      this.#lines.delete(nodeId);
      if (line !== undefined && line.broker !== broker) void closeWhenOpen(line);
    }
    for (const [nodeId, address] of brokers) {
      this.#addresses.set(nodeId, address);
      const mayBeKept = !this.#closed && !this.#lines.has(nodeId) && same(address, answeredAt);
      if (mayBeKept) this.#lines.set(nodeId, { opening: Promise.resolve(broker), broker });
    }
  }

  async #broker(nodeId: number): Promise<ProtocolBroker> {
    if (!this.#addresses.has(nodeId)) await this.metadata();
    const address = this.#addresses.get(nodeId);
    if (address === undefined) throw protocolError('BROKER_NOT_AVAILABLE');
    const line = this.#lines.get(nodeId);
    if (line?.broker?.isConnected() === false) this.#discard(nodeId, line.broker);
    return (this.#lines.get(nodeId) ?? this.#connect(nodeId, address)).opening;
  }

  #connect(nodeId: number, address: HostPort): Line {
    this.#demandOpen(address);
    const line: Line = { opening: openBroker(this.#settings, address), broker: null };
    this.#lines.set(nodeId, line);
    void this.#watch(nodeId, line);
    return line;
  }

  async #watch(nodeId: number, line: Line): Promise<void> {
    try {
      line.broker = await line.opening;
    } catch {
      if (this.#lines.get(nodeId) === line) this.#lines.delete(nodeId);
    }
  }

  #discard(nodeId: number, broker: ProtocolBroker): void {
    broker.close();
    if (this.#lines.get(nodeId)?.broker === broker) this.#lines.delete(nodeId);
  }

  #demandOpen(address: HostPort): void {
    if (this.#closed) throw connectionBroken(address, 'The connection was closed');
  }
}

/** What is being opened cannot be stopped. */
async function closeWhenOpen({ opening }: Line): Promise<void> {
  const broker = await opening.catch(() => null);
  broker?.close();
}

/** `host:port`, where an IPv6 host is in brackets. */
function toHostPort(text: string): HostPort {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(text.slice(colon + 1)) };
}

function same(a: HostPort, b: HostPort): boolean {
  return a.host === b.host && a.port === b.port;
}

/** So that a thousand clients do not all ask the first. */
function shuffled<T>(list: T[]): T[] {
  return list
    .map((each) => ({ each, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ each }) => each);
}
