import type { Layout } from '../stats/layout.ts';
import type { Slab } from '../stats/slab.ts';
import { createAdwin } from '../stats/adwin.ts';
import { createPageHinkley, pageHinkleyThreshold } from '../stats/page-hinkley.ts';
import { createStandardiser } from '../stats/standardiser.ts';
import type { Grain } from './bands.ts';
import { COUNT } from './model.ts';

/** A series that has left its usual course. Counts are of buckets learned by the series. */
export type DriftReading = {
  /** the last bucket learned when it was found */
  readonly foundCount: number;
  /** the last bucket learned before it began, as far as can be told */
  readonly sinceCount: number;
  /** what was found: sales off their usual level, forecasts that lean to one side, or errors that have grown */
  readonly kind: 'level' | 'bias' | 'spread';
  readonly direction: 'up' | 'down' | null;
  /** when it was found: sales since over their usual sum (level) or what was forecast (else), less 1; NaN over nothing */
  readonly size: number;
  /** Σ|y − ŷ| / Σ|y| of forecasts for the next bucket: usually, and since it began */
  readonly errorBefore: number;
  readonly errorAfter: number;
};

/** Finds changes in the course of a series from its one-step forecasts. */
export type Drift = {
  init(slab: Slab, at: number): void;
  /** Learns a bucket `y` of a calendar slot, forecast as `mean` with standard error `scale`. */
  learn(slab: Slab, at: number, slot: number, y: number, mean: number, scale: number): void;
  /** Buckets learned when the present drift was found; 0: there is none. */
  found(slab: Slab, at: number): number;
  read(slab: Slab, at: number): DriftReading | null;
  /** How many times as fast as usual gains may be: 1, and from 4 down to 1 in the season after a drift was found. */
  agility(slab: Slab, at: number): number;
};

export type DriftSite = {
  readonly granularity: Grain;
  readonly season: number;
  readonly shortSeason: number;
};

/** Each Page-Hinkley test gives one false alarm in this many epochs of independent errors: three years of days. */
const RUN_LENGTH = 3 * 365;
/** Epochs before anything is looked for: what models learn first is no drift. */
const WARM_EPOCHS = 28;
/** Usual means and spreads are over some four months of days. */
const MEMORY = 112;
const LEVEL_GAIN = 1 / 8;
/** A season of more epochs than this has one usual level and not one for each. */
const LEVELS_MAX = 7;
const HOLD_MIN = 7;
/** Changes by less than this part of the level are noise, however exact the forecasts. */
const NOISE_SHARE = 0.05;
/** An epoch goes on until its usual sales are this many standard errors: few sales tell little, and leaning numbers. */
const SIGNAL_MIN = 2;
/** …but for no more than so many days: it is then dropped. */
const EPOCH_SLOTS_MAX = 56;
const REACH = 3;
/** Of ADWIN: its bound is far from being reached as often. */
const DELTA = 0.01;
/** Beyond this suspicion (part of the threshold) what is usual is not learned. */
const SUSPICIOUS = 0.5;
const AGILITY = 4;
const FACTOR_MAX = 10;

/** Bounds that keep packed singles finite: no epoch is this many standard errors off. */
const FAR = 1e6;

const KINDS = ['level', 'bias', 'spread'] as const;

/** Of the epoch under way and, with more, of the stretch that the tests lean one way in. */
const [ERROR, ABS, SALES, SIZE, BUCKETS, USUAL, SQUARE, TODAY] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const SHARED_FIELDS = 6;
const EPOCH_FIELDS = 8;
const [EPOCHS, PULL, LEAN] = [6, 7, 8] as const;
const STRETCH_FIELDS = 9;
const [FOUND, KIND, DIRECTION, SHIFT, LEFT, USUAL_ABS, USUAL_SIZE] = [0, 1, 2, 3, 4, 5, 6] as const;
const STATUS_FIELDS = 7;

