import type { Cycle } from '../../stats/slot-table.ts';
import type { CovariateFields, History } from './history.ts';
import { FAST, LEVEL, NOISE, SHORT, SIZE, SLOT, Y } from './history.ts';

export type FeatureSpec = {
  readonly cycle: Cycle;
  readonly horizon: number;
  /** covariates known ahead, and those known only with their bucket */
  readonly known: number;
  readonly past: number;
};

/**
 * What one series looks like from one origin for one step ahead, in units of its own size, so that all series can
 * share one regression: with level L and size S (moving means of y and |y| at the origin),
 *
 *   - the three latest buckets, a fast mean and the mean of about a short season, each as (value − L)/S;
 *   - the buckets one and more seasons before the target, the moving mean of its slot, the neighbours of the bucket
 *     one season before, and the fast mean that stood when that forecast would have been made;
 *   - the calendar slot: one feature per slot of a short cycle, sine waves where there are two seasons;
 *   - how noisy the series is;
 *   - of each covariate known ahead, in units of its own usual changes: its change since a season before the target,
 *     alone and times what was sold then; its distance from its moving mean at the target and at the origin, times
 *     L/S; and the former times the effect that it has had on this very series. Of a switch (0 or 1) also its values
 *     on the buckets beside the target, unless there are many covariates;
 *   - of each past covariate its distance from its mean at the origin.
 *
 * Everything is held within ±4: a series whose level has come close to zero must not drown the others. What is
 * missing is 0, a seasonal lag that is missing the next shorter one.
 */
export type Features = {
  readonly names: readonly string[];
  /** The features that were built last; the first is 1. */
  readonly x: Float64Array;
  /**
   * Builds x for step `step` after row `origin` of a series; the target lies in calendar slot `slot` under covariates
   * `known[from…]`. Size 0: the series has shown nothing yet.
   */
  build(series: number, origin: number, step: number, slot: number, known: Float64Array, from: number): void;
  /** L and S of what was built, and whether it has a bucket one season back. */
  readonly frame: { level: number; size: number; grown: boolean };
  /** Learns how much a covariate usually changes, from the row that was just written. */
  observe(place: number): void;
  /** A difference of covariate number `covariate` in units of its usual changes, within ±4. */
  inUnits(covariate: number, difference: number): number;
};

const CLIP = 4;
const RECENT = 3;
/** Cycles up to this many slots have a feature per slot. */
const DUMMIES_MAX = 7;
const HARMONICS = 3;
/** With more covariates known ahead, those beside the target are left out. */
const BESIDE_COVARIATES_MAX = 4;
/** Squared usual changes of a covariate that say "no effect" before its own effect on a series is known. */
const EFFECT_PRIOR = 5;

/** Buckets of a series that must be kept for origins within the horizon. */
export function historyLength({ cycle, horizon }: FeatureSpec): number {
  return 2 + horizon + Math.max(RECENT, ...lagsOf(cycle).map((lag) => longest(lag, horizon)));
}

