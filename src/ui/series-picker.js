// @ts-check
/** Chooses a series: hours or days, revenue or units, and the whole chain or a part of it, found by typing. */
import { api } from './api.js';
import { byId, el, toast } from './dom.js';
import { nodeName } from './format.js';

/** @typedef {import('./types.d.ts').Granularity} Granularity */
/** @typedef {import('./types.d.ts').Measure} Measure */
/** @typedef {import('./types.d.ts').Series} Series */
/** @typedef {{ granularity: Granularity, measure: Measure, node: string }} Choice `node`: the name after the measure */

const LEVEL_WORDS = /** @type {Record<string, string>} */ ({
  total: 'chain',
  store: 'store',
  category: 'category',
  'store-category': 'category in a store',
  product: 'product',
  'store-product': 'product in a store',
});
const TYPING_MS = 150;

/** @param {Choice} choice */
export function seriesName({ granularity, measure, node }) {
  return `${granularity}/${measure}/${node}`;
}

/** @param {{ initial: Choice, onChange: (choice: Choice) => void }} options */
export function createSeriesPicker({ initial, onChange }) {
  /** @type {HTMLInputElement} */
  const input = byId('node');
  const list = byId('node-list');
  let choice = initial;
  /** @type {Series[]} */
  let found = [];
  let active = -1;
  let typing = 0;

  /** @param {Partial<Choice>} change @param {string} [label] */
  const choose = (change, label) => {
    choice = { ...choice, ...change };
    if (label !== undefined) input.value = label;
    showPressed();
    close();
    onChange(choice);
  };

  const showPressed = () => {
    for (const name of /** @type {const} */ (['granularity', 'measure']))
      for (const button of byId(name).querySelectorAll('button'))
        button.setAttribute('aria-pressed', String(button.dataset['value'] === choice[name]));
  };
  for (const name of /** @type {const} */ (['granularity', 'measure']))
    byId(name).addEventListener('click', ({ target }) => {
      const value = target instanceof HTMLButtonElement ? target.dataset['value'] : undefined;
      if (value !== undefined) choose({ [name]: value });
    });

  const close = () => {
    list.hidden = true;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  };

  /** @param {number} index */
  const highlight = (index) => {
    active = index;
    [...list.children].forEach((item, each) => item.setAttribute('aria-selected', String(each === index)));
    const item = list.children[index];
    if (item === undefined) return;
    item.scrollIntoView({ block: 'nearest' });
    input.setAttribute('aria-activedescendant', item.id);
  };

  const open = () => {
    list.replaceChildren(
      ...found.map((series, index) => {
        const item = el(
          'li',
          { role: 'option', id: `node-${index}` },
          el('span', {}, nodeName(series)),
          el('small', {}, LEVEL_WORDS[series.level] ?? series.level),
        );
        // Before the field loses the focus.
        item.addEventListener('mousedown', (event) => {
          event.preventDefault();
          pick(index);
        });
        return item;
      }),
    );
    if (found.length === 0) list.append(el('li', { class: 'none' }, 'Nothing by that name'));
    list.hidden = false;
    input.setAttribute('aria-expanded', 'true');
    highlight(found.length > 0 ? 0 : -1);
  };

  /** @param {number} index */
  const pick = (index) => {
    const series = found[index];
    if (series !== undefined) choose({ node: nodeOf(series.series) }, nodeName(series));
  };

  /** @param {string} words */
  const search = async (words) => {
    const { granularity, measure } = choice;
    const query = new URLSearchParams({ granularity, measure, limit: '60' });
    if (words !== '') query.set('q', searchWords(words));
    try {
      const { items } = await api(`/series?${query}`);
      found = /** @type {Series[]} */ (items).sort((a, b) => depth(a) - depth(b));
      if (document.activeElement === input) open();
    } catch (error) {
      toast(/** @type {Error} */ (error).message);
    }
  };

  // What is there is shown as it was, and everything is offered until something is typed.
  input.addEventListener('focus', () => {
    input.select();
    void search('');
  });
  input.addEventListener('input', () => {
    clearTimeout(typing);
    typing = window.setTimeout(() => void search(input.value.trim()), TYPING_MS);
  });
  input.addEventListener('blur', () => {
    close();
    input.value = label(choice.node);
  });
  input.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (list.hidden) open();
      else highlight(Math.max(0, Math.min(found.length - 1, active + (event.key === 'ArrowDown' ? 1 : -1))));
    } else if (event.key === 'Enter' && !list.hidden) {
      event.preventDefault();
      pick(active);
    } else if (event.key === 'Escape') close();
  });

  input.value = label(choice.node);
  showPressed();
  return {
    /** @param {string} node */
    chooseNode(node) {
      choose({ node }, label(node));
    },
  };
}

/** `total`, `store=406/category=BREAD`. @param {string} series */
function nodeOf(series) {
  return series.split('/').slice(2).join('/');
}

/** @param {string} node */
function label(node) {
  /** @type {Record<string, string>} */
  const keys = {};
  for (const part of node.split('/')) {
    const at = part.indexOf('=');
    if (at > 0) keys[part.slice(0, at)] = decodeURIComponent(part.slice(at + 1));
  }
  return nodeName(keys);
}

/** "Store 406" is `store=406` in a name. @param {string} text */
function searchWords(text) {
  return text.replace(/[,:]/g, ' ').replace(/\b(store|product)\s+(?=\S)/gi, '$1=');
}

/** The wide before the narrow. @param {Series} series */
function depth({ level }) {
  return Object.keys(LEVEL_WORDS).indexOf(level);
}
