/**
 * Transactions over HTTP: the good ones go into the log beside bad ones, each once however often it is sent. "Once" is
 * a kindness of the last minutes (a bounded memory of what was acknowledged, and of what is being written right now);
 * for good it is ingest that sees to it.
 */
import type { Config } from '../../config.ts';
import type { Codec } from '../../pipeline/codec.ts';
import type { Log, OutgoingRecord } from '../../pipeline/log.ts';
import { TOPICS } from '../../pipeline/topics.ts';
import { transactionRecorder } from '../../pipeline/transaction-record.ts';
import type { TransactionMessage } from '../../sales/transaction-message.ts';
import type { Problem } from '../../sales/transaction.ts';
import { createRecentIds } from './recent-ids.ts';

export type ReadTransaction =
  | { readonly ok: true; readonly message: TransactionMessage }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export type Rejected = {
  /** Place in what was sent, from 0. */
  readonly index: number;
  readonly event_id: string | null;
  readonly problems: readonly Problem[];
};

export type Receipt = {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: readonly Rejected[];
};

export type TransactionIntake = {
  /** Resolves when everything accepted is durable. Rejects with LOG_UNAVAILABLE or DISK_FULL: send it all again. */
  take(items: readonly unknown[]): Promise<Receipt>;
};

export type TransactionIntakeDeps = {
  readonly log: Pick<Log, 'append'>;
  readonly codec: Pick<Codec, 'encode'>;
  readonly config: Config['http'];
  readonly read: (item: unknown) => ReadTransaction;
};

export function createTransactionIntake(deps: TransactionIntakeDeps): TransactionIntake {
  const recent = createRecentIds(deps.config.recentEventIdsMax);
  const underWay = new Map<string, Promise<unknown>>();
  const recordOf = transactionRecorder(deps.codec, 'http');

  const write = async (fresh: ReadonlyMap<string, OutgoingRecord>): Promise<void> => {
    if (fresh.size === 0) return;
    const written = deps.log.append(TOPICS.transactions, [...fresh.values()]);
    for (const id of fresh.keys()) underWay.set(id, written);
    try {
      await written;
      for (const id of fresh.keys()) recent.add(id);
    } finally {
      for (const id of fresh.keys()) underWay.delete(id);
    }
  };

  return {
    async take(items) {
      const rejected: Rejected[] = [];
      const fresh = new Map<string, OutgoingRecord>();
      const awaited = new Set<Promise<unknown>>();
      let duplicates = 0;
      for (const [index, item] of items.entries()) {
        const result = deps.read(item);
        if (!result.ok) {
          rejected.push({ index, event_id: eventIdOf(item), problems: result.problems });
          continue;
        }
        const id = identity(result.message);
        const other = underWay.get(id);
        if (other !== undefined) awaited.add(other);
        if (other !== undefined || fresh.has(id) || recent.has(id)) duplicates += 1;
        else fresh.set(id, recordOf(result.message));
      }
      // A duplicate of what another request is writing is acknowledged only when that has been written.
      await Promise.all([write(fresh), ...awaited]);
      return { accepted: fresh.size, duplicates, rejected };
    },
  };
}

/** The event's own id, within its ticket and revision: a till that numbers its events badly loses none. */
function identity(message: TransactionMessage): string {
  return JSON.stringify([message.store_id, message.transaction_id, message.revision, message.event_id]);
}

function eventIdOf(item: unknown): string | null {
  const id = (item as { event_id?: unknown } | null)?.event_id;
  return typeof id === 'string' ? id.slice(0, 200) : null;
}
