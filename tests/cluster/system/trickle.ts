/** Traffic that flows for a while, in small parts with pauses between them. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Sent } from '../../simulation/traffic.ts';
import type { ClusterSystem } from './cluster-system.ts';

const PART_EVERY_MS = 150;

/** Resolves when all of it is acknowledged: no sooner than after `durationMs`. */
export async function trickle(
  system: ClusterSystem,
  sent: readonly Sent[],
  durationMs: number,
): Promise<void> {
  const parts = Math.max(1, Math.ceil(durationMs / PART_EVERY_MS));
  for (let part = 0; part < parts; part += 1) {
    const [from, to] = [part, part + 1].map((edge) => Math.round((edge / parts) * sent.length));
    await system.send(sent.slice(from, to));
    await delay(PART_EVERY_MS);
  }
}
