/** Reads topics as a member of a consumer group. */
import type { Consumer, ConsumerHandler, ConsumerOptions } from '../../pipeline/log.ts';
import { Brokers } from './brokers.ts';
import { findTopics } from './find-topics.ts';
import { GroupMember } from './group-member.ts';
import type { ReadingDeps } from './reading-deps.ts';

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
