// @ts-check
/** The few things this page does with the document. Text is only ever set as text: names come from tills. */

/**
 * The element with this id, which the page has.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return /** @type {T} */ (element);
}

/**
 * A new element.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | boolean>} attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, '');
    else if (value !== false) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/**
 * Sets the text where it differs, so that what did not change is not drawn again.
 * @param {Element | null} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element !== null && element.textContent !== text) element.textContent = text;
}

/**
 * A sentence that goes away by itself.
 * @param {string} text
 */
export function toast(text) {
  const line = el('p', {}, text);
  document.getElementById('toasts')?.append(line);
  setTimeout(() => line.remove(), 6_000);
}
