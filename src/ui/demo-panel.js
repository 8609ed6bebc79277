// @ts-check
/** A demonstration's controls: its speed and, in a simulated chain, what the viewer may bring about. */
import { api } from './api.js';
import { byId, el, toast } from './dom.js';

/** @typedef {import('./types.d.ts').Demo} Demo */
/** @typedef {import('./types.d.ts').ActiveEvent} ActiveEvent */
/** @typedef {import('./types.d.ts').EventParameter} EventParameter */
/** @typedef {{ stores: string[], categories: string[] }} Names */

/** Fetches what there is to control, once. @param {Names} names */
export async function showDemo(names) {
  const demo = /** @type {Demo} */ (await api('/demo'));
  showSpeeds(demo);
  const isEmpty = demo.injectable.length === 0;
  byId('demo').hidden = isEmpty;
  if (!isEmpty)
    byId('demo-events').replaceChildren(...demo.injectable.map((event) => eventForm(event, names)));
}

/** @param {Demo} demo */
function showSpeeds({ speeds, speed }) {
  /** @type {HTMLSelectElement} */
  const select = byId('speed');
  byId('speed-field').hidden = speeds.length === 0;
  select.replaceChildren(...speeds.map((each) => el('option', { value: String(each) }, `${each}×`)));
  select.value = String(speed);
}

/** @param {Demo['injectable'][number]} event @param {Names} names */
function eventForm({ kind, label, description, parameters }, names) {
  const button = el('button', { type: 'submit', class: 'primary' }, 'Start');
  const form = el(
    'form',
    { 'aria-label': label },
    el('strong', {}, label),
    el('span', { class: 'quiet' }, description),
    ...parameters.map((parameter) => parameterField(parameter, names)),
    button,
  );
  form.addEventListener('submit', (submit) => {
    submit.preventDefault();
    button.disabled = true;
    const values = Object.fromEntries(
      parameters.map(({ name, kind }) => {
        const text = /** @type {string} */ (new FormData(form).get(name));
        return [name, kind === 'number' ? Number(text) : text];
      }),
    );
    // What is left at "all" is not sent.
    const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));
    void attempt(async () => {
      const started = await api('/demo/events', { method: 'POST', body: { kind, parameters: given } });
      toast(`Started: ${started.label}`);
    }).finally(() => {
      button.disabled = false;
    });
  });
  return form;
}

/** @param {EventParameter} parameter @param {Names} names */
function parameterField({ name, label, kind, min, max, unit, initial, required = false }, names) {
  if (kind === 'number') {
    const limits = {
      ...(min === undefined ? {} : { min: String(min) }),
      ...(max === undefined ? {} : { max: String(max) }),
    };
    const input = el('input', {
      type: 'number',
      name,
      step: 'any',
      required: true,
      value: String(initial ?? ''),
      ...limits,
    });
    return el('label', {}, unit === undefined ? label : `${label} (${unit})`, input);
  }
  const values = kind === 'store' ? names.stores : names.categories;
  const options = values.map((value) => el('option', { value }, value));
  const select = el(
    'select',
    { name },
    ...(required ? [] : [el('option', { value: '' }, 'All')]),
    ...options,
  );
  if (initial !== undefined) select.value = String(initial);
  return el('label', {}, label, select);
}

byId('speed').addEventListener('change', ({ target }) => {
  const { value } = /** @type {HTMLSelectElement} */ (target);
  void attempt(async () => {
    await api('/demo/speed', { method: 'PUT', body: { speed: Number(value) } });
    toast(value === '1' ? 'Now in real time' : `Now ${value} times as fast as real time`);
  });
});

let shownActive = '';

/** @param {ActiveEvent[]} events */
export function showActive(events) {
  const key = events.map(({ id }) => id).join();
  if (key === shownActive) return;
  shownActive = key;
  byId('demo-active').replaceChildren(
    ...events.map(({ id, label }) => {
      const stop = el('button', { type: 'button', 'aria-label': `Stop ${label}` }, 'Stop');
      stop.addEventListener('click', () => {
        stop.disabled = true;
        void attempt(async () => {
          await api(`/demo/events/${encodeURIComponent(id)}`, { method: 'DELETE' });
          toast(`Stopped: ${label}`);
        });
      });
      return el('li', {}, label, stop);
    }),
  );
}

/** @param {() => Promise<void>} action */
async function attempt(action) {
  try {
    await action();
  } catch (error) {
    toast(/** @type {Error} */ (error).message);
  }
}
