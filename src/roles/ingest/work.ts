/** What is to be written for one or several batches of a partition that follow one another. */
import type { EncodedRows } from '../../adapters/clickhouse/client.ts';
import type { AmendTargets, BucketCounts, IngestEffects } from '../../pipeline/ingest-step.ts';
import type { CommittedOffset, TopicPartition } from '../../pipeline/log.ts';
import type { BucketMessage } from '../../pipeline/messages.ts';
import type { Refused } from './read-batch.ts';

export type Work = {
  readonly place: TopicPartition;
  readonly records: number;
  readonly refused: readonly Refused[];
  readonly rows: EncodedRows;
  /** The first record: makes the token with which the same records are inserted once. */
  readonly first: string;
  readonly amend: AmendTargets;
  readonly amended: BucketCounts;
  readonly close: IngestEffects['close'];
  readonly closed: BucketCounts;
  /** Watermarks and what was amended; running totals have been told already. */
  readonly messages: readonly BucketMessage[];
  readonly watermarkMs: number | null;
  /** Null: where nothing was read and nothing closed. */
  readonly commit: CommittedOffset | null;
  readonly onDone: readonly (() => void)[];
};

/** The same as one after the other: amending and closing look at the tables, which then hold the rows of both. */
export function joinWork(first: Work, second: Work): Work {
  return {
    place: first.place,
    records: first.records + second.records,
    refused: [...first.refused, ...second.refused],
    rows: joinRows(first.rows, second.rows),
    first: first.records === 0 ? second.first : first.first,
    amend: {
      hours: [...first.amend.hours, ...second.amend.hours],
      days: [...first.amend.days, ...second.amend.days],
    },
    amended: joinCounts(first.amended, second.amended),
    close: joinClose(first.close, second.close),
    closed: joinCounts(first.closed, second.closed),
    messages: [...first.messages, ...second.messages],
    watermarkMs: second.watermarkMs ?? first.watermarkMs,
    commit: second.commit ?? first.commit,
    onDone: [...first.onDone, ...second.onDone],
  };
}

function joinRows(first: EncodedRows, second: EncodedRows): EncodedRows {
  if (first.count === 0 || second.count === 0) return first.count === 0 ? second : first;
  return { count: first.count + second.count, text: `${first.text}\n${second.text}` };
}

function joinClose(first: Work['close'], second: Work['close']): Work['close'] {
  if (first === null || second === null) return first ?? second;
  return {
    afterMs: Math.min(first.afterMs, second.afterMs),
    untilMs: Math.max(first.untilMs, second.untilMs),
  };
}

function joinCounts(first: BucketCounts, second: BucketCounts): BucketCounts {
  return { hour: first.hour + second.hour, day: first.day + second.day };
}
