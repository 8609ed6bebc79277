/** An alert as clients see it. */
import type { AlertMessage } from '../../pipeline/messages.ts';
import { isoSeconds, seriesView } from './forecast-view.ts';
import type { SeriesView } from './forecast-view.ts';

/** `about`: the series it concerns, or null when it concerns everybody. */
export function alertView(message: AlertMessage): { about: SeriesView | null; body: object } {
  const { series, granularity, measure, level } = message;
  const about =
    series === null || granularity === null || measure === null || level === null
      ? null
      : seriesView({ ...message, series, granularity, measure, level });
  const { alert_id: id, kind, severity, message: text, value, threshold } = message;
  const { error_before, error_after } = message;
  const since = isoSeconds(message.since_ms);
  const resolved = message.resolved_ms === null ? null : isoSeconds(message.resolved_ms);
  return {
    about,
    body: {
      ...about,
      id,
      kind,
      severity: severity.toLowerCase(),
      message: text,
      value,
      threshold,
      since,
      resolved,
      error_before,
      error_after,
    },
  };
}