export function createFeatures(spec: FeatureSpec, history: History, fields: CovariateFields): Features {
  const { known, past } = spec;
  const { rows, at, has } = history;
  const { season } = spec.cycle;
  const lags = lagsOf(spec.cycle);
  const waves = wavesOf(spec.cycle);
  const waveTable = tableOf(waves, season);
  const names = namesOf(spec, lags, waves);
  const x = new Float64Array(names.length);
  const frame = { level: 0, size: 0, grown: false };
  // Moving sums of covariates' distances from their means, and how many.
  const spread = new Float64Array(known + past);
  const spreadCount = new Float64Array(known + past);
  const beside = known <= BESIDE_COVARIATES_MAX;
  let inverse = 0;

  const scaled = (value: number): number => clip((value - frame.level) * inverse);
  const inUnits = (covariate: number, difference: number): number =>
    spread[covariate]! > 0 ? clip((difference / spread[covariate]!) * spreadCount[covariate]!) : 0;

  /** Features of all lags; returns where the row one season before the target begins, or −1. */
  function buildLags(series: number, origin: number, step: number, first: number): number {
    let k = first;
    let place = -1;
    let nearest = 0;
    for (const { lag, cycle } of lags) {
      const row = origin + step - (lag >= step ? lag : lag + Math.ceil((step - lag) / cycle) * cycle);
      const seen = has(series, row);
      if (seen) nearest = scaled(rows[at(series, row) + Y]!);
      x[k++] = nearest;
      if (lag !== season) continue;
      x[k++] = seen ? scaled(rows[at(series, row) + SLOT]!) : 0;
      if (seen) place = at(series, row);
      const before = has(series, row - 1) ? scaled(rows[at(series, row - 1) + Y]!) : nearest;
      const after = row < origin && has(series, row + 1) ? scaled(rows[at(series, row + 1) + Y]!) : nearest;
      x[k++] = (before + after) / 2;
      x[k++] = has(series, row - step) ? scaled(rows[at(series, row - step) + FAST]!) : 0;
    }
    return place;
  }

  function buildCalendar(slot: number, first: number): number {
    let k = first;
    if (season <= DUMMIES_MAX) {
      for (let i = 1; i < season; i++) x[k++] = slot === i ? 1 : 0;
      return k;
    }
    for (let i = 0; i < 2 * waves.length; i++) x[k++] = waveTable[slot * 2 * waves.length + i]!;
    return k;
  }

  /** What one series' buckets around the target are like: places of rows, −1 where there is none. */
  type Around = { readonly origin: number; readonly lagged: number; readonly before: number };

  function buildCovariates(around: Around, ahead: Float64Array, from: number, first: number): void {
    const { origin, lagged, before } = around;
    const { value, mean, effect, squares } = fields;
    let k = first;
    const height = clip(frame.level * inverse);
    const soldThen = lagged >= 0 ? clip(rows[lagged + Y]! * inverse) : height;
    for (let c = 0; c < known; c++) {
      const usual = rows[origin + mean + c]!;
      const then = lagged >= 0 ? rows[lagged + value + c]! : usual;
      const change = inUnits(c, ahead[from + c]! - then);
      const distance = inUnits(c, ahead[from + c]! - usual);
      const own = rows[origin + effect + c]! / (rows[origin + squares + c]! + EFFECT_PRIOR);
      x[k++] = change * soldThen;
      x[k++] = change;
      x[k++] = distance * height;
      x[k++] = inUnits(c, rows[origin + value + c]! - usual) * height;
      x[k++] = clip(distance * own);
      if (!beside) continue;
      x[k++] =
        ofSwitch(c, before >= 0 ? rows[before + value + c]! : ahead[from - known + c]!, usual) * height;
      x[k++] = ofSwitch(c, ahead[from + known + c], usual) * height;
    }
    for (let c = known; c < known + past; c++) {
      x[k++] = inUnits(c, rows[origin + value + c]! - rows[origin + mean + c]!) * height;
    }
  }

  function ofSwitch(covariate: number, value: number | undefined, usual: number): number {
    return value === 0 || value === 1 ? inUnits(covariate, value - usual) : 0;
  }

  return {
    names,
    x,
    frame,
    build(series, origin, step, slot, ahead, from) {
      const place = at(series, origin);
      frame.level = rows[place + LEVEL]!;
      frame.size = rows[place + SIZE]!;
      inverse = frame.size > 0 ? 1 / frame.size : 0;
      let k = 0;
      x[k++] = 1;
      for (let i = 0; i < RECENT; i++) {
        x[k++] = has(series, origin - i) ? scaled(rows[at(series, origin - i) + Y]!) : 0;
      }
      x[k++] = scaled(rows[place + FAST]!);
      x[k++] = scaled(rows[place + SHORT]!);
      x[k++] = clip(rows[place + NOISE]! * inverse);
      const lagged = buildLags(series, origin, step, k);
      frame.grown = lagged >= 0;
      k += lags.length === 0 ? 0 : lags.length + 3;
      k = buildCalendar(slot, k);
      const before = has(series, origin + step - 1) ? at(series, origin + step - 1) : -1;
      buildCovariates({ origin: place, lagged, before }, ahead, from, k);
    },
    observe(place) {
      for (let c = 0; c < known + past; c++) {
        const distance = Math.abs(rows[place + fields.value + c]! - rows[place + fields.mean + c]!);
        if (Number.isNaN(distance)) continue;
        spread[c]! += distance;
        spreadCount[c]! += 1;
      }
    },
    inUnits,
  };
}

