// @ts-check
/** Every store: sold so far today, expected by close, and against what was forecast before the day began. */
import { byId, el, setText } from './dom.js';
import { amount, signedPercent } from './format.js';
import { showGauge } from './tiles.js';

/** @typedef {import('./types.d.ts').Forecast} Forecast */
/** @typedef {import('./types.d.ts').Nowcast} Nowcast */

/** @param {(store: string) => void} onChoose */
export function createStoreTable(onChoose) {
  const body = /** @type {HTMLElement} */ (byId('stores').querySelector('tbody'));
  /** @type {Map<string, HTMLTableRowElement>} */
  const rows = new Map();

  /** @param {string} store */
  const rowOf = (store) => {
    const known = rows.get(store);
    if (known !== undefined) return known;
    const button = el('button', { type: 'button' }, store);
    button.addEventListener('click', () => onChoose(store));
    const gauge = el(
      'div',
      { class: 'gauge' },
      el('i', { class: 'range' }),
      el('i', { class: 'filled' }),
      el('i', { class: 'mark' }),
    );
    const row = el(
      'tr',
      {},
      el('td', {}, button),
      el('td', { class: 'num' }),
      el('td', { class: 'wide' }, gauge),
      el('td', { class: 'num' }),
      el('td', { class: 'num wide quiet' }),
      el('td', { class: 'num' }),
    );
    rows.set(store, row);
    const after = [...rows.keys()].sort(byNumber).indexOf(store);
    body.insertBefore(row, body.children[after] ?? null);
    byId('stores-empty').hidden = true;
    return row;
  };

  return {
    /**
     * @param {{ store: string, forecast: Forecast | null, nowcast: Nowcast | null }[]} stores
     * @param {string | undefined} chosen
     */
    show(stores, chosen) {
      const scale = Math.max(1e-9, ...stores.map(({ nowcast }) => upperOf(nowcast))) * 1.02;
      for (const { store, forecast, nowcast } of stores) {
        const row = rowOf(store);
        row.dataset['chosen'] = String(store === chosen);
        if (nowcast !== null) fill(row, nowcast, forecast, scale);
      }
    },
  };
}

/** @param {HTMLTableRowElement} row @param {Nowcast} nowcast @param {Forecast | null} forecast @param {number} scale */
function fill(row, nowcast, forecast, scale) {
  const { measure, sold, mean, probabilities, quantiles } = nowcast;
  const [, soldCell, gaugeCell, meanCell, rangeCell, againstCell] = [...row.cells];
  const low = quantiles[probabilities.indexOf(0.1)] ?? mean;
  const high = quantiles[probabilities.indexOf(0.9)] ?? mean;
  setText(soldCell ?? null, amount(measure, sold));
  showGauge(/** @type {HTMLElement} */ (gaugeCell?.firstElementChild), { sold, mean, low, high, scale });
  setText(meanCell ?? null, amount(measure, mean));
  setText(rangeCell ?? null, `${amount(measure, low)} – ${amount(measure, high)}`);
  const place = forecast === null ? -1 : forecast.buckets.indexOf(nowcast.bucket);
  const planned = forecast?.mean[place];
  if (againstCell === undefined) return;
  if (planned === undefined || planned <= 0) return setText(againstCell, '–');
  const difference = mean / planned - 1;
  setText(againstCell, Math.abs(difference) < 0.005 ? 'as forecast' : signedPercent(difference));
  againstCell.className = `num ${difference > 0.02 ? 'up' : difference < -0.02 ? 'down' : ''}`;
}

/** @param {Nowcast | null} nowcast */
function upperOf(nowcast) {
  return nowcast === null ? 0 : (nowcast.quantiles[nowcast.probabilities.indexOf(0.9)] ?? nowcast.mean);
}

/** Stores by number where they have one. @param {string} a @param {string} b */
function byNumber(a, b) {
  return a.localeCompare(b, undefined, { numeric: true });
}
