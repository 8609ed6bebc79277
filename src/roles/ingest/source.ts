/** A source: one partition of the transaction topic as long as it is held, and where its reading and writing stand. */
import { readOpenTickets } from '../../adapters/clickhouse/open-tickets.ts';
import type { SourceState } from '../../pipeline/ingest-step.ts';
import type { Assignment, CommittedOffset, TopicPartition } from '../../pipeline/log.ts';
import { createOpenTotals } from '../../windows/open-totals.ts';
import { startWatermark } from '../../windows/watermark.ts';
import type { RoleDeps } from '../role-deps.ts';
import type { Hold, Steadfast } from '../steadfast.ts';
import type { Work } from './work.ts';

export type Source = {
  readonly state: SourceState;
  readonly hold: Hold;
  readonly outside: Steadfast;
  /** Everything before has been read. */
  nextOffset: number;
  /** Outages met in a row when its next batch was to be read. */
  outages: number;
  /** Read, and not yet being written. */
  waiting: Work | null;
  /** Being written. It never rejects: what goes wrong is told to the role. */
  flight: Promise<void> | null;
  /** When a move of its watermark in silence was last committed, of `performance.now()`. */
  committedMs: number;
  /** Rises with every write: the source that was written longest ago comes first. */
  turn: number;
  /** Tickets forgotten at the limit, as far as it was told. */
  forgotten: number;
};

/** Takes a partition up where the group left it: its watermark from the commit, its open buckets from the tables. */
export async function takeUpSource(
  { topic, partition, committed }: Assignment,
  { config, clock }: Pick<RoleDeps, 'config' | 'clock'>,
  { hold, outside }: Pick<Source, 'hold' | 'outside'>,
): Promise<Source> {
  const { openTicketsMax, transactionPartitions: count, businessDateSkewDaysMax } = config;
  const committedMs = readMetadata(committed?.metadata ?? '');
  // One that was led astray by a wrong clock must not keep everything closed.
  const watermarkMs =
    committedMs === null ? null : Math.min(committedMs, clock.nowMs() + config.futureSkewMsMax);
  const open = createOpenTotals({ ticketsMax: Math.ceil(openTicketsMax / count) });
  if (watermarkMs !== null) {
    open.close(watermarkMs);
    const query = { afterMs: watermarkMs, partition: { index: partition, count }, businessDateSkewDaysMax };
    for await (const page of readOpenTickets(outside.store, query))
      for (const ticket of page) open.add(ticket);
  }
  const state = { topic, partition, watermark: startWatermark(watermarkMs, clock.nowMs()), open };
  const nextOffset = committed?.offset ?? 0;
  return {
    state,
    hold,
    outside,
    nextOffset,
    outages: 0,
    waiting: null,
    flight: null,
    committedMs: 0,
    turn: 0,
    forgotten: 0,
  };
}

export function placeOf({ state: { topic, partition } }: Source): TopicPartition {
  return { topic, partition };
}

/** Where the source stands, to be committed once everything up to there is done. */
export function position({ state: { watermark }, nextOffset }: Source): CommittedOffset {
  return { offset: nextOffset, metadata: JSON.stringify({ watermark_ms: watermark.ms }) };
}

/** The watermark committed with an offset. */
export function readMetadata(metadata: string): number | null {
  if (metadata === '') return null;
  return (JSON.parse(metadata) as { watermark_ms: number | null }).watermark_ms;
}
