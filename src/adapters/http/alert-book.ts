/** The alerts of the last weeks, each as it stands: a fold over the alert topic, the same whatever was read twice. */
import type { AlertMessage } from '../../pipeline/messages.ts';

export type AlertBook = {
  apply(message: AlertMessage): void;
  /** The latest first. */
  list(): readonly AlertMessage[];
};

/** Beyond `alertsMax` the oldest that is over is forgotten, or the oldest of all. */
export function createAlertBook(options: {
  readonly alertsMax: number;
  readonly onDropped: () => void;
}): AlertBook {
  const alerts = new Map<string, AlertMessage>();

  function makeRoom(): void {
    if (alerts.size <= options.alertsMax) return;
    let leaves = alerts.keys().next().value;
    for (const [id, alert] of alerts) {
      if (alert.resolved_ms === null) continue;
      leaves = id;
      break;
    }
    if (leaves === undefined) return;
    if (alerts.get(leaves)?.resolved_ms === null) options.onDropped();
    alerts.delete(leaves);
  }

  return {
    apply(message) {
      // What was resolved stays so: a crash may repeat the first message behind the last.
      if (message.resolved_ms === null && (alerts.get(message.alert_id)?.resolved_ms ?? null) !== null)
        return;
      alerts.set(message.alert_id, message);
      makeRoom();
    },
    list: () => [...alerts.values()].sort((a, b) => b.since_ms - a.since_ms),
  };
}
