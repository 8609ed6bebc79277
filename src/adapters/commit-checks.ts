/** What a consumer refuses to commit, whatever the log. */
import { ForetillError } from '../errors.ts';
import type { CommittedOffset, TopicPartition } from '../pipeline/log.ts';

/** Throws INPUT_INVALID. */
export function demandCommittable(each: TopicPartition & CommittedOffset, metadataBytesMax: number): void {
  if (!Number.isSafeInteger(each.offset) || each.offset < 0) {
    throw new ForetillError('INPUT_INVALID', `${each.offset} is no offset to commit for ${nameOf(each)}.`, {
      remedy: 'Commit the offset of the next record to be read.',
    });
  }
  if (Buffer.byteLength(each.metadata) > metadataBytesMax) {
    throw new ForetillError('INPUT_INVALID', `The metadata of a commit for ${nameOf(each)} is too long.`, {
      remedy: `Use at most ${metadataBytesMax} bytes.`,
    });
  }
}

export function notHeld(group: string, partition: TopicPartition): ForetillError {
  return new ForetillError('LOG_UNAVAILABLE', `This member of ${group} does not hold ${nameOf(partition)}.`, {
    remedy: 'Nothing: the member that holds it now reads on from the last commit.',
  });
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
