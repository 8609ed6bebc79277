/** How messages become bytes and back: the port that ingest, forecast and serve are handed. */
import type { RejectReason } from '../sales/transaction.ts';
import type { MessageOfTopic, Topic } from './messages.ts';

export type Codec = {
  /** Bytes for the value of a record on `topic`. Throws a TypeError for a message that does not fit the schema. */
  encode<T extends Topic>(topic: T, message: MessageOfTopic[T]): Buffer;
  /** The message in the current schema, whichever version wrote it. Throws DecodeError and nothing else. */
  decode<T extends Topic>(topic: T, bytes: Buffer): MessageOfTopic[T];
  /**
   * Fetches the schemas these values were written with, so that `decode` knows them; call it once per batch. Returns
   * at once where nothing is missing. Rejects with SCHEMA_UNKNOWN (retryable) when a registry cannot be asked; an id
   * that does not exist is no rejection: `decode` then throws 'unknown_schema'.
   */
  prepare(topic: Topic, values: readonly (Buffer | null)[]): Promise<void>;
};

/** Why bytes are no message. `message` is one sentence for people. */
export class DecodeError extends Error {
  readonly reason: Extract<RejectReason, 'malformed' | 'unknown_schema' | 'out_of_range'>;

  constructor(reason: DecodeError['reason'], message: string) {
    super(message);
    this.name = 'DecodeError';
    this.reason = reason;
  }
}
