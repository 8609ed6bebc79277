/** How the process is doing, asked for about once a second: it must be cheap and must not throw. */
import type { RoleName } from '../../telemetry/events.ts';

export type RoleStatus = {
  readonly role: RoleName;
  readonly ready: boolean;
  /** Records of its topics it has still to work through; null: not known. */
  readonly lagRecords: number | null;
  /** Event time up to which it is complete, UTC milliseconds. */
  readonly watermarkMs: number | null;
  /** One sentence; null when all is well. */
  readonly lastError: string | null;
  /** What does not answer, e.g. `the store`, when that is why it stands still. */
  readonly waitsFor: string | null;
};

export type SystemStatus = {
  /** The roles of this process. */
  readonly roles: readonly RoleStatus[];
  /** Learning from history at the start; null when that is done or there is none. */
  readonly warmStart: { readonly done: number; readonly total: number; readonly what: string } | null;
  /** Transactions read from the topic since the start. The page shows the rate. */
  readonly transactionsTotal: number;
};

/** Why the process is not ready, a sentence per role; empty when all are. */
export function rolesNotReady(status: SystemStatus): string[] {
  return status.roles
    .filter(({ ready }) => !ready)
    .map(({ role, lastError, waitsFor }) => {
      if (waitsFor !== null) return `Role ${role} waits for ${waitsFor}, which does not answer.`;
      // Whoever may not read /status may ask for /ready: what went wrong is told there and in the log.
      return lastError === null ? `Role ${role} is not ready yet.` : `Role ${role} has failed.`;
    });
}
