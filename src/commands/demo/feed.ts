/** Where a demonstration's tickets come from: a file of real ones, or the simulator. */
import type { TransactionMessage } from '../../sales/transaction-message.ts';
import type { DemoState } from './demo-state.ts';

export type Feed = {
  /** The tickets whose time has come, in order, at most a few thousand; call again while there are some. */
  due(nowMs: number): Promise<readonly TransactionMessage[]>;
  /** Null while there is more to come; else the end of the last ticket. */
  endedAtMs(): number | null;
  /** 0 to 1; null where there is no end. */
  progress(): number | null;
  /** Behind everything handed out by `due`: what a restart goes on from. */
  place(): Pick<DemoState, 'nextTicket' | 'sentMs'>;
  close(): Promise<void>;
};
