/**
 * Role forecast: reads the bucket topic, a shard per partition. Closed buckets are folded and forecast, amended ones
 * folded again, open ones nowcast. Batches, nowcasts and checkpoints of one shard run one after another.
 *
 * Offsets are committed only with a checkpoint that stands at them: after a crash the shard goes on from its last
 * checkpoint and hears everything since once more. A shard is taken up beside everything else, as that may mean to learn
 * years of history: until then its partition is paused, and it can be given up at any moment.
 *
 * An outage stops the shard until it is over; a shard that is lost is forgotten as it stands.
 */
import { ForetillError } from '../../errors.ts';
import type {
  Assignment,
  Batch,
  Consumer,
  LogRecord,
  OffsetRange,
  TopicPartition,
} from '../../pipeline/log.ts';
import { TOPICS } from '../../pipeline/topics.ts';
import type { Shard } from '../../pipeline/shard.ts';
import type { RoleDeps } from '../role-deps.ts';
import { createSerial } from '../serial.ts';
import type { Serial } from '../serial.ts';
import { holdOf, PartitionLost, standsBy, steadfast, troubleAmong, troubleOfDamage } from '../steadfast.ts';
import type { Hold, Steadfast, Trouble, Troubles } from '../steadfast.ts';
import { createShardWorker } from './shard-worker.ts';
import type { ShardWorker } from './shard-worker.ts';

export type ForecastProgress = { readonly done: number; readonly total: number; readonly what: string };

