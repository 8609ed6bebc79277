/** The broker that keeps a group's members and offsets: asked for anew when it is not the one any more, or is gone. */
import type { Brokers } from '../client/brokers.ts';
import { protocolErrorOf } from '../client/kafka-errors.ts';
import { isConnectionError } from '../client/kafkajs-inner.ts';
import type { ProtocolBroker } from '../client/protocol.ts';

export class Coordinator {
  readonly #brokers: Brokers;
  readonly #groupId: string;
  #nodeId: number | null = null;

  /** `groupId` as on the wire. */
  constructor(brokers: Brokers, groupId: string) {
    this.#brokers = brokers;
    this.#groupId = groupId;
  }

  /** An answer that takes longer than `msMax` breaks the connection. Nothing is retried. */
  async ask<T>(request: (broker: ProtocolBroker) => Promise<T>, msMax?: number): Promise<T> {
    try {
      this.#nodeId ??= await this.#brokers.coordinatorOf(this.#groupId);
      return await this.#brokers.on(this.#nodeId, request, msMax);
    } catch (error) {
      if (isConnectionError(error) || MOVED.has(protocolErrorOf(error) ?? '')) this.#nodeId = null;
      throw error;
    }
  }
}

const MOVED: ReadonlySet<string> = new Set([
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'BROKER_NOT_AVAILABLE',
]);
