/** Drives retention and compaction slice by slice from the caller's side: at the start, from time to time, on demand. */
import type { Clock } from '../../clock.ts';
import type { LogLimits } from '../../config.ts';
import { ForetillError } from '../../errors.ts';
import type { TopicPartition } from '../../pipeline/log.ts';
import type { WorkerClient } from './worker-client.ts';

export type MaintenanceReport = {
  readonly rowsExpired: number;
  readonly recordsCompacted: number;
  readonly pagesReturned: number;
  /** Partitions left as they are because of a damaged record at about this offset. */
  readonly damaged: readonly (TopicPartition & { readonly offset: number })[];
};

export type MaintenanceRounds = {
  /** A whole round, after the one under way. */
  run(): Promise<MaintenanceReport>;
  /** Ends after the slice under way. */
  stop(): Promise<void>;
};

export function startMaintenanceRounds(parts: {
  readonly client: WorkerClient;
  readonly clock: Clock;
  readonly limits: LogLimits;
  readonly onProblem: (error: unknown) => void;
}): MaintenanceRounds {
  const { client, clock, limits, onProblem } = parts;
  const stopping = new AbortController();
  let last: Promise<unknown> = Promise.resolve();

  async function round(): Promise<MaintenanceReport> {
    const report = {
      rowsExpired: 0,
      recordsCompacted: 0,
      pagesReturned: 0,
      damaged: [] as MaintenanceReport['damaged'],
    };
    while (!stopping.signal.aborted) {
      const slice = await client.call('maintain', { nowMs: Math.floor(clock.nowMs()) });
      if (slice.done) break;
      report.rowsExpired += slice.rowsExpired;
      report.recordsCompacted += slice.recordsCompacted;
      report.pagesReturned += slice.pagesReturned;
      report.damaged = [...report.damaged, ...slice.damaged];
    }
    return report;
  }

  function run(): Promise<MaintenanceReport> {
    const next = last.then(round, round);
    last = next.catch(() => undefined);
    return next;
  }

  async function runInBackground(): Promise<void> {
    try {
      const report = await run();
      for (const each of report.damaged) onProblem(damaged(each));
    } catch (error) {
      onProblem(error);
    }
  }

  /** A round that takes longer than the interval is not followed by several at once. */
  let background: Promise<void> | null = null;
  function beginRound(): void {
    background ??= runInBackground().finally(() => {
      background = null;
    });
  }

  beginRound();
  const timer = setInterval(beginRound, limits.maintenanceEveryMs);
  timer.unref();
  return {
    run,
    async stop() {
      stopping.abort();
      clearInterval(timer);
      await last;
    },
  };
}

function damaged({ topic, partition, offset }: TopicPartition & { readonly offset: number }): ForetillError {
  return new ForetillError(
    'LOG_CORRUPT',
    `Compaction met a damaged record at ${topic}/${partition}, offset ${offset}.`,
    {
      remedy: 'Restore the data directory from a copy; until then this partition is not compacted and grows.',
    },
  );
}
