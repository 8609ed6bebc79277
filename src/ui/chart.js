// @ts-check
/**
 * The fan chart: what was sold, what has been sold of the open bucket, and what is expected, with bands that hold
 * 50, 80 and 95 of 100 outcomes.
 */
import uPlot from './vendor/uPlot.esm.js';
import { byId, el, setText } from './dom.js';
import { amountInWords, bucket, shortAmount, tick, zone } from './format.js';

/** @typedef {import('./types.d.ts').Forecast} Forecast */
/** @typedef {import('./types.d.ts').Nowcast} Nowcast */
/** @typedef {import('./types.d.ts').Granularity} Granularity */
/** @typedef {import('./types.d.ts').Measure} Measure */

/**
 * @typedef {object} Shown
 * @property {Granularity} granularity
 * @property {Measure} measure
 * @property {{ ms: number, value: number }[]} history
 * @property {Forecast | null} forecast
 * @property {Nowcast[]} nowcasts
 * @property {number} nowMs
 */

/** Buckets of history that are shown. */
export const SHOWN_HISTORY = { hour: 4 * 24, day: 42 };
const SHOWN_AHEAD = { hour: 48, day: 28 };
export const BUCKET_MS = { hour: 3_600_000, day: 86_400_000 };
/** The pairs of probabilities of the bands, the widest first, and how dense they are. */
const BANDS = /** @type {const} */ ([
  [0.025, 0.975, 0.13],
  [0.1, 0.9, 0.17],
  [0.25, 0.75, 0.24],
]);

export function createChart() {
  const place = byId('chart');
  /** @type {uPlot | null} */
  let plot = null;
  let shape = '';
  /** @type {Shown} */
  let shown = {
    granularity: 'hour',
    measure: 'revenue',
    history: [],
    forecast: null,
    nowcasts: [],
    nowMs: 0,
  };

  const size = () => ({ width: place.clientWidth, height: place.clientHeight });
  const draw = () => {
    if (shown.history.length === 0 && shown.forecast === null) {
      plot?.destroy();
      plot = null;
      shape = '';
      place.replaceChildren(el('p', { class: 'waiting' }, 'Waiting for the first forecast…'));
      return;
    }
    const wanted = `${shown.granularity} ${shown.measure} ${zone()}`;
    const data = columns(shown);
    if (plot !== null && wanted === shape) {
      plot.setData(data);
      return;
    }
    plot?.destroy();
    place.replaceChildren();
    plot = new uPlot({ ...options(() => shown), ...size() }, data, place);
    shape = wanted;
  };

  new ResizeObserver(() => plot?.setSize(size())).observe(place);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    shape = '';
    draw();
  });

  return {
    /** @param {Shown} next */
    show(next) {
      shown = next;
      draw();
    },
  };
}

/**
 * Time in seconds, sold, expected, then low and high of each band. The fan opens at the last bucket that is known.
 * @param {Shown} shown
 * @returns {uPlot.AlignedData}
 */
function columns({ granularity, history, forecast, nowcasts }) {
  /** @type {Map<number, (number | null)[]>} */
  const rows = new Map();
  const width = 2 + 2 * BANDS.length;
  /** @param {number} ms */
  const rowAt = (ms) => {
    const row = rows.get(ms) ?? Array.from({ length: width }, () => /** @type {number | null} */ (null));
    rows.set(ms, row);
    return row;
  };
  for (const { ms, value } of history) rowAt(ms)[0] = value;
  const originMs = forecast === null ? -Infinity : Date.parse(forecast.origin);
  const last = history.findLast(({ ms }) => ms <= originMs);
  if (forecast !== null && last !== undefined && last.ms === originMs) rowAt(last.ms).fill(last.value, 1);
  forecast?.buckets.slice(0, SHOWN_AHEAD[granularity]).forEach((at, index) => {
    const row = rowAt(Date.parse(at));
    row[1] = forecast.mean[index] ?? null;
    fillBands(row, forecast.probabilities, forecast.quantiles[index] ?? []);
  });
  for (const nowcast of nowcasts) {
    const row = rows.get(Date.parse(nowcast.bucket));
    if (row === undefined || row[0] !== null) continue;
    row[1] = nowcast.mean;
    fillBands(row, nowcast.probabilities, nowcast.quantiles);
  }
  const times = [...rows.keys()].sort((a, b) => a - b);
  const series = Array.from({ length: width }, (_, place) =>
    times.map((ms) => rows.get(ms)?.[place] ?? null),
  );
  return /** @type {uPlot.AlignedData} */ ([times.map((ms) => ms / 1000), ...series]);
}

/** @param {(number | null)[]} row @param {number[]} probabilities @param {number[]} quantiles */
function fillBands(row, probabilities, quantiles) {
  BANDS.forEach(([low, high], band) => {
    row[2 + 2 * band] = quantiles[probabilities.indexOf(low)] ?? null;
    row[3 + 2 * band] = quantiles[probabilities.indexOf(high)] ?? null;
  });
}

