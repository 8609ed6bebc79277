/**
 * Tells the coordinator from time to time that a member lives, whatever its handler does, and hears from it when the
 * group changes. A coordinator that does not answer is looked for and asked again; whether the partitions are still ours
 * meanwhile is for the lease to say.
 */
import type { KafkaLimits } from '../../../config.ts';
import type { Coordinator } from './coordinator.ts';
import { protocolErrorOf } from '../client/kafka-errors.ts';
import type { Lease } from './lease.ts';
import type { Membership } from '../client/protocol.ts';
import { Attempts, pause } from '../client/retrying.ts';
import type { Retrying } from '../client/retrying.ts';

/** What the coordinator says to a member that is none any more. */
export const FENCED: ReadonlySet<string> = new Set([
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'FENCED_INSTANCE_ID',
]);

/** How often the lease is looked at between two heartbeats. */
const LOOKS = 4;

export function startHeartbeats(parts: {
  readonly coordinator: Coordinator;
  readonly membership: Membership;
  readonly lease: Lease;
  readonly limits: KafkaLimits;
  readonly retrying: Retrying;
  /** The partitions are to be given up. Then the heartbeats go on, so that there is time to. */
  readonly onChange: () => void;
  /** What no waiting can heal; the heartbeats have ended. */
  readonly onFailed: (error: unknown) => void;
}): { stop(): void } {
  const { coordinator, membership, lease, limits } = parts;
  const end = new AbortController();
  const attempts = new Attempts(parts.retrying, 'telling the group that we are alive');

  /** Returns how long to wait for the next. */
  async function beat(): Promise<number> {
    const sentMs = performance.now();
    try {
      await coordinator.ask((broker) => broker.heartbeat(membership), limits.sessionTimeoutMs / 2);
      lease.heard(sentMs, false);
    } catch (error) {
      const type = protocolErrorOf(error) ?? '';
      if (FENCED.has(type)) {
        lease.lose();
        end.abort();
      } else if (type === 'REBALANCE_IN_PROGRESS') lease.heard(sentMs, true);
      else if (end.signal.aborted) return 0;
      else return Math.min(attempts.failed(error).delayMs, limits.heartbeatMs);
      parts.onChange();
    }
    attempts.succeeded();
    return limits.heartbeatMs;
  }

  async function run(): Promise<void> {
    while (!end.signal.aborted) await pause(await beat(), end.signal);
  }

  const looking = setInterval(() => {
    if (!lease.lasts(performance.now())) parts.onChange();
  }, limits.heartbeatMs / LOOKS);
  const stop = (): void => {
    clearInterval(looking);
    end.abort();
    attempts.succeeded();
  };
  run().catch((error: unknown) => {
    if (end.signal.aborted) return;
    stop();
    parts.onFailed(error);
  });
  return { stop };
}
