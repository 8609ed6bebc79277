/**
 * Role forecast: reads the bucket topic, a shard per partition. Closed buckets are folded and forecast, amended ones
 * folded again, open ones nowcast. Batches, nowcasts and checkpoints of all shards run one after another.
 *
 * Offsets are committed only with a checkpoint that stands at them: after a crash the shard goes on from its last
 * checkpoint and hears everything since once more.
 */
import type { Assignment, Batch, Consumer, TopicPartition } from '../../pipeline/log.ts';
import { TOPICS } from '../../pipeline/topics.ts';
import type { Shard } from '../../pipeline/shard.ts';
import type { RoleDeps } from '../role-deps.ts';
import { createSerial } from '../serial.ts';
import { createShardWorker } from './shard-worker.ts';
import type { ShardWorker } from './shard-worker.ts';

export type ForecastProgress = { readonly done: number; readonly total: number; readonly what: string };

export type ForecastRole = {
  /** Resolves when the log has been joined; rejects when that fails. */
  readonly started: Promise<void>;
  /** True once every assigned shard has learned its history. */
  ready(): boolean;
  progress(): ForecastProgress | null;
  watermarkMs(): number | null;
  /** Records that waited when the last batch had been worked through. */
  lagRecords(): number;
  /** Nothing is being worked on or waiting. */
  idle(): boolean;
  /** The shards as they stand. Not to be changed. */
  shards(): readonly Shard[];
  stop(): Promise<void>;
};

export const FORECAST_GROUP = 'foretill-forecast';

/** Returns at once; the shards are taken up in the background, as that may mean to learn years of history. */
export function startForecast(deps: RoleDeps): ForecastRole {
  const serial = createSerial();
  /** Shards that have been taken up. */
  const workers = new Map<number, ShardWorker>();
  /** Records that waited when the last batch had been worked through, by shard. */
  const lag = new Map<number, number>();
  let restoring: ShardWorker | null = null;
  let assigned = false;
  /** What is in memory may be half done after a failure: nothing more is made of it, least of all a checkpoint. */
  let failure: { readonly error: unknown } | null = null;
  const ending = new AbortController();
  deps.telemetry.events.roleStarted({ role: 'forecast' });
  const startedMs = performance.now();

  async function onAssigned(partitions: readonly Assignment[]): Promise<void> {
    for (const { partition, committed } of partitions) {
      const worker = createShardWorker(partition, deps);
      restoring = worker;
      const end = (await deps.log.offsets(TOPICS.buckets)).get(partition)?.end ?? 0;
      const place = { committed: committed?.offset ?? 0, end, signal: ending.signal };
      await serial.run(() => worker.restore(place));
      restoring = null;
      workers.set(partition, worker);
    }
    assigned = true;
    deps.telemetry.events.roleReady({ role: 'forecast', seconds: (performance.now() - startedMs) / 1000 });
  }

  async function onRevoked(partitions: readonly TopicPartition[]): Promise<void> {
    for (const { partition } of partitions) {
      const worker = workers.get(partition);
      if (worker !== undefined && failure === null) await serial.run(() => checkpoint(worker, true));
      workers.delete(partition);
      lag.delete(partition);
    }
    assigned = workers.size > 0;
  }

  async function eachBatch(batch: Batch): Promise<void> {
    await serial.run(async () => {
      if (failure !== null) throw failure.error;
      await workers.get(batch.partition)?.process(batch);
    });
    const { partition, highWatermark } = batch;
    const records = highWatermark - ((batch.records.at(-1)?.offset ?? highWatermark - 1) + 1);
    lag.set(partition, records);
    deps.telemetry.events.lagMeasured({ group: FORECAST_GROUP, topic: TOPICS.buckets, partition, records });
  }

  async function checkpoint(worker: ShardWorker, last: boolean): Promise<void> {
    const nextOffset = await worker.checkpoint({ last });
    if (nextOffset === null) return;
    await consumer?.commit([
      { topic: TOPICS.buckets, partition: worker.shard.index, offset: nextOffset, metadata: '' },
    ]);
  }

  function fail(error: unknown): void {
    const stopped = ending.signal.aborted && error === ending.signal.reason;
    if (stopped || failure !== null) return;
    failure = { error };
    deps.telemetry.events.roleFailed({ role: 'forecast', error });
    deps.onFailed(error);
  }

  /** Timed work waits for its turn, and is left out while the last one is still waiting. */
  function every(ms: number, task: (worker: ShardWorker) => Promise<void>): NodeJS.Timeout {
    let waiting = false;
    return setInterval(() => {
      if (waiting || workers.size === 0) return;
      waiting = true;
      const all = async () => {
        for (const worker of workers.values()) if (failure === null) await task(worker);
      };
      serial
        .run(all)
        .catch(fail)
        .finally(() => {
          waiting = false;
        });
    }, ms);
  }

  let consumer: Consumer | null = null;
  async function join(): Promise<Consumer> {
    consumer = await deps.log.join(
      {
        group: FORECAST_GROUP,
        topics: [TOPICS.buckets],
        startFrom: 'earliest',
        batchRecordsMax: deps.config.bucketBatchRecordsMax,
      },
      { onAssigned, onRevoked, eachBatch, onCrash: fail },
    );
    return consumer;
  }
  const joined = join();
  const timers = [
    every(deps.config.nowcastEveryMs, (worker) => worker.nowcast()),
    every(deps.config.checkpointEveryMs, (worker) => checkpoint(worker, false)),
  ];

  return {
    started: joined.then(() => undefined),
    ready: () => assigned && failure === null,
    progress: () => restoring?.progress() ?? null,
    watermarkMs: () => [...workers.values()][0]?.watermarkMs() ?? null,
    lagRecords: () => [...lag.values()].reduce((total, records) => total + records, 0),
    idle: () => serial.pending() === 0,
    shards: () => [...workers.values()].map((worker) => worker.shard),
    async stop() {
      for (const timer of timers) clearInterval(timer);
      ending.abort();
      await joined.then((member) => member.stop());
      deps.telemetry.events.roleStopped({ role: 'forecast' });
    },
  };
}