/**
 * Looks at a series once an epoch: a bucket where buckets are days or weeks, a short season (a day) where they are
 * hours or less, so that what belongs to the time of day is not taken for a change; where few are sold as many of these
 * as make usual sales of two standard errors. With e the sum of the epoch's one-step errors, v that of their squared
 * standard errors, Y its sales and U its usual sales (an exponentially weighted mean per day of the week, gain 1/8):
 *
 *     n² = v + (0.05·U)²     bias: u = e/n     level: d = (Y − U)/n     spread: r = Σ|y − ŷ| / (w·U)
 *
 * where w is the usual Σ|y − ŷ|/Σ|y|. d is standardised by its own long-run mean and spread, u by that spread. Page-
 * Hinkley watches d and u, ADWIN whether r has risen. Good
 * forecasts follow a shift within days, so that their errors alone give it away only in part: hence d, which does not
 * forget for a season. But sales that leave their level as forecast (a promotion known ahead) are no drift: an alarm of d
 * counts only where the errors since it began lean the same way, by one standard error of their sum.
 *
 * Found, a drift holds for a season (a week of days; seven weeks where buckets are weeks); the usual level is moved to
 * the new one, and then it looks again. While a change is suspected what is usual is not learned.
 *
 * Limits: a shift by s standard errors of an epoch is found after some 6/(s − 0.5) epochs, so within a week from
 * s = 1.5 on; nothing is looked for in the first 28 epochs; other sales at the same hours of the day in the same sum
 * are not seen; a level that wanders by itself is found to drift as often as it does. tests/models/drift.test.ts has the
 * delays and false alarms by kind of noise.
 */
