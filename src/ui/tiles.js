// @ts-check
/** The figures at the top: how today and this hour will end, how good forecasts have been, how much comes in. */
import { byId, setText } from './dom.js';
import { amount, hourSpan, longDay, percent, rate, whole } from './format.js';

/** @typedef {import('./types.d.ts').Forecast} Forecast */
/** @typedef {import('./types.d.ts').Nowcast} Nowcast */

const RATE_KEPT = 60;
/** Below this many scored buckets a share is no more than an anecdote. */
const SCORES_MIN = 7;

/** @param {string} id */
function partsOf(id) {
  const tile = byId(id);
  return {
    tile,
    /** @param {string} name @returns {HTMLElement | null} */
    part: (name) => tile.querySelector(`[data-part="${name}"]`),
    heading: tile.querySelector('h2'),
  };
}

const day = partsOf('tile-day');
const hour = partsOf('tile-hour');
const accuracy = partsOf('tile-accuracy');
const incoming = partsOf('tile-rate');

/** @param {Nowcast | null} nowcast */
export function showDay(nowcast) {
  setText(day.heading, nowcast === null ? 'Today' : `Today, ${longDay(nowcast.bucket)}`);
  showNowcast(day, nowcast);
}

/** @param {Nowcast | null} nowcast */
export function showHour(nowcast) {
  setText(hour.heading, nowcast === null ? 'This hour' : `This hour, ${hourSpan(nowcast.bucket)}`);
  showNowcast(hour, nowcast);
}

/** @param {ReturnType<typeof partsOf>} target @param {Nowcast | null} nowcast */
function showNowcast({ tile, part }, nowcast) {
  if (nowcast === null) return;
  const { measure, sold, mean, probabilities, quantiles } = nowcast;
  const low = quantiles[probabilities.indexOf(0.1)] ?? mean;
  const high = quantiles[probabilities.indexOf(0.9)] ?? mean;
  setText(part('sold'), amount(measure, sold));
  setText(part('expected'), amount(measure, mean));
  setText(part('interval'), `80% sure: ${amount(measure, low)} to ${amount(measure, high)}`);
  showGauge(/** @type {HTMLElement} */ (tile.querySelector('.gauge')), { sold, mean, low, high });
}

/**
 * A bar that fills up to the total: sold, the range of likely totals, and what is expected.
 * @param {HTMLElement} gauge
 * @param {{ sold: number, mean: number, low: number, high: number, scale?: number }} figures
 */
export function showGauge(gauge, { sold, mean, low, high, scale = Math.max(high, sold, 1e-9) * 1.04 }) {
  /** @param {number} value */
  const share = (value) => `${Math.min(100, Math.max(0, (value / scale) * 100))}%`;
  const [range, filled, mark] = /** @type {HTMLElement[]} */ ([...gauge.children]);
  if (range === undefined || filled === undefined || mark === undefined) return;
  gauge.dataset['known'] = '';
  range.style.left = share(low);
  range.style.width = share(high - low);
  filled.style.width = share(sold);
  mark.style.left = share(mean);
}

/** In a store manager's words. @param {Forecast | null} forecast the chain's revenue by day */
export function showAccuracy(forecast) {
  const score = forecast?.scores.find(({ step }) => step === 1);
  if (score === undefined || score.wape === null || score.n < SCORES_MIN) {
    setText(accuracy.part('error'), '–');
    setText(accuracy.part('coverage'), 'Not enough days to say yet');
    setText(accuracy.part('basis'), score === undefined ? '\u00a0' : `${score.n} days scored so far`);
    return;
  }
  setText(accuracy.part('error'), percent(score.wape));
  setText(accuracy.part('error-caption'), 'off, on average, a day ahead');
  const within = score.coverage80 === null ? '' : `${Math.round(score.coverage80 * 100)} of 100 days`;
  setText(accuracy.part('coverage'), within === '' ? '\u00a0' : `${within} within the 80% band`);
  const better =
    score.skill === null
      ? ''
      : `, ${percent(Math.abs(score.skill))} ${score.skill >= 0 ? 'better' : 'worse'} than “same as last week”`;
  setText(accuracy.part('basis'), `Over ${whole(score.n)} days${better}`);
}

/** @type {{ total: number, ms: number } | null} */
let before = null;
/** @type {number[]} */
const rates = [];

/** Sales a second of real time, out of the count that comes about once a second. @param {number} total */
export function showTotal(total) {
  const ms = performance.now();
  if (before !== null && ms > before.ms && total >= before.total) {
    rates.push(((total - before.total) / (ms - before.ms)) * 1000);
    if (rates.length > RATE_KEPT) rates.shift();
    const recent = rates.slice(-5);
    setText(incoming.part('rate'), rate(recent.reduce((sum, each) => sum + each, 0) / recent.length));
    drawSpark();
  }
  before = { total, ms };
  setText(incoming.part('total'), `${whole(total)} since the start`);
}

function drawSpark() {
  const canvas = /** @type {HTMLCanvasElement} */ (incoming.tile.querySelector('canvas'));
  const ctx = canvas.getContext('2d');
  if (ctx === null) return;
  const ratio = devicePixelRatio;
  canvas.width = canvas.clientWidth * ratio;
  canvas.height = canvas.clientHeight * ratio;
  const most = Math.max(...rates, 1e-9);
  const step = canvas.width / (RATE_KEPT - 1);
  const from = canvas.width - (rates.length - 1) * step;
  ctx.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue('--accent');
  ctx.lineWidth = 2 * ratio;
  ctx.lineJoin = 'round';
  ctx.beginPath();
  rates.forEach((value, index) => {
    ctx.lineTo(from + index * step, canvas.height - 2 * ratio - (value / most) * (canvas.height - 4 * ratio));
  });
  ctx.stroke();
}

/** Greys the figures while nothing new comes. @param {boolean} stale */
export function setStale(stale) {
  for (const { tile } of [day, hour, incoming]) tile.classList.toggle('stale', stale);
}
