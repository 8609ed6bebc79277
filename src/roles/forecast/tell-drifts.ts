/** Tells of series that have left their usual course, and of those that are back on one. */
import { eventHeaders } from '../../pipeline/cloud-events.ts';
import { settleDrifts } from '../../pipeline/drift-alerts.ts';
import type { DriftWindow } from '../../pipeline/drift-alerts.ts';
import type { OutgoingRecord } from '../../pipeline/log.ts';
import type { AlertMessage } from '../../pipeline/messages.ts';
import type { Shard } from '../../pipeline/shard.ts';
import { TOPICS } from '../../pipeline/topics.ts';
import type { Granularity } from '../../sales/series.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { PublishDeps } from './publish.ts';

/**
 * Compares the table with what has been told. Done again from the last checkpoint after a crash it says the same, under the
 * same keys.
 */
export async function tellDrifts(
  shard: Shard,
  granularity: Granularity,
  { freshFromMs }: Pick<DriftWindow, 'freshFromMs'>,
  deps: PublishDeps & { readonly telemetry: Telemetry },
): Promise<void> {
  const { alerts, found, folded, dropped, over } = settleDrifts(
    shard.tables[granularity],
    shard.drifts[granularity],
    {
      freshFromMs,
      alertsMax: deps.config.driftAlertsMax,
      beside: shard.drifts[granularity === 'hour' ? 'day' : 'hour'].values(),
      calendarOf: deps.calendars.of,
    },
  );
  if (found + over === 0) return;
  await deps.log.append(
    TOPICS.alerts,
    alerts.map((alert) => alertRecord(alert, deps)),
  );
  const example = alerts.find(({ resolved_ms: resolvedMs }) => resolvedMs === null)?.message ?? null;
  deps.telemetry.events.driftsSettled({ granularity, told: found, folded, dropped, over, example });
}

const headersOf = eventHeaders(TOPICS.alerts, 'forecast');

function alertRecord(alert: AlertMessage, { codec }: Pick<PublishDeps, 'codec'>): OutgoingRecord {
  const { alert_id: id, since_ms: sinceMs, resolved_ms: resolvedMs } = alert;
  return {
    key: Buffer.from(id),
    value: codec.encode(TOPICS.alerts, alert),
    headers: headersOf(resolvedMs === null ? id : `${id} over`, resolvedMs ?? sinceMs),
  };
}
