/**
 * Reads topics as a member of a consumer group. kafkajs's own consumer is not used: its heartbeats come only from between
 * two batches, nobody is asked to let go of partitions before others get them, it cannot read without a group, an offset
 * out of range makes it jump silently, no checksum is checked, and one batch that cannot be read stops all partitions.
 */
import type { Consumer, ConsumerHandler, ConsumerOptions } from '../../../pipeline/log.ts';
import { Brokers } from '../client/brokers.ts';
import { findTopics } from '../reading/find-topics.ts';
import { GroupMember } from './group-member.ts';
import type { ReadingDeps } from '../reading/reading-deps.ts';

/**
 * Resolves before the handler is first called. Rejects with INPUT_NOT_FOUND for a topic that does not exist, and with
 * what `kafkaError` makes of the rest when the brokers cannot be asked. `onLeft`: after a stop or a crash.
 */
export async function joinGroup(
  deps: ReadingDeps & { readonly onLeft: (consumer: Consumer) => void },
  options: ConsumerOptions,
  handler: ConsumerHandler,
): Promise<Consumer> {
  const brokers = new Brokers(
    deps.settings,
    options.topics.map((topic) => deps.names.wire(topic)),
  );
  await findTopics(deps, brokers, options.topics);
  const member = new GroupMember({ deps, brokers, options, handler, onLeft: deps.onLeft });
  member.start();
  return member;
}
