/**
 * The log, the store and the codec as one partition's work may use them. An outage (the log, the store or the registry
 * does not answer) is waited out: the call goes on trying, and with it the partition stands still; nothing is skipped.
 * And nothing is done in the name of a partition that another member may hold by now: a process that was stopped and
 * goes on finds every door shut. What it had sent off before is stamped before that moment, and whoever reads goes by
 * the later stamp.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Store } from '../adapters/clickhouse/client.ts';
import { orAborted } from '../adapters/or-aborted.ts';
import type { Config } from '../config.ts';
import { ForetillError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { Codec } from '../pipeline/codec.ts';
import type { Log, TopicPartition } from '../pipeline/log.ts';
import type { RoleName } from '../telemetry/events.ts';
import type { RoleDeps } from './role-deps.ts';

/** The partition is another's, or is being given up: its work is left where it stands, to be done again from the last commit. */
export class PartitionLost extends Error {
  constructor({ topic, partition }: TopicPartition) {
    super(`${topic}/${partition} is not held any more`);
    this.name = 'PartitionLost';
  }
}

/** A partition as long as it is held. */
export type Hold = TopicPartition & {
  /** False when another member may have it, or when it has been given up. */
  lasts(): boolean;
  /** Its work is to end now, wherever it stands. */
  giveUp(): void;
  /** Aborted with PartitionLost by `giveUp`. */
  readonly signal: AbortSignal;
};

export function holdOf({ topic, partition }: TopicPartition, isHeld: () => boolean): Hold {
  const end = new AbortController();
  return {
    topic,
    partition,
    lasts: () => !end.signal.aborted && isHeld(),
    giveUp: () => end.abort(new PartitionLost({ topic, partition })),
    signal: end.signal,
  };
}

/** A member without partitions is ready to take over; that there are none for it is known after this time. */
const STANDBY_AFTER_MS = 10_000;

export function standsBy(joinedMs: number): boolean {
  return performance.now() - joinedMs > STANDBY_AFTER_MS;
}

export type Steadfast = {
  readonly log: Log;
  readonly store: Store;
  readonly codec: Codec;
  /** Tries again for as long as there is an outage and the partition is held. Rejects with PartitionLost, or with any other error. */
  persist<T>(task: () => Promise<T>): Promise<T>;
  /** Tries once; rejects with PartitionLost as soon as the partition is given up, whatever becomes of the task. */
  once<T>(task: () => Promise<T>): Promise<T>;
};

/** What passes without anyone changing anything here. A full disk is not among them: somebody has to make room. */
const OUTAGES: ReadonlyMap<ErrorCode, string> = new Map([
  ['LOG_UNAVAILABLE', 'the log'],
  ['STORE_UNAVAILABLE', 'the store'],
  ['SCHEMA_UNKNOWN', 'the schema registry'],
]);

export function isOutage(error: unknown): error is ForetillError {
  return error instanceof ForetillError && OUTAGES.has(error.code);
}

/** Why a partition stands still. */
export type Trouble = { readonly waitsFor: string; readonly message: string };

/** Of a role, by partition; for whoever asks how it is doing. */
export type Troubles = Map<number, Trouble>;

export function troubleOf({ code, message }: ForetillError): Trouble {
  return { waitsFor: OUTAGES.get(code) ?? 'something', message };
}

/** What cannot be read waits for somebody to mend the log, or to move the group beyond it; the error says how. */
export function troubleOfDamage(error: unknown): Trouble {
  return {
    waitsFor: 'the log to be mended',
    message: error instanceof Error ? error.message : String(error),
  };
}

/** The first of them; else what keeps a member from its group. */
export function troubleAmong(troubles: readonly Troubles[], ofConsumer: string | null): Trouble | null {
  const [first] = troubles.flatMap((each) => [...each.values()]);
  return first ?? (ofConsumer === null ? null : { waitsFor: 'the log', message: ofConsumer });
}

/** The pause after so many failures in a row. */
export function outageDelayMs(failures: number, { outageRetryMs, outageRetryMsMax }: Config): number {
  return Math.min(outageRetryMs * 2 ** (failures - 1), outageRetryMsMax);
}

export function steadfast(
  deps: RoleDeps,
  hold: Hold,
  { role, troubles }: { readonly role: RoleName; readonly troubles: Troubles },
): Steadfast {
  const { partition } = hold;

  async function persist<T>(task: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      if (!hold.lasts()) throw new PartitionLost(hold);
      try {
        const result = await orAborted(task(), hold.signal);
        if (attempt > 1 && troubles.delete(partition)) deps.telemetry.events.outageEnded({ role, partition });
        return result;
      } catch (error) {
        if (!isOutage(error)) throw error;
        const delayMs = outageDelayMs(attempt, deps.config);
        troubles.set(partition, troubleOf(error));
        deps.telemetry.events.outageMet({ role, partition, code: error.code, delayMs, error });
        await delay(delayMs, undefined, { signal: hold.signal }).catch(() => {});
      }
    }
  }

  const { log, store, codec } = deps;
  return {
    persist,
    once: (task) => orAborted(task(), hold.signal),
    log: {
      ...log,
      append: (topic, records) => persist(() => log.append(topic, records)),
      offsets: (topic) => persist(() => log.offsets(topic)),
    },
    store: {
      ...store,
      insert: (table, rows, token) => persist(() => store.insert(table, rows, token)),
      query: (sql, params) => persist(() => store.query(sql, params)),
      queryColumns: (sql, params) => persist(() => store.queryColumns(sql, params)),
      command: (sql, params, token) => persist(() => store.command(sql, params, token)),
    },
    codec: { ...codec, prepare: (topic, values) => persist(() => codec.prepare(topic, values)) },
  };
}