export function createDrift(layout: Layout, { granularity, season, shortSeason }: DriftSite): Drift {
  const epoch = granularity === 'hour' || granularity === '15min' ? shortSeason : 1;
  const levels = season / epoch <= LEVELS_MAX ? season / epoch : 1;
  const hold = Math.max(levels, HOLD_MIN);
  const threshold = pageHinkleyThreshold(RUN_LENGTH);
  const sums = 2 * layout.takeSingles(`drift(${epoch},${NOISE_SHARE},${WARM_EPOCHS}).epoch`, EPOCH_FIELDS);
  const stretch = 2 * layout.takeSingles('drift.stretch', STRETCH_FIELDS);
  const status = 2 * layout.takeSingles(`drift.status(${hold},${AGILITY})`, STATUS_FIELDS);
  const usual = 2 * layout.takeSingles(`drift.levels(${LEVEL_GAIN})`, levels);
  const standard = createStandardiser(layout, MEMORY);
  const level = createPageHinkley(layout, 'level', threshold);
  const bias = createPageHinkley(layout, 'bias', threshold);
  const spread = createAdwin(layout, DELTA);

  /** At the end of a day, week or whatever has a usual level: does it suffice for an epoch? */
  function closeSlot(slab: Slab, at: number, slot: number): void {
    const { f32 } = slab;
    const now = 2 * at + sums;
    const place = 2 * at + usual + (levels === 1 ? 0 : Math.floor(slot / epoch));
    const sales = f32[now + TODAY]!;
    f32[now + TODAY] = 0;
    const reference = Number.isNaN(f32[place]!) ? sales : f32[place]!;
    f32[now + USUAL]! += reference;
    const noise = Math.sqrt(f32[now + SQUARE]! + (NOISE_SHARE * f32[now + USUAL]!) ** 2);
    const reach = noise > 0 ? REACH * standard.spread(slab, at) * noise : Infinity;
    const visits = 2 + Math.floor(standard.count(slab, at) / levels);
    f32[place] = reference + Math.max(LEVEL_GAIN, 1 / visits) * within(sales - reference, reach);
    goOn(f32, at);
    const enough = noise > 0 && Math.abs(f32[now + USUAL]!) >= SIGNAL_MIN * noise;
    if (enough) closeEpoch(slab, at, noise);
    if (enough || f32[now + BUCKETS]! >= EPOCH_SLOTS_MAX * epoch) f32.fill(0, now, now + EPOCH_FIELDS);
  }

  function closeEpoch(slab: Slab, at: number, noise: number): void {
    const { f32 } = slab;
    const now = 2 * at + sums;
    const off = within((f32[now + SALES]! - f32[now + USUAL]!) / noise, FAR);
    const pull = within(f32[now + ERROR]! / (noise * standard.spread(slab, at)), REACH);
    const held = f32[2 * at + status + LEFT]! > 0;
    if (held) add(f32, at, pull);
    else if (standard.count(slab, at) >= WARM_EPOCHS) watch(slab, at, off, pull);
    if (held || Math.abs(suspicion(slab, at)) <= SUSPICIOUS) learnUsual(slab, at, off);
  }

  const suspicion = (slab: Slab, at: number): number => {
    const byLevel = level.suspicion(slab, at);
    const byBias = bias.suspicion(slab, at);
    return Math.abs(byLevel) >= Math.abs(byBias) ? byLevel : byBias;
  };

  function learnUsual(slab: Slab, at: number, off: number): void {
    const { f32 } = slab;
    const gain = Math.max(1 / (1 + standard.count(slab, at)), 1 / MEMORY);
    standard.learn(slab, at, off);
    const state = 2 * at + status;
    f32[state + USUAL_ABS]! += gain * (f32[2 * at + sums + ABS]! - f32[state + USUAL_ABS]!);
    f32[state + USUAL_SIZE]! += gain * (f32[2 * at + sums + SIZE]! - f32[state + USUAL_SIZE]!);
  }

  function watch(slab: Slab, at: number, off: number, pull: number): void {
    const byLevel = level.learn(slab, at, standard.standardise(slab, at, off));
    const byBias = bias.learn(slab, at, pull);
    const { f32 } = slab;
    // Errors grow with any shift: whether they have grown by themselves is asked where none is suspected.
    const calm = Math.abs(suspicion(slab, at)) <= SUSPICIOUS;
    const rise = calm ? spread.learn(slab, at, errorRatio(f32, at)) : 0;
    const from = 2 * at + stretch;
    const lean = Math.sign(suspicion(slab, at));
    if (lean !== f32[from + LEAN]!) f32.fill(0, from, from + STRETCH_FIELDS);
    f32[from + LEAN] = lean;
    if (lean !== 0) add(f32, at, pull);
    const missed = byLevel * f32[from + PULL]! >= Math.sqrt(f32[from + EPOCHS]!);
    if (byLevel !== 0 && missed) find(slab, at, 'level', byLevel);
    else if (byBias !== 0) find(slab, at, 'bias', byBias);
    else if (rise > 0) {
      estimateStretch(slab, at, rise);
      find(slab, at, 'spread', 0);
    }
    // Sales have moved as they were forecast to.
    else if (byLevel !== 0) level.init(slab, at);
  }

  /** The epoch's absolute errors over what they would usually have been at its usual sales. */
  function errorRatio(f32: Float32Array, at: number): number {
    const state = 2 * at + status;
    const now = 2 * at + sums;
    const sold = Math.abs(f32[now + USUAL]!);
    const usual = (sold * f32[state + USUAL_ABS]!) / f32[state + USUAL_SIZE]!;
    const expected = Math.max(usual, NOISE_SHARE * sold);
    return expected > 0 ? Math.min(REACH, f32[now + ABS]! / expected) : 1;
  }

  /** Adds the epoch to the stretch. */
  function add(f32: Float32Array, at: number, pull: number): void {
    const from = 2 * at + stretch;
    const now = 2 * at + sums;
    for (let i = 0; i < SHARED_FIELDS; i++) f32[from + i]! += f32[now + i]!;
    f32[from + EPOCHS]! += 1;
    f32[from + PULL]! += pull;
  }

  function find(slab: Slab, at: number, kind: (typeof KINDS)[number], direction: number): void {
    const { f32 } = slab;
    const state = 2 * at + status;
    const from = 2 * at + stretch;
    f32[state + FOUND] = slab.f64[at + COUNT]! + 1;
    f32[state + KIND] = KINDS.indexOf(kind);
    f32[state + DIRECTION] = direction;
    const sales = f32[from + SALES]!;
    const expected = kind === 'level' ? f32[from + USUAL]! : sales - f32[from + ERROR]!;
    f32[state + SHIFT] = expected > 0 ? sales / expected - 1 : Number.NaN;
    f32[state + LEFT] = hold;
    if (kind === 'level') moveLevels(f32, at, f32[state + SHIFT]!);
    standard.settle(slab, at);
    level.init(slab, at);
    bias.init(slab, at);
    spread.init(slab, at);
  }

  /** What has been found is over after a season. */
  function goOn(f32: Float32Array, at: number): void {
    const state = 2 * at + status;
    if (f32[state + LEFT] === 0) return;
    f32[state + LEFT]! -= 1;
    if (f32[state + LEFT]! > 0) return;
    f32[state + FOUND] = 0;
    f32.fill(0, 2 * at + stretch, 2 * at + stretch + STRETCH_FIELDS);
  }

  /** What is left in ADWIN's window is what came since; its errors are as much larger as the window's mean is. */
  function estimateStretch(slab: Slab, at: number, rise: number): void {
    const { f32 } = slab;
    const from = 2 * at + stretch;
    const epochs = spread.width(slab, at);
    const grown = spread.mean(slab, at) / Math.max(spread.mean(slab, at) - rise, 1 / FAR);
    f32.fill(0, from, from + STRETCH_FIELDS);
    f32[from + EPOCHS] = epochs;
    f32[from + BUCKETS] = epochs * f32[2 * at + sums + BUCKETS]!;
    f32[from + SIZE] = epochs * f32[2 * at + status + USUAL_SIZE]!;
    f32[from + ABS] = grown * epochs * f32[2 * at + status + USUAL_ABS]!;
  }

  function moveLevels(f32: Float32Array, at: number, shift: number): void {
    if (!(shift >= -1)) return;
    const factor = Math.min(FACTOR_MAX, Math.max(1 / FACTOR_MAX, 1 + shift));
    for (let i = 0; i < levels; i++) f32[2 * at + usual + i]! *= factor;
  }

  return {
    init(slab, at) {
      const { f32 } = slab;
      f32.fill(0, 2 * at + sums, 2 * at + sums + EPOCH_FIELDS);
      f32.fill(0, 2 * at + stretch, 2 * at + stretch + STRETCH_FIELDS);
      f32.fill(0, 2 * at + status, 2 * at + status + STATUS_FIELDS);
      f32.fill(Number.NaN, 2 * at + usual, 2 * at + usual + levels);
      standard.init(slab, at);
      level.init(slab, at);
      bias.init(slab, at);
      spread.init(slab, at);
    },
    learn(slab, at, slot, y, mean, scale) {
      const { f32 } = slab;
      const now = 2 * at + sums;
      f32[now + ERROR]! += y - mean;
      f32[now + ABS]! += Math.abs(y - mean);
      f32[now + SALES]! += y;
      f32[now + SIZE]! += Math.abs(y);
      f32[now + BUCKETS]! += 1;
      f32[now + SQUARE]! += scale * scale;
      f32[now + TODAY]! += y;
      if ((slot + 1) % epoch === 0) closeSlot(slab, at, slot);
    },
    found: (slab, at) => slab.f32[2 * at + status + FOUND]!,
    read(slab, at) {
      const { f32 } = slab;
      const state = 2 * at + status;
      const from = 2 * at + stretch;
      const foundCount = f32[state + FOUND]!;
      if (foundCount === 0) return null;
      const kind = KINDS[f32[state + KIND]!]!;
      const direction = f32[state + DIRECTION]!;
      return {
        foundCount,
        sinceCount: slab.f64[at + COUNT]! - f32[2 * at + sums + BUCKETS]! - f32[from + BUCKETS]!,
        kind,
        direction: direction > 0 ? 'up' : direction < 0 ? 'down' : null,
        size: f32[state + SHIFT]!,
        errorBefore: share(f32[state + USUAL_ABS]!, f32[state + USUAL_SIZE]!),
        errorAfter: share(f32[from + ABS]!, f32[from + SIZE]!),
      };
    },
    agility: ({ f32 }, at) => 1 + ((AGILITY - 1) * f32[2 * at + status + LEFT]!) / hold,
  };
}

function within(value: number, limit: number): number {
  return Math.min(limit, Math.max(-limit, value));
}

function share(part: number, whole: number): number {
  return whole > 0 ? part / whole : Number.NaN;
}
