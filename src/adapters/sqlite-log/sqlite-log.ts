/**
 * The embedded log: Kafka's meaning for one process, in one SQLite file. A thread of its own writes and reads the file;
 * appends are acknowledged when the disk has them, those that wait together share one wait for the disk.
 *
 *   append ─ append-queue (encode, group) ─┐                    ┌─ write-batches (one transaction, one fsync)
 *   join ── consumer-group ─ group-member ─┼─ worker-client ════╪─ read-batches (check CRC)
 *   tail ── tail-reader ── delivery ── partition-reader ─┘      └─ maintenance (retention, compaction), in slices
 *                                                  worker.ts
 */
import { mkdirSync } from 'node:fs';
import { systemClock } from '../../clock.ts';
import type { Clock } from '../../clock.ts';
import { DEFAULT_CONFIG } from '../../config.ts';
import type { LogLimits } from '../../config.ts';
import { ForetillError } from '../../errors.ts';
import type { ConsumerOptions, Log, TailOptions } from '../../pipeline/log.ts';
import { createAppendQueue } from './append-queue.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { GroupMember } from './group-member.ts';
import { startMaintenanceRounds } from './maintenance-rounds.ts';
import type { MaintenanceReport } from './maintenance-rounds.ts';
import { startTail } from './tail-reader.ts';
import { createTopicRegistry } from './topic-registry.ts';
import { startWorker } from './worker-client.ts';

export type SqliteLogOptions = {
  /** Created when missing. One process at a time: a second one is refused (DATA_DIR_LOCKED). */
  readonly dir: string;
  /** Stamps records without a timestamp, and tells their age for retention. */
  readonly clock?: Clock;
  readonly limits?: Partial<LogLimits>;
  /** What went wrong in the background (retention, compaction); without it a warning of the process. */
  readonly onProblem?: (error: unknown) => void;
};

export type SqliteLog = Log & {
  /** Runs retention and compaction now, to the end; they also run at the start and from time to time. */
  maintain(): Promise<MaintenanceReport>;
};

/**
 * Opens the log in `dir`, after a crash with everything that was acknowledged. Rejects with DATA_DIR_LOCKED,
 * DATA_DIR_UNUSABLE or LOG_CORRUPT when the file cannot be used.
 */
export async function openSqliteLog(options: SqliteLogOptions): Promise<SqliteLog> {
  const clock = options.clock ?? systemClock;
  const limits: LogLimits = { ...DEFAULT_CONFIG.log, ...options.limits };
  makeDirectory(options.dir);
  const { client, topics } = await startWorker({ dir: options.dir, limits });
  const registry = createTopicRegistry();
  registry.learn(topics);
  const appends = createAppendQueue({ client, clock, limits });
  const maintenance = startMaintenanceRounds({ client, clock, limits, onProblem: options.onProblem ?? warn });
  const groups = new Map<string, ConsumerGroup>();
  const reading = new Set<{ stop(): Promise<void> }>();
  let state: 'open' | 'stopping' | 'closed' = 'open';
  let closing: Promise<void> | null = null;

  function demandOpen(): void {
    if (state === 'closed') throw closed();
  }

  function groupOf(name: string): ConsumerGroup {
    let group = groups.get(name);
    if (group === undefined) groups.set(name, (group = new ConsumerGroup({ name, client, registry })));
    return group;
  }

  function demandReadable({ batchRecordsMax }: ConsumerOptions | TailOptions): void {
    if (state !== 'open') throw closed();
    if (batchRecordsMax >= 1) return;
    throw new ForetillError('INPUT_INVALID', `A batch of at most ${batchRecordsMax} records cannot be.`, {
      remedy: 'Use 1 or more.',
    });
  }

  async function close(): Promise<void> {
    state = 'stopping';
    await Promise.all([...reading].map((each) => each.stop()));
    state = 'closed';
    await appends.drained();
    await maintenance.stop();
    await client.call('close', null);
  }

  return {
    async ensureTopics(specs) {
      demandOpen();
      registry.learn(await client.call('ensureTopics', specs), specs);
    },
    async topics() {
      demandOpen();
      return registry.specs();
    },
    async append(topic, records) {
      demandOpen();
      return appends.append(registry.get(topic), records);
    },
    async join(options, handler) {
      demandReadable(options);
      for (const topic of options.topics) registry.get(topic);
      const group = groupOf(options.group);
      const onLeft = (member: GroupMember) => {
        reading.delete(member);
        group.leave(member);
      };
      const member = new GroupMember({ options, handler, client, limits, onLeft });
      reading.add(member);
      group.join(member);
      return member;
    },
    async tail(options, handler) {
      demandReadable(options);
      const { places } = registry.get(options.topic);
      const onEnded = () => reading.delete(tail);
      const tail = startTail({ places, options, handler, client, limits, onEnded });
      reading.add(tail);
      return tail;
    },
    async offsets(topic) {
      demandOpen();
      const { places } = registry.get(topic);
      const ranges = await client.call(
        'ranges',
        places.map((place) => place.id),
      );
      return new Map(ranges.map((range, partition) => [partition, range]));
    },
    async committed(group, topic) {
      demandOpen();
      return new Map(await client.call('committed', { group, topic }));
    },
    close: () => (closing ??= close()),
    maintain: () => maintenance.run(),
  };
}

function makeDirectory(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true });
  } catch (error) {
    throw new ForetillError('DATA_DIR_UNUSABLE', `The data directory ${dir} cannot be made.`, {
      remedy: 'Choose a directory that this user may write to.',
      cause: error,
    });
  }
}

function closed(): ForetillError {
  return new ForetillError('LOG_UNAVAILABLE', 'The log is closed.', { remedy: 'Open it again.' });
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error.message : String(error), 'ForetillLog');
}
