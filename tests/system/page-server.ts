/**
 * The real server and feed over a chain made up of sines and a seeded generator: for looking at the page, and for
 * testing it in every state without waiting for it.
 */
import { createAccess } from '../../src/adapters/http/access.ts';
import { createApi } from '../../src/adapters/http/api.ts';
import type { DemoControls, InjectedEvent } from '../../src/adapters/http/demo-controls.ts';
import type { ForecastStore, HistoryRow } from '../../src/adapters/http/forecast-store.ts';
import { listen } from '../../src/adapters/http/listen.ts';
import { statusView } from '../../src/adapters/http/status-view.ts';
import type { SystemStatus } from '../../src/adapters/http/system-status.ts';
import { createFeed } from '../../src/adapters/websocket/feed.ts';
import { createLatest } from '../../src/adapters/websocket/latest.ts';
import { manualClock } from '../../src/clock.ts';
import { resolveConfig } from '../../src/config.ts';
import { DAY_MS, HOUR_MS } from '../../src/sales/durations.ts';
import type { ForecastMessage } from '../../src/pipeline/messages.ts';
import { formatSeries } from '../../src/sales/series.ts';
import type { SeriesKey } from '../../src/sales/series.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';

const START = Date.UTC(2017, 8, 1, 18);
const PROBABILITIES = [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975];
const Z = [-1.96, -1.28, -0.67, 0, 0.67, 1.28, 1.96];
const STORES = ['292', '321', '323', '343', '356', '361', '367', '381', '406', '429', '443'];
const CATEGORIES = ['BREAD', 'COLD CEREAL', 'SOFT DRINKS', 'MILK <b>&</b> CREAM'];

export type PageServerOptions = {
  readonly port?: number;
  readonly token?: string;
  readonly warmStart?: SystemStatus['warmStart'];
  readonly empty?: boolean;
};

export async function startPageServer(options: PageServerOptions = {}) {
  const config = resolveConfig({ timeZone: 'America/New_York' });
  const clock = manualClock(START);
  const telemetry = createTelemetry({ level: 'silent' });
  const latest = createLatest({ seriesMax: 10_000, onDropped: () => {} });
  const feed = createFeed({ config: config.feed, telemetry, latest });
  const state = { transactions: 0, warmStart: options.warmStart ?? null };
  const demo = chainControls(() => clock.nowMs());
  const access = createAccess({ host: '127.0.0.1', port: 0, ...(options.token && { token: options.token }) });
  const status = () =>
    statusView({
      version: '0.1.0',
      startedMs: START,
      config,
      clock,
      latest,
      feed,
      demo,
      status: () => ({
        roles: [
          { role: 'serve', ready: true, lagRecords: 0, watermarkMs: START, lastError: null, waitsFor: null },
        ],
        warmStart: state.warmStart,
        transactionsTotal: state.transactions,
      }),
    });
  const store: ForecastStore = {
    history: async ({ key, fromMs, toMs }) =>
      history(key, fromMs, Math.min(toMs, openBucket(key, clock.nowMs()))),
    forecastsAsOf: async () => [],
    accuracy: async () => [],
    ping: async () => true,
  };
  const app = await createApi({
    version: '0.1.0',
    config,
    clock,
    telemetry,
    access,
    latest,
    feed,
    store,
    demo,
    status,
    alerts: { apply: () => {}, list: () => [] },
    accuracy: async () => [],
    notReady: async () => [],
    intake: { take: async () => ({ accepted: 0, duplicates: 0, rejected: [] }) },
  });
  const publish = (message: ForecastMessage) => {
    const change = latest.apply(message);
    if (change === null) return;
    const { series } = change.entry;
    feed.publish({ type: change.kind, series, key: `${change.kind} ${series.series}`, body: change.json });
  };
  const sendForecasts = () => chain().forEach((key) => publish(forecast(key, clock.nowMs())));
  const sendNowcasts = () => chain().forEach((key) => publish(nowcast(key, clock.nowMs())));
  const sendStatus = () =>
    feed.publish({ type: 'status', series: null, key: 'status', body: () => JSON.stringify(status()) });
  if (options.empty !== true) {
    sendForecasts();
    sendNowcasts();
  }
  const ticks = setInterval(sendStatus, 250);
  const url = await listen(app, { host: '127.0.0.1', port: options.port ?? 0 });
  return {
    url,
    feed,
    state,
    /** Time goes on, and with it sales; buckets that have ended are closed. */
    advance(ms: number) {
      const before = clock.nowMs();
      clock.advance(ms);
      state.transactions += 137;
      if (Math.floor(before / HOUR_MS) !== Math.floor(clock.nowMs() / HOUR_MS)) sendForecasts();
      sendNowcasts();
      sendStatus();
    },
    begin() {
      state.warmStart = null;
      sendForecasts();
      sendNowcasts();
      sendStatus();
    },
    async stop() {
      clearInterval(ticks);
      await feed.close();
      await app.close();
    },
  };
}

function chain(): SeriesKey[] {
  const keys: SeriesKey[] = [];
  for (const granularity of ['hour', 'day'] as const)
    for (const measure of ['revenue', 'units'] as const) {
      keys.push({ granularity, measure, level: 'total' });
      for (const store of STORES) keys.push({ granularity, measure, level: 'store', store });
      for (const category of CATEGORIES) keys.push({ granularity, measure, level: 'category', category });
    }
  return keys;
}

/** A day's and a week's swing, and noise that belongs to the bucket. */
function expected(key: SeriesKey, bucketMs: number): number {
  const scale = scaleOf(key);
  const weekend = [0, 6].includes(new Date(bucketMs).getUTCDay()) ? 1.25 : 1;
  if (key.granularity === 'day') return scale * 14 * weekend;
  const hour = (new Date(bucketMs).getUTCHours() + 20) % 24;
  return scale * weekend * Math.max(0.02, Math.sin(((hour - 5) / 18) * Math.PI)) ** 1.4;
}

