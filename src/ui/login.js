// @ts-check
/** Says so when the token was wrong. */
const wrong = /** @type {HTMLElement} */ (document.getElementById('wrong'));
wrong.hidden = location.search !== '?wrong';
