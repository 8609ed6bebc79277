// @ts-check
/** Puts the page together: what the feed brings goes into a small state, which is drawn at most once a frame. */
import { api } from './api.js';
import { BUCKET_MS, createChart, SHOWN_HISTORY } from './chart.js';
import { showActive, showDemo } from './demo-panel.js';
import { byId, setText, toast } from './dom.js';
import { connectFeed } from './feed.js';
import { nodeName, percent } from './format.js';
import { showConnection, showStatus } from './header.js';
import { createSeriesPicker, seriesName } from './series-picker.js';
import { createStoreTable } from './store-table.js';
import { setStale, showAccuracy, showDay, showHour, showTotal } from './tiles.js';

/** @typedef {import('./types.d.ts').FeedMessage} FeedMessage */
/** @typedef {import('./types.d.ts').Forecast} Forecast */
/** @typedef {import('./types.d.ts').Nowcast} Nowcast */
/** @typedef {import('./types.d.ts').History} History */
/** @typedef {import('./types.d.ts').Status} Status */

const CHAIN_DAY = 'day/revenue/total';
const CHAIN_HOUR = 'hour/revenue/total';
const STORES = 'day/revenue/store=';
const HISTORY_PAUSE_MS = 1_500;

/** @type {Map<string, Forecast>} */
const forecasts = new Map();
/** @type {Map<string, Map<string, Nowcast>>} by series and bucket */
const nowcasts = new Map();
/** @type {Status | null} */
let status = null;
/** @type {{ series: string, rows: { ms: number, value: number }[] }} */
let history = { series: '', rows: [] };
/** @type {import('./series-picker.js').Choice} */
let choice = fromAddress();
let knownDemo = '';
let historyTimer = 0;
let frame = 0;

const chart = createChart();
const picker = createSeriesPicker({ initial: choice, onChange: change });
const stores = createStoreTable((store) => {
  picker.chooseNode(`store=${encodeURIComponent(store)}`);
  byId('forecast').scrollIntoView({ behavior: 'smooth', block: 'start' });
});
const feed = connectFeed({
  onMessage: take,
  onState(state) {
    showConnection(state);
    setStale(state === 'lost');
  },
});
feed.subscribe('chain', { series: [CHAIN_DAY, CHAIN_HOUR] });
feed.subscribe('stores', { granularity: 'day', measure: 'revenue', level: 'store' });
change(choice);

/** @param {FeedMessage} message */
function take(message) {
  switch (message.type) {
    case 'snapshot':
      for (const forecast of message.forecasts) takeForecast(forecast);
      for (const nowcast of message.nowcasts) takeNowcast(nowcast);
      break;
    case 'forecast':
      takeForecast(message);
      break;
    case 'nowcast':
      takeNowcast(message);
      break;
    case 'status':
      status = message;
      showStatus(message);
      showTotal(message.transactions_total);
      followDemo(message);
      break;
    case 'alert':
      // What is over is no news to whoever has been told that it began.
      if (message.resolved === null) toast(message.message);
      break;
    case 'error':
      toast(message.message);
      break;
    default:
      break;
  }
  drawSoon();
}

/** @param {Forecast} forecast */
function takeForecast(forecast) {
  forecasts.set(forecast.series, forecast);
  const open = nowcasts.get(forecast.series);
  const isShown = forecast.series === seriesName(choice);
  for (const [bucket, nowcast] of open ?? []) {
    if (bucket > forecast.origin) continue;
    open?.delete(bucket);
    if (isShown) closeBucket(nowcast);
  }
  if (isShown) loadHistorySoon();
}

/** What was sold stands in for the bucket's total until that has been fetched. @param {Nowcast} nowcast */
function closeBucket({ series, bucket, sold }) {
  const ms = Date.parse(bucket);
  const last = history.rows.at(-1);
  if (history.series === series && last !== undefined && last.ms < ms) history.rows.push({ ms, value: sold });
}

/** @param {Nowcast} nowcast */
function takeNowcast(nowcast) {
  const open = nowcasts.get(nowcast.series) ?? new Map();
  nowcasts.set(nowcast.series, open);
  open.set(nowcast.bucket, nowcast);
}

/** @param {string} series @returns {Nowcast[]} the oldest bucket first */
function openOf(series) {
  return [...(nowcasts.get(series)?.values() ?? [])].sort((a, b) => (a.bucket < b.bucket ? -1 : 1));
}

/** @param {typeof choice} next */
function change(next) {
  choice = next;
  const name = seriesName(choice);
  window.history.replaceState(null, '', `#${encodeURI(name)}`);
  feed.subscribe('chosen', { series: [name] });
  history = { series: name, rows: [] };
  void loadHistory();
  drawSoon();
}

