/**
 * Real tickets of a file, each when the demonstration's clock passes its end. Read as it goes, so a file of any length
 * will do; a ticket that is out of order in the file is sent when it is reached, as a late one.
 */
import { openTable } from '../../adapters/csv/open-table.ts';
import { readTickets } from '../../adapters/csv/read-tickets.ts';
import type { Ticket } from '../../adapters/csv/read-tickets.ts';
import { createRowProblems } from '../../adapters/csv/row-problems.ts';
import type { TillSource } from '../../adapters/csv/till-source.ts';
import type { TransactionMessage } from '../../sales/transaction-message.ts';
import type { Feed } from './feed.ts';

export type ReplayOptions = {
  readonly path: string;
  readonly source: TillSource;
  readonly categoryPath: (sku: string) => readonly string[] | undefined;
  readonly isWanted: (storeId: string) => boolean;
  /** Tickets of the file before this place that end before `liveFromMs` are history and not sent. */
  readonly historyTickets: number;
  readonly liveFromMs: number;
  /** Tickets of the file before this place were sent. */
  readonly nextTicket: number;
};

const TICKETS_PER_CALL = 2_000;

export async function openReplay(options: ReplayOptions): Promise<Feed> {
  const table = await openTable(options.path);
  const { batches } = readTickets(table, { ...options, problems: createRowProblems() });
  const reader = batches[Symbol.asyncIterator]();
  let waiting: readonly Ticket[] = [];
  let at = 0;
  let place = 0;
  let lastMs = options.liveFromMs;
  let clockMs = options.liveFromMs;
  let ended = false;
  const end = findEnd(options);

  /** The next ticket that is not dealt with, or undefined at the end of the file. */
  async function head(): Promise<TransactionMessage | undefined> {
    for (;;) {
      for (; at < waiting.length; at += 1, place += 1) {
        const { message } = waiting[at] as Ticket;
        if (place >= options.nextTicket && !isHistory(message)) return message;
      }
      const next = await reader.next();
      if (next.done === true) return undefined;
      waiting = next.value;
      at = 0;
    }
  }

  function isHistory(message: TransactionMessage): boolean {
    return place < options.historyTickets && message.end_time < options.liveFromMs;
  }

  return {
    async due(nowMs) {
      end.start();
      clockMs = nowMs;
      const messages: TransactionMessage[] = [];
      while (messages.length < TICKETS_PER_CALL) {
        const message = await head();
        ended = message === undefined;
        if (message === undefined || message.end_time > nowMs) break;
        messages.push(message);
        lastMs = Math.max(lastMs, message.end_time);
        at += 1;
        place += 1;
      }
      return messages;
    },
    endedAtMs: () => (ended ? lastMs : null),
    progress: () => (ended ? 1 : shareOf(clockMs, options.liveFromMs, end.ms())),
    place: () => ({ nextTicket: place, sentMs: lastMs }),
    async close() {
      end.stop();
      await reader.return?.(undefined);
    },
  };
}

function shareOf(nowMs: number, fromMs: number, endMs: number | null): number | null {
  return endMs === null ? null : Math.min(1, Math.max(0, (nowMs - fromMs) / Math.max(1, endMs - fromMs)));
}

/** Reads the file through, beside everything else, for the time of its last ticket; without it there is no progress. */
function findEnd({ path, source, isWanted }: ReplayOptions): {
  start(): void;
  ms(): number | null;
  stop(): void;
} {
  let state: 'waiting' | 'reading' | 'stopped' = 'waiting';
  let found: number | null = null;
  async function read(): Promise<void> {
    let lastMs = 0;
    const options = { source, isWanted, categoryPath: () => undefined, problems: createRowProblems() };
    for await (const tickets of readTickets(await openTable(path), options).batches) {
      if (state === 'stopped') return;
      for (const { message } of tickets) lastMs = Math.max(lastMs, message.end_time);
    }
    found = lastMs;
  }
  return {
    start() {
      if (state !== 'waiting') return;
      state = 'reading';
      // A file that cannot be read any more is reported by the replay itself.
      read().catch(() => {});
    },
    ms: () => found,
    stop() {
      state = 'stopped';
    },
  };
}
