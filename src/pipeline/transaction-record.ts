/** A transaction as a record of its topic. */
import type { TransactionMessage } from '../sales/transaction-message.ts';
import { eventHeaders } from './cloud-events.ts';
import type { EventSource } from './cloud-events.ts';
import type { Codec } from './codec.ts';
import type { OutgoingRecord } from './log.ts';
import { TOPICS } from './topics.ts';

/** Key: store, so that a store's transactions stay in order. */
export function transactionRecorder(
  codec: Pick<Codec, 'encode'>,
  source: EventSource,
): (message: TransactionMessage) => OutgoingRecord {
  const headers = eventHeaders(TOPICS.transactions, source);
  return (message) => ({
    key: Buffer.from(message.store_id),
    value: codec.encode(TOPICS.transactions, message),
    headers: headers(message.event_id, message.end_time),
  });
}