function loadHistorySoon() {
  if (historyTimer !== 0) return;
  historyTimer = window.setTimeout(() => {
    historyTimer = 0;
    void loadHistory();
  }, HISTORY_PAUSE_MS);
}

async function loadHistory() {
  const name = seriesName(choice);
  const { granularity } = choice;
  const now = status === null ? null : Date.parse(status.now);
  if (now === null) return loadHistorySoon();
  const from = new Date(
    Math.floor(now / BUCKET_MS[granularity] - SHOWN_HISTORY[granularity]) * BUCKET_MS[granularity],
  );
  try {
    const answer = /** @type {History} */ (
      await api(`/series/${encodeURIComponent(name)}/history?from=${from.toISOString()}`)
    );
    if (name !== seriesName(choice)) return;
    const rows = answer.buckets.map((at, index) => ({
      ms: Date.parse(at),
      value: answer.values[index] ?? 0,
    }));
    history = { series: name, rows };
    drawSoon();
  } catch {
    loadHistorySoon();
  }
}

/** Loads a demonstration's controls when there is one, and again when it is another. @param {Status} now */
function followDemo({ demo, series }) {
  showActive(demo?.active ?? []);
  const key = demo === null ? '' : `${demo.label} ${series > 0}`;
  if (key === knownDemo) return;
  knownDemo = key;
  if (demo !== null) void loadDemo().catch((/** @type {Error} */ error) => toast(error.message));
}

async function loadDemo() {
  /** @param {string} level @param {'store' | 'category'} key */
  const names = async (level, key) => {
    const { items } = await api(`/series?granularity=day&measure=revenue&level=${level}&limit=1000`);
    return /** @type {Record<string, string>[]} */ (items).map((item) => item[key] ?? '');
  };
  const [storeNames, categories] = await Promise.all([
    names('store', 'store'),
    names('category', 'category'),
  ]);
  await showDemo({ stores: storeNames, categories });
}

function drawSoon() {
  if (frame === 0) frame = requestAnimationFrame(draw);
}

function draw() {
  frame = 0;
  showDay(openOf(CHAIN_DAY).at(-1) ?? null);
  showHour(openOf(CHAIN_HOUR).at(-1) ?? null);
  showAccuracy(forecasts.get(CHAIN_DAY) ?? null);
  drawChart();
  const names = new Set(
    [...forecasts.keys(), ...nowcasts.keys()].filter((series) => series.startsWith(STORES)),
  );
  stores.show(
    [...names].map((series) => {
      const forecast = forecasts.get(series) ?? null;
      const nowcast = openOf(series).at(-1) ?? null;
      return { store: forecast?.store ?? nowcast?.store ?? '', forecast, nowcast };
    }),
    chosenStore(),
  );
}

function drawChart() {
  const name = seriesName(choice);
  const forecast = forecasts.get(name) ?? null;
  const open = openOf(name);
  const closedMs = forecast === null ? Infinity : Date.parse(forecast.origin);
  chart.show({
    granularity: choice.granularity,
    measure: choice.measure,
    // A bucket that some source has not closed yet is not history.
    history: history.series === name ? history.rows.filter(({ ms }) => ms <= closedMs) : [],
    forecast,
    nowcasts: open,
    nowMs: status === null ? Date.now() : Date.parse(status.now),
  });
  const shown = forecast ?? open[0];
  setText(byId('chart-title'), shown === undefined ? nodeName({}) : nodeName(shown));
  setText(byId('chart-words'), forecast === null ? '' : scoreWords(forecast));
}

/** How good this series' forecasts have been, in a sentence. @param {Forecast} forecast */
function scoreWords({ scores, granularity }) {
  const known = scores.filter(({ wape, n }) => wape !== null && n > 0);
  if (known.length === 0) return 'Too young to say how good its forecasts are.';
  const unit = granularity === 'hour' ? 'hour' : 'day';
  const parts = known.map(
    ({ step, wape }) => `${percent(wape ?? 0)} ${step} ${unit}${step === 1 ? '' : 's'} ahead`,
  );
  const covered = known[0]?.coverage80;
  const within =
    covered == null ? '' : ` ${Math.round(covered * 100)} of 100 ${unit}s ended within the 80% band.`;
  return `Off on average by ${parts.join(', ')}.${within}`;
}

function chosenStore() {
  const match = /^store=([^/]+)$/.exec(choice.node);
  return match === null ? undefined : decodeURIComponent(match[1] ?? '');
}

/** The series in the address, so that a view can be kept and sent. @returns {import('./series-picker.js').Choice} */
function fromAddress() {
  const [granularity, measure, ...node] = decodeURI(location.hash.slice(1)).split('/');
  return {
    granularity: granularity === 'day' ? 'day' : 'hour',
    measure: measure === 'units' ? 'units' : 'revenue',
    node: node.length === 0 ? 'total' : node.join('/'),
  };
}
