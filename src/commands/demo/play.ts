/** What a demonstration plays: its name, its first day live, its history, and its tickets from then on. */
import { createHash } from 'node:crypto';
import type { Config } from '../../config.ts';
import type { Platform } from '../../platform.ts';
import type { Injection } from '../../simulator/injections.ts';
import type { SimulatedChain } from './demo-controls.ts';
import type { DemoState } from './demo-state.ts';
import type { Feed } from './feed.ts';

export type Play = {
  /** The same for the same file or chain: another one needs another directory. */
  readonly id: string;
  readonly label: string;
  readonly settings: Pick<Config, 'currency' | 'timeZone'>;
  readonly liveFromMs: number;
  /** Where the clock begins: what was sold since `liveFromMs`, in the night, is sent at once. */
  readonly startMs: number;
  /** Null: a replay. */
  readonly chain: SimulatedChain | null;
  /** Imports everything before `liveFromMs`; returns what a replay must remember of it. Throws `stop`'s reason. */
  importHistory(platform: Platform, stop: AbortSignal): Promise<Pick<DemoState, 'historyTickets' | 'stores'>>;
  /** What nothing waits for: imported while it runs. Repeatable. */
  importCompanions(platform: Platform): Promise<void>;
  open(state: DemoState, platform: Platform, injections: () => readonly Injection[]): Promise<Feed>;
};

/** A short name for what makes it this play and no other. */
export function playId(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}
