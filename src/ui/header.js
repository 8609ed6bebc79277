// @ts-check
/** The head of the page: what is playing, the shops' clock, the connection, and what stands in the way. */
import { byId, el, setText } from './dom.js';
import { clock, setChain } from './format.js';

/** @typedef {import('./types.d.ts').Status} Status */

let playing = '';

/** @param {Status} status */
export function showStatus(status) {
  setChain(status);
  setText(byId('clock'), clock(status.now));
  setText(byId('version'), `${status.name} ${status.version}`);
  showPlaying(status.demo);
  showWarmStart(status.warm_start);
  const failed = status.roles.find(({ last_error: error }) => error !== null);
  if (failed !== undefined) showBanner(`${failed.last_error}`);
  else if (status.series === 0 && status.warm_start === null)
    showBanner(
      'No sales yet. Forecasts begin with the first ones: send tickets to POST /api/v1/transactions, or load history with “foretill import”.',
    );
  else showBanner('');
}

/** @param {Status['demo']} demo */
function showPlaying(demo) {
  const progress = demo?.progress ?? null;
  const key = demo === null ? 'live' : `${demo.label} ${progress === null ? '' : Math.floor(progress * 100)}`;
  if (key === playing) return;
  playing = key;
  if (demo === null) return setText(byId('playing'), 'Sales forecasts, as they change');
  const badge = demo.simulated
    ? el('span', { class: 'badge' }, 'Simulated data')
    : el('span', { class: 'badge real' }, 'Real till lines');
  const text = demo.label.replace(/^Real till lines:\s*/, '');
  const done = progress === null ? '' : ` · ${Math.floor(progress * 100)}% played`;
  byId('playing').replaceChildren(badge, `${text}${done}`);
  byId('playing').title = demo.label;
}

/** @param {Status['warm_start']} warm */
function showWarmStart(warm) {
  byId('warm').hidden = warm === null;
  if (warm === null) return;
  /** @type {HTMLProgressElement} */
  const bar = byId('warm-bar');
  bar.value = warm.total === 0 ? 0 : warm.done / warm.total;
  setText(byId('warm-text'), `${Math.floor(100 * bar.value)}%, ${warm.what}`);
}

/** @param {string} text */
function showBanner(text) {
  const banner = byId('banner');
  banner.hidden = text === '';
  setText(banner, text);
}

/** @param {'connecting' | 'live' | 'lost'} state */
export function showConnection(state) {
  const words = { connecting: 'Connecting', live: 'Live', lost: 'Connection lost, trying again…' };
  const link = byId('link');
  link.dataset['state'] = state;
  setText(link, words[state]);
}