function actual(key: SeriesKey, bucketMs: number): number {
  return expected(key, bucketMs) * (1 + 0.22 * noise(`${formatSeries(key)}${bucketMs}`));
}

function scaleOf(key: SeriesKey): number {
  const share =
    key.store === undefined
      ? key.category === undefined
        ? 1
        : 0.2
      : 0.05 + 0.008 * STORES.indexOf(key.store);
  return share * (key.measure === 'revenue' ? 620 : 210);
}

/** −1 … 1 */
function noise(text: string): number {
  let hash = 2166136261;
  for (const character of text) hash = Math.imul(hash ^ character.charCodeAt(0), 16777619);
  hash = Math.imul(hash ^ (hash >>> 15), 2246822519);
  return ((hash >>> 0) / 2 ** 32) * 2 - 1;
}

function stepOf(key: SeriesKey): number {
  return key.granularity === 'hour' ? HOUR_MS : DAY_MS;
}

function openBucket(key: SeriesKey, nowMs: number): number {
  const local = key.granularity === 'hour' ? nowMs : nowMs - 4 * HOUR_MS;
  return Math.floor(local / stepOf(key)) * stepOf(key);
}

function history(key: SeriesKey, fromMs: number, beforeMs: number): HistoryRow[] {
  const rows: HistoryRow[] = [];
  for (let bucketMs = fromMs; bucketMs < beforeMs; bucketMs += stepOf(key))
    rows.push({ bucketMs, value: actual(key, bucketMs) });
  return rows;
}

function base(key: SeriesKey, nowMs: number) {
  const originMs = openBucket(key, nowMs) - stepOf(key);
  return {
    ...key,
    series: formatSeries(key),
    store: key.store ?? null,
    category: key.category ?? null,
    product: key.product ?? null,
    origin_ms: originMs,
    issued_at_ms: nowMs,
    watermark_ms: nowMs,
    event_ms: nowMs,
    model_version: 'test',
    probabilities: PROBABILITIES,
    experts: [],
    reconciled: true,
    override: null,
  };
}

function forecast(key: SeriesKey, nowMs: number): ForecastMessage {
  const start = openBucket(key, nowMs);
  const horizon = key.granularity === 'hour' ? 48 : 28;
  const score = { n: 243, mase: 0.7, bias: 0.01, coverage95: 0.94, skill: 0.24 };
  return {
    ...base(key, nowMs),
    kind: 'ISSUE',
    sold: null,
    remaining: null,
    points: Array.from({ length: horizon }, (_, index) => {
      const bucketMs = start + index * stepOf(key);
      const mean = expected(key, bucketMs);
      const spread = mean * (0.13 + 0.004 * index);
      return {
        bucket_ms: bucketMs,
        step: index + 1,
        mean,
        quantiles: Z.map((z) => Math.max(0, mean + z * spread)),
      };
    }),
    scores: [
      { band: '1', step: 1, wape: 0.081, coverage80: 0.81, ...score },
      { band: '2-7', step: 3, wape: 0.112, coverage80: 0.79, ...score },
    ],
  };
}

function nowcast(key: SeriesKey, nowMs: number): ForecastMessage {
  const bucketMs = openBucket(key, nowMs);
  const sinceMs = key.granularity === 'hour' ? nowMs - bucketMs : nowMs - 4 * HOUR_MS - bucketMs;
  const share = Math.min(0.98, sinceMs / stepOf(key));
  const sold = actual(key, bucketMs) * share;
  const remaining = expected(key, bucketMs) * (1 - share);
  const spread = expected(key, bucketMs) * 0.13 * (1 - share);
  return {
    ...base(key, nowMs),
    kind: 'NOWCAST',
    scores: [],
    sold,
    remaining,
    points: [
      {
        bucket_ms: bucketMs,
        step: 0,
        mean: sold + remaining,
        quantiles: Z.map((z) => Math.max(sold, sold + remaining + z * spread)),
      },
    ],
  };
}

function chainControls(nowMs: () => number): DemoControls {
  let speed = 600;
  let active: InjectedEvent[] = [];
  let count = 0;
  return {
    label: `Simulated chain of ${STORES.length} stores`,
    simulated: true,
    nowMs,
    speed: () => speed,
    speeds: [1, 60, 600, 3_600],
    setSpeed: (value) => void (speed = value),
    progress: () => null,
    injectable: [
      {
        kind: 'promotion',
        label: 'Promotion',
        description: 'A category sells more for a few hours.',
        parameters: [
          { name: 'category', label: 'Category', kind: 'category' },
          { name: 'store', label: 'Where', kind: 'store' },
          { name: 'uplift', label: 'Uplift', kind: 'number', unit: '%', min: 5, max: 400, initial: 60 },
        ],
      },
      {
        kind: 'offline-till',
        label: 'A till goes offline',
        description: 'Its tickets come in late, all at once, when it is back.',
        parameters: [{ name: 'store', label: 'Store', kind: 'store', initial: '406' }],
      },
      {
        kind: 'duplicates',
        label: 'Storm of duplicates',
        description: 'Every ticket is sent three times.',
        parameters: [],
      },
    ],
    inject(kind, parameters) {
      count += 1;
      const label = `${kind} ${Object.values(parameters).join(' ')}`.trim();
      const event = { id: `e${count}`, kind, label, startedMs: nowMs(), endsMs: null };
      active = [...active, event];
      return event;
    },
    active: () => active,
    stop(id) {
      const before = active.length;
      active = active.filter((event) => event.id !== id);
      return active.length < before;
    },
  };
}