/** A lag, and the cycle by which it is lengthened where it would lie after the origin. */
type Lag = { readonly lag: number; readonly cycle: number };
type Wave = { readonly cycle: number; readonly harmonic: number };

/** Four seasonal lags; two where a season is a year, as more are seldom there. */
function lagsOf({ season, shortSeason }: Cycle): readonly Lag[] {
  if (season === 1) return [];
  const ofSeason = (times: number): Lag => ({ lag: times * season, cycle: season });
  if (season === shortSeason) return (season > 31 ? [1, 2] : [1, 2, 3, 4]).map(ofSeason);
  const ofShort = [1, 2].map((times) => ({ lag: times * shortSeason, cycle: shortSeason }));
  return [...ofShort, ofSeason(1), ofSeason(2)];
}

function longest({ lag, cycle }: Lag, horizon: number): number {
  return lag >= horizon ? lag : lag + Math.ceil((horizon - lag) / cycle) * cycle;
}

function wavesOf({ season, shortSeason }: Cycle): readonly Wave[] {
  if (season === shortSeason) return [];
  const of = (cycle: number): Wave[] =>
    Array.from({ length: HARMONICS }, (_, i) => ({ cycle, harmonic: i + 1 }));
  return [...of(shortSeason), ...of(season)];
}

/** Sine and cosine of every wave, a row per slot. */
function tableOf(waves: readonly Wave[], season: number): Float64Array {
  const angles = Array.from({ length: season }, (_, slot) =>
    waves.map(({ cycle, harmonic }) => (2 * Math.PI * harmonic * (slot % cycle)) / cycle),
  );
  return Float64Array.from(angles.flat().flatMap((angle) => [Math.sin(angle), Math.cos(angle)]));
}

function namesOf(
  { cycle, known, past }: FeatureSpec,
  lags: readonly Lag[],
  waves: readonly Wave[],
): string[] {
  const { season } = cycle;
  return [
    'intercept',
    ...Array.from({ length: RECENT }, (_, i) => `latest ${i + 1}`),
    'fast mean',
    'short mean',
    'noise',
    ...lags.flatMap(({ lag }) =>
      lag === season
        ? [`lag ${lag}`, 'slot mean', `around lag ${lag}`, `fast mean at lag ${lag}`]
        : [`lag ${lag}`],
    ),
    ...(season <= DUMMIES_MAX
      ? Array.from({ length: season - 1 }, (_, i) => `slot ${i + 1}`)
      : waves.flatMap(({ cycle: length, harmonic }) =>
          ['sin', 'cos'].map((wave) => `${wave} ${harmonic}/${length}`),
        )),
    ...Array.from({ length: known }, (_, c) => [
      `known ${c}: change × sold`,
      `known ${c}: change`,
      `known ${c}: ahead`,
      `known ${c}: now`,
      `known ${c}: ahead × own effect`,
      ...(known <= BESIDE_COVARIATES_MAX ? [`known ${c}: before`, `known ${c}: after`] : []),
    ]).flat(),
    ...Array.from({ length: past }, (_, c) => `past ${c}`),
  ];
}

/** NaN, which stands for missing, becomes 0. */
function clip(value: number): number {
  if (value > CLIP) return CLIP;
  if (value < -CLIP) return -CLIP;
  return Number.isNaN(value) ? 0 : value;
}
