/** Says good-bye, so that the others take over at once and need not wait for the session to end. */
import type { Brokers } from '../client/brokers.ts';
import { Coordinator } from './coordinator.ts';

/** Who cannot be told within this time finds out by itself. */
const LEAVE_MS_MAX = 3_000;

/** Never rejects. */
export async function leaveGroup(
  brokers: Brokers,
  member: { readonly groupId: string; readonly memberId: string },
): Promise<void> {
  if (member.memberId === '') return;
  const coordinator = new Coordinator(brokers, member.groupId);
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, LEAVE_MS_MAX);
  const left = coordinator.ask((broker) => broker.leaveGroup(member)).catch(() => undefined);
  await Promise.race([left, late]);
  clearTimeout(timer);
}
