/**
 * The latest forecast of every series and the nowcasts of its open buckets (one as a rule; more while a bucket that is
 * over waits to be closed): a fold over the forecast topic, the same whatever was read twice. A nowcast goes when its
 * bucket has closed. JSON is made once per message, when somebody first wants it.
 */
import type { ForecastMessage } from '../../pipeline/messages.ts';
import { forecastView, nowcastView, seriesView } from './forecast-view.ts';
import type { ForecastView, NowcastView, SeriesView } from './forecast-view.ts';

export type Encoded<T> = { readonly view: T; readonly json: () => string };

export type LatestEntry = {
  readonly series: SeriesView;
  forecast: Encoded<ForecastView> | null;
  /** By bucket, the oldest first. */
  nowcasts: readonly Encoded<NowcastView>[];
};

const NOWCASTS_MAX = 4;

export type Change =
  | { readonly kind: 'forecast'; readonly entry: LatestEntry; readonly json: () => string }
  | {
      readonly kind: 'nowcast';
      readonly entry: LatestEntry;
      readonly bucket: string;
      readonly json: () => string;
    };

export type Latest = {
  /** What the message changed; null when it is older than what is there, or there is no room for its series. */
  apply(message: ForecastMessage): Change | null;
  get(series: string): LatestEntry | undefined;
  /** By name. */
  sorted(): readonly LatestEntry[];
  readonly size: number;
};

export function createLatest(options: { seriesMax: number; onDropped: () => void }): Latest {
  const entries = new Map<string, LatestEntry>();
  let ordered: LatestEntry[] | null = [];

  const entryOf = (message: ForecastMessage): LatestEntry | null => {
    const known = entries.get(message.series);
    if (known !== undefined) return known;
    if (entries.size >= options.seriesMax) {
      options.onDropped();
      return null;
    }
    const entry: LatestEntry = { series: seriesView(message), forecast: null, nowcasts: [] };
    entries.set(message.series, entry);
    ordered = null;
    return entry;
  };

  return {
    apply(message) {
      const entry = entryOf(message);
      if (entry === null) return null;
      return message.kind === 'NOWCAST' ? applyNowcast(entry, message) : applyForecast(entry, message);
    },
    get: (series) => entries.get(series),
    sorted() {
      ordered ??= [...entries.values()].sort((a, b) => (a.series.series < b.series.series ? -1 : 1));
      return ordered;
    },
    get size() {
      return entries.size;
    },
  };
}

function applyForecast(entry: LatestEntry, message: ForecastMessage): Change | null {
  const view = forecastView(message);
  if (entry.forecast !== null && entry.forecast.view.issued_at > view.issued_at) return null;
  entry.forecast = encoded(view);
  entry.nowcasts = entry.nowcasts.filter((nowcast) => nowcast.view.bucket > view.origin);
  return { kind: 'forecast', entry, json: entry.forecast.json };
}

function applyNowcast(entry: LatestEntry, message: ForecastMessage): Change | null {
  const view = nowcastView(message);
  if (view === null) return null;
  if (entry.forecast !== null && view.bucket <= entry.forecast.view.origin) return null;
  const known = entry.nowcasts.find((nowcast) => nowcast.view.bucket === view.bucket);
  if (known !== undefined && known.view.as_of > view.as_of) return null;
  const nowcast = encoded(view);
  entry.nowcasts = [...entry.nowcasts.filter((other) => other !== known), nowcast]
    .sort((a, b) => (a.view.bucket < b.view.bucket ? -1 : 1))
    .slice(-NOWCASTS_MAX);
  return { kind: 'nowcast', entry, bucket: view.bucket, json: nowcast.json };
}

function encoded<T>(view: T): Encoded<T> {
  let json: string | null = null;
  return { view, json: () => (json ??= JSON.stringify(view)) };
}
