/** Records of the bucket topic to messages; what cannot be one becomes a dead letter and is counted. */
import { DecodeError } from '../../pipeline/codec.ts';
import type { Codec } from '../../pipeline/codec.ts';
import type { Batch, Log, OutgoingRecord } from '../../pipeline/log.ts';
import type { BucketMessage } from '../../pipeline/messages.ts';
import { deadLetterTopic, TOPICS } from '../../pipeline/topics.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import { appendDeadLetters, deadLetter } from '../dead-letter.ts';

export type HeardMessage = { readonly message: BucketMessage; readonly offset: number };

/** One record that nobody can read must not end the forecasts of all. */
export async function readMessages(
  batch: Batch,
  deps: { readonly codec: Codec; readonly log: Log; readonly telemetry: Telemetry },
): Promise<HeardMessage[]> {
  const { codec, log, telemetry } = deps;
  const heard: HeardMessage[] = [];
  const letters: OutgoingRecord[] = [];
  await codec.prepare(
    TOPICS.buckets,
    batch.records.map(({ value }) => value),
  );
  for (const record of batch.records) {
    try {
      heard.push({ message: decode(codec, record.value), offset: record.offset });
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      const { reason, message } = error;
      letters.push(deadLetter(batch, record, { stage: 'decode', reason, message }));
      telemetry.events.dropped({ what: `undecodable_${reason}`, count: 1 });
    }
  }
  if (letters.length > 0) await appendDeadLetters(log, deadLetterTopic(TOPICS.buckets), letters);
  return heard;
}

function decode(codec: Codec, value: Buffer | null): BucketMessage {
  if (value === null) throw new DecodeError('malformed', 'The record is empty.');
  return codec.decode(TOPICS.buckets, value);
}