/** @param {() => Shown} get @returns {Omit<uPlot.Options, 'width' | 'height'>} */
function options(get) {
  const style = getComputedStyle(document.documentElement);
  /** @param {string} name */
  const color = (name) => style.getPropertyValue(name).trim();
  const band = color('--band');
  const { granularity, measure } = get();
  const font = '12px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif';
  const axis = {
    font,
    stroke: color('--soft'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { stroke: color('--line'), width: 1, size: 4 },
  };
  const edge = { width: 0, points: { show: false }, stroke: 'transparent' };
  return {
    padding: [20, 30, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), granularity === 'hour' ? zone() : 'Etc/UTC'),
    scales: { y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.06 : 1] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: 72,
        size: 34,
        values: (_plot, ticks) => ticks.map((seconds) => tick(granularity, seconds * 1000)),
      },
      {
        ...axis,
        size: 58,
        values: (_plot, ticks) => ticks.map((tick) => shortAmount(measure, tick)),
      },
    ],
    series: [
      {},
      { stroke: color('--sold'), width: 2, points: { show: false } },
      { stroke: color('--accent'), width: 2.25, points: { show: false } },
      ...BANDS.flatMap(() => [edge, edge]),
    ],
    bands: BANDS.map(([, , density], index) => ({
      series: [4 + 2 * index, 3 + 2 * index],
      fill: `rgb(${band} / ${density})`,
    })),
    hooks: {
      drawClear: [(plot) => drawOpen(plot, get(), { open: color('--open'), line: color('--line') })],
      draw: [(plot) => drawExpected(plot, get(), { accent: color('--accent'), card: color('--card') })],
      setCursor: [(plot) => readOut(plot, get())],
    },
  };
}

/**
 * What has been sold of the open buckets, as columns, and where now is.
 * @param {uPlot} plot @param {Shown} shown @param {{ open: string, line: string }} colors
 */
function drawOpen(plot, { granularity, nowcasts, nowMs }, colors) {
  const { ctx } = plot;
  const half =
    Math.abs(plot.valToPos(BUCKET_MS[granularity] / 1000, 'x', true) - plot.valToPos(0, 'x', true)) * 0.34;
  const ground = plot.valToPos(0, 'y', true);
  ctx.save();
  ctx.fillStyle = colors.open;
  for (const nowcast of nowcasts) {
    const x = plot.valToPos(Date.parse(nowcast.bucket) / 1000, 'x', true);
    const top = plot.valToPos(Math.max(0, nowcast.sold), 'y', true);
    ctx.fillRect(x - half, top, 2 * half, ground - top);
  }
  const [open] = nowcasts.slice(-1);
  const atMs = open === undefined ? nowMs : Date.parse(open.bucket);
  const x = Math.round(plot.valToPos(atMs / 1000, 'x', true));
  if (x > plot.bbox.left && x < plot.bbox.left + plot.bbox.width) {
    ctx.strokeStyle = colors.line;
    ctx.lineWidth = devicePixelRatio * 1.5;
    ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(x, plot.bbox.top);
    ctx.lineTo(x, plot.bbox.top + plot.bbox.height);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--soft');
    ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = 'center';
    ctx.fillText('now', x, plot.bbox.top - 6 * devicePixelRatio);
  }
  ctx.restore();
}

/**
 * How the open buckets will end: a dot with the range of 80 of 100 outcomes.
 * @param {uPlot} plot @param {Shown} shown @param {{ accent: string, card: string }} colors
 */
function drawExpected(plot, { nowcasts }, colors) {
  const { ctx } = plot;
  ctx.save();
  ctx.strokeStyle = colors.accent;
  ctx.lineWidth = 2 * devicePixelRatio;
  for (const { bucket: at, mean, probabilities, quantiles } of nowcasts) {
    const x = plot.valToPos(Date.parse(at) / 1000, 'x', true);
    const [low, high] = [0.1, 0.9].map((p) => quantiles[probabilities.indexOf(p)] ?? mean);
    ctx.beginPath();
    ctx.moveTo(x, plot.valToPos(/** @type {number} */ (low), 'y', true));
    ctx.lineTo(x, plot.valToPos(/** @type {number} */ (high), 'y', true));
    ctx.stroke();
    ctx.fillStyle = colors.card;
    ctx.beginPath();
    ctx.arc(x, plot.valToPos(mean, 'y', true), 4.5 * devicePixelRatio, 0, 2 * Math.PI);
    ctx.fill();
    ctx.stroke();
  }
  ctx.restore();
}

/** The figures of the bucket under the pointer. @param {uPlot} plot @param {Shown} shown */
function readOut(plot, { granularity, measure, nowcasts }) {
  const readout = byId('readout');
  const index = plot.cursor.idx;
  const seconds = index === null || index === undefined ? undefined : plot.data[0][index];
  if (seconds === undefined || (plot.cursor.left ?? -1) < 0) return setText(readout, '\u00a0');
  /** @param {number} series */
  const value = (series) => plot.data[series]?.[/** @type {number} */ (index)] ?? null;
  const [sold, mean, low, high] = [value(1), value(2), value(5), value(6)];
  const nowcast = nowcasts.find((each) => Date.parse(each.bucket) === seconds * 1000);
  const parts = [bucket(granularity, seconds * 1000)];
  if (sold !== null) parts.push(`sold ${amountInWords(measure, sold)}`);
  if (nowcast !== undefined) parts.push(`sold so far ${amountInWords(measure, nowcast.sold)}`);
  if (sold === null && mean !== null) {
    const range =
      low === null || high === null
        ? ''
        : ` (${amountInWords(measure, low)} to ${amountInWords(measure, high)})`;
    parts.push(`expected ${amountInWords(measure, mean)}${range}`);
  }
  setText(readout, parts.join(' · '));
}