export type ForecastRole = {
  /** Resolves when the group has been joined; rejects when that fails. */
  readonly started: Promise<void>;
  /** True once every assigned shard has learned its history. */
  ready(): boolean;
  /** Why it stands still; null when it does not. */
  trouble(): Trouble | null;
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

/** A shard as long as its partition is held. What is done for it is done one after another. */
type Holding = {
  readonly hold: Hold;
  readonly outside: Steadfast;
  readonly worker: ShardWorker;
  readonly serial: Serial;
};

/** Returns at once; the shards are taken up in the background. */
export function startForecast(deps: RoleDeps): ForecastRole {
  /** By partition; those that have been taken up. */
  const shards = new Map<number, Holding>();
  /** Those that are being taken up. */
  const coming = new Map<number, Holding>();
  /** Records that waited when the last batch had been worked through, by shard. */
  const lag = new Map<number, number>();
  const troubles: Troubles = new Map();
  /** Partitions with a record that cannot be read: they stand still there, and the others go on. */
  const damaged: Troubles = new Map();
  let assigned = false;
  /** What is in memory may be half done after a failure: nothing more is made of it, least of all a checkpoint. */
  let failure: { readonly error: unknown } | null = null;
  let consumer: Consumer | null = null;
  let joinedMs = Number.POSITIVE_INFINITY;
  deps.telemetry.events.roleStarted({ role: 'forecast' });
  const startedMs = performance.now();

  async function onAssigned(partitions: readonly Assignment[]): Promise<void> {
    consumer?.pause(partitions);
    for (const assignment of partitions) {
      const holding = holdingOf(assignment);
      coming.set(assignment.partition, holding);
      takeUp(holding, assignment).catch(fail);
    }
    assigned = true;
  }

  function holdingOf(assignment: Assignment): Holding {
    const hold = holdOf(assignment, () => consumer?.holds(assignment) ?? true);
    const outside = steadfast(deps, hold, { role: 'forecast', troubles });
    const load = (): Promise<void> => outside.persist(() => deps.calendars.load());
    const calendars = { ...deps.calendars, load };
    const worker = createShardWorker(assignment.partition, { ...deps, ...outside, calendars });
    return { hold, outside, worker, serial: createSerial() };
  }

  async function takeUp(holding: Holding, { topic, partition, committed }: Assignment): Promise<void> {
    const { hold, outside, worker, serial } = holding;
    await serial.run(() =>
      unlessLost(holding, async () => {
        const range = await outside.persist(() => rangeOf({ topic, partition }));
        await worker.restore({ committed: committed?.offset ?? 0, ...range, signal: hold.signal });
        coming.delete(partition);
        shards.set(partition, holding);
        // What took long to learn need not be learned again.
        await checkpoint(holding, false);
        consumer?.resume([hold]);
      }),
    );
    if (coming.size > 0 || failure !== null) return;
    deps.telemetry.events.roleReady({ role: 'forecast', seconds: (performance.now() - startedMs) / 1000 });
  }

  /** A partition that no broker leads at the moment is left out of the log's answer: an outage like any other. */
  async function rangeOf({ topic, partition }: TopicPartition): Promise<OffsetRange> {
    const range = (await deps.log.offsets(topic)).get(partition);
    if (range !== undefined) return range;
    throw new ForetillError('LOG_UNAVAILABLE', `No broker leads ${topic}/${partition}.`, {
      remedy: 'See whether all brokers are up; it is tried again.',
    });
  }

  /** Each shard's last checkpoint is what the next member goes on from; one half taken up has none. */
  async function onRevoked(partitions: readonly TopicPartition[]): Promise<void> {
    const held = partitions.flatMap(({ partition }) => shards.get(partition) ?? coming.get(partition) ?? []);
    const giveUp = (): void => held.forEach(({ hold }) => hold.giveUp());
    for (const { partition } of partitions) coming.get(partition)?.hold.giveUp();
    const timer = setTimeout(giveUp, deps.config.drainMsMax);
    await Promise.all(
      held.map((holding) =>
        holding.serial.run(() => unlessLost(holding, () => checkpoint(holding, true))).catch(fail),
      ),
    );
    clearTimeout(timer);
    giveUp();
    held.forEach(forget);
    assigned = shards.size + coming.size > 0;
  }

  /** Another may have come in its place meanwhile: that one stays. */
  function forget(holding: Holding): void {
    const { partition } = holding.hold;
    if (shards.get(partition) !== holding && coming.get(partition) !== holding) return;
    for (const map of [shards, coming, lag, troubles, damaged]) map.delete(partition);
  }

  /** Does nothing after a failure, nor for a shard that has been given up. */
  async function unlessLost(holding: Holding, task: () => Promise<void>): Promise<void> {
    const { hold } = holding;
    try {
      if (failure === null && hold.lasts()) await task();
    } catch (error) {
      if (!(error instanceof PartitionLost)) throw error;
    }
    if (hold.lasts()) return;
    const { partition } = hold;
    if (!hold.signal.aborted) deps.telemetry.events.partitionLost({ role: 'forecast', partition });
    hold.giveUp();
    forget(holding);
  }

  /**
   * Works the batch through beside the consumer, which meanwhile reads other shards and can let go of this one: closing
   * a day or recomputing years takes its time.
   */
  async function eachBatch(batch: Batch): Promise<void> {
    const holding = shards.get(batch.partition);
    if (holding === undefined) return;
    const { hold, serial, worker } = holding;
    consumer?.pause([hold]);
    const own = { ...batch, records: batch.records.map(copied) };
    serial
      .run(() =>
        unlessLost(holding, async () => {
          await worker.process(own);
          measureLag(own);
          consumer?.resume([hold]);
        }),
      )
      .catch(fail);
  }

  function measureLag({ partition, highWatermark, records: worked }: Batch): void {
    const records = highWatermark - ((worked.at(-1)?.offset ?? highWatermark - 1) + 1);
    lag.set(partition, records);
    deps.telemetry.events.lagMeasured({ group: FORECAST_GROUP, topic: TOPICS.buckets, partition, records });
  }

  async function checkpoint({ hold, outside, worker }: Holding, last: boolean): Promise<void> {
    const nextOffset = await worker.checkpoint({ last });
    if (nextOffset === null) return;
    const { topic, partition } = hold;
    await outside.persist(async () =>
      consumer?.commit([{ topic, partition, offset: nextOffset, metadata: '' }]),
    );
  }

  function onUnreadable({ partition }: TopicPartition, error: unknown): void {
    damaged.set(partition, troubleOfDamage(error));
    deps.telemetry.events.partitionUnreadable({ role: 'forecast', partition, error });
  }

  function fail(error: unknown): void {
    if (failure !== null) return;
    failure = { error };
    deps.telemetry.events.roleFailed({ role: 'forecast', error });
    deps.onFailed(error);
  }

  /** Timed work waits for its turn, and is left out where the last one is still waiting. */
  function every(ms: number, task: (holding: Holding) => Promise<void>): NodeJS.Timeout {
    const waiting = new WeakSet<Holding>();
    return setInterval(() => {
      for (const holding of shards.values()) {
        if (waiting.has(holding)) continue;
        waiting.add(holding);
        holding.serial
          .run(() => unlessLost(holding, () => task(holding)))
          .catch(fail)
          .finally(() => waiting.delete(holding));
      }
    }, ms);
  }

  async function join(): Promise<void> {
    consumer = await deps.log.join(
      {
        group: FORECAST_GROUP,
        topics: [TOPICS.buckets],
        startFrom: 'earliest',
        batchRecordsMax: deps.config.bucketBatchRecordsMax,
      },
      { onAssigned, onRevoked, eachBatch, onUnreadable, onCrash: fail },
    );
    joinedMs = performance.now();
  }
  const started = join();
  const timers = [
    every(deps.config.nowcastEveryMs, ({ worker }) => worker.nowcast()),
    every(deps.config.checkpointEveryMs, (holding) => checkpoint(holding, false)),
  ];
  const trouble = (): Trouble | null => troubleAmong([damaged, troubles], consumer?.trouble() ?? null);
  const watermarks = () => [...shards.values()].flatMap(({ worker }) => worker.watermarkMs() ?? []);

  return {
    started,
    ready: () =>
      (assigned || standsBy(joinedMs)) && coming.size === 0 && trouble() === null && failure === null,
    trouble,
    progress: () => [...coming.values()][0]?.worker.progress() ?? null,
    watermarkMs: () => (watermarks().length === 0 ? null : Math.min(...watermarks())),
    lagRecords: () => [...lag.values()].reduce((total, records) => total + records, 0),
    idle: () => [...shards.values(), ...coming.values()].every(({ serial }) => serial.pending() === 0),
    shards: () => [...shards.values()].map(({ worker }) => worker.shard),
    async stop() {
      for (const timer of timers) clearInterval(timer);
      for (const { hold } of coming.values()) hold.giveUp();
      const giveUp = setTimeout(() => {
        for (const { hold } of shards.values()) hold.giveUp();
      }, deps.config.drainMsMax);
      await started;
      await consumer?.stop();
      clearTimeout(giveUp);
      deps.telemetry.events.roleStopped({ role: 'forecast' });
    },
  };
}

/** The consumer may use its buffers again. */
function copied(record: LogRecord): LogRecord {
  return { ...record, value: record.value === null ? null : Buffer.from(record.value) };
}
