import { createConformal } from '../intervals/conformal.ts';
import { createPrequential } from '../scoring/prequential.ts';
import type { SeriesScores } from '../scoring/prequential.ts';
import { createLayout } from '../stats/layout.ts';
import { createSeenRange } from '../stats/seen-range.ts';
import { createDemandClassifier } from '../stats/demand-class.ts';
import type { DemandClass } from '../stats/demand-class.ts';
import type { Slab } from '../stats/slab.ts';
import { bandsOf } from './bands.ts';
import type { Band, Grain } from './bands.ts';
import { createCatalogue } from './catalogue.ts';
import { createCombination } from './combine.ts';
import { createDrift } from './drift.ts';
import type { DriftReading } from './drift.ts';
import { COUNT } from './model.ts';
import { createProbes } from './probes.ts';
import { standingsOf } from './standing.ts';

export type { Band, Grain } from './bands.ts';
export type { DriftReading } from './drift.ts';
export type { DemandClass } from '../stats/demand-class.ts';
export type { SeriesScores } from '../scoring/prequential.ts';

export type EngineSpec = {
  readonly granularity: Grain;
  /** slots in the calendar cycle: 168 for hour, 7 for day, 52 for week; 1 where there is none */
  readonly season: number;
  /** a part of `season`: 24 for hour, 7 for day, 52 for week */
  readonly shortSeason: number;
  /** buckets forecast ahead */
  readonly horizon: number;
  /** rising, each within 0…1, e.g. [0.025, 0.1, 0.5, 0.9, 0.975] */
  readonly probabilities: readonly number[];
  /** whose forecasts are made elsewhere and handed to every step; none by default */
  readonly external?: readonly ExternalExpert[];
};

/** An expert outside the record: one that learns across series, or one too heavy for every bucket. */
export type ExternalExpert = {
  readonly name: string;
  readonly family: string;
  /** as of a model */
  readonly prior: number;
};

/**
 * What the external experts forecast after the bucket being closed: a row of `horizon` means for each, in the order
 * of the specification. NaN: it says nothing about this step. These are inputs of the fold like the bucket itself.
 */
export type ExternalPaths = Float64Array;

/**
 * Calendar of one step: the slot of the bucket being closed, and those of the buckets ahead of it (`ahead[h − 1]`,
 * length ≥ horizon). Shared by all series of one zone.
 */
export type CalendarWindow = { readonly slot: number; readonly ahead: Int32Array };

/** One scored forecast: arrays indexed by band, filled by step(). */
export type ScoredBuffer = {
  readonly mean: Float64Array;
  readonly seasonalNaive: Float64Array;
  /** bands × probabilities */
  readonly quantiles: Float64Array;
};

export type ForecastBuffer = {
  /** horizon */
  readonly mean: Float64Array;
  /** horizon × probabilities, a row per step */
  readonly quantiles: Float64Array;
};

/** All functions work on the record that begins at word `at` of the slab; see createEngine. */
export type Engine = {
  readonly spec: EngineSpec;
  /** words (8 bytes) of one series */
  readonly words: number;
  /** text that changes whenever the meaning of a record changes */
  readonly layout: string;
  readonly bands: readonly Band[];
  readonly experts: readonly { readonly name: string; readonly family: string }[];
  /**
   * Begins a record. `standing`, a row of weights per band in the order of `experts`, is what the experts have earned
   * with series alike (siblings, the parent): the series starts from it instead of from the priors, and it fades with
   * the series' own evidence. It is an input of the fold: whoever passes it must record it.
   */
  init(slab: Slab, at: number, standing?: Float64Array): void;
  /** Scores what was forecast for this bucket, then learns y. Returns a bit mask of the bands scored. */
  step(
    slab: Slab,
    at: number,
    y: number,
    calendar: CalendarWindow,
    scored: ScoredBuffer,
    paths?: ExternalPaths,
  ): number;
  /** Forecasts the `horizon` buckets after the last one learned; calendar and paths are those of the last step. */
  forecast(
    slab: Slab,
    at: number,
    calendar: CalendarWindow,
    out: ForecastBuffer,
    paths?: ExternalPaths,
  ): void;
  /**
   * Writes every expert's own forecasts after the last bucket learned: a row of `horizon` means per expert, NaN where
   * an external one is silent.
   */
  expertMeans(
    slab: Slab,
    at: number,
    calendar: CalendarWindow,
    out: Float64Array,
    paths?: ExternalPaths,
  ): void;
  /** Writes the experts' weights in a band to `out`, in the order of `experts`. */
  weights(slab: Slab, at: number, band: number, out: Float64Array): void;
  scores(slab: Slab, at: number, band: number): SeriesScores;
  /** Expected share pattern: the exponentially weighted mean of a calendar slot (for day-from-hours profiles). */
  slotMean(slab: Slab, at: number, slot: number): number;
  /** Variance-to-mean ratio of one-step errors, > 0: how wide the open bucket's remainder is. */
  dispersion(slab: Slab, at: number): number;
  /** How the series is demanded: smooth, erratic, intermittent or lumpy. */
  demandClass(slab: Slab, at: number): DemandClass;
  /** Variance of the error of a forecast `mean` made `step` buckets ahead, as the intervals have it; ≥ 0. */
  variance(slab: Slab, at: number, step: number, mean: number): number;
  /** buckets learned so far */
  count(slab: Slab, at: number): number;
  /** What is off its usual course; null: nothing. */
  drift(slab: Slab, at: number): DriftReading | null;
  /** Buckets learned when the present drift was found; 0: there is none. */
  driftFound(slab: Slab, at: number): number;
  /** How many times as fast as usual the series should be learned: from 4 down to 1 in the season after a drift. */
  agility(slab: Slab, at: number): number;
};

/** No external expert says anything. */
const SILENCE: ExternalPaths = new Float64Array(0);
/** Raised by hand when a record's meaning changes in a way the layout's text does not show. */
const REVISION = 2;
/** Numbers beyond it are learned as it: a quantity in thousandths is exact up to nine times this. */
const Y_MAX = 1e15;
/** Least dispersion reported, so that a nowcast never divides by nothing. */
const DISPERSION_MIN = 1e-6;
/** The magnitude of a series is a mean over some eight cycles. */
const MAGNITUDE_CYCLES = 8;

/**
 * The online forecasting engine of one granularity: experts, their combination per horizon band, conformal intervals
 * and prequential scores, as pure functions over records in a slab. One bucket is one `step`: forecasts that waited
 * for it are scored, weights and intervals learn from them, the experts learn the bucket, and new forecasts are kept
 * for scoring. External experts are weighed and scored with the others; one that is silent about a step is taken to say
 * what the others say together, so it neither counts nor gains or loses standing. It reads no clock and no randomness, and allocates nothing: the same buckets give the same bits.
 *
 * y is in natural units (pieces, currency), of any sign. Means and quantiles are finite, within a multiple of the
 * range seen, and not below zero unless the series itself was.
 */
export function createEngine(spec: EngineSpec): Engine {
  assertSpec(spec);
  const layout = createLayout();
  layout.take('count', 1);
  const range = createSeenRange(layout);
  const naiveError = layout.take('naive-error', 1);
  const site = { cycle: spec, horizon: spec.horizon, layout };
  const { models, naive, profile } = createCatalogue(spec.granularity, site);
  const bands = bandsOf(spec.granularity, spec.horizon);
  const external = spec.external ?? [];
  const voices = [...models, ...external].map(({ name, family, prior }) => ({ name, family, prior }));
  const experts = voices.length;
  const options = { bands: bands.length, probabilities: spec.probabilities };
  const demand = createDemandClassifier(layout, spec.season);
  const standings = standingsOf(spec.granularity, voices);
  const combination = createCombination(layout, {
    bands: bands.length,
    priors: voices.map(({ prior }) => prior),
    standings: (slab, at) => standings[demand.classify(slab, at)],
  });
  const conformal = createConformal(layout, range, options);
  const prequential = createPrequential(layout, options);
  const MEAN = experts;
  const SCALE = experts + 1;
  const probes = createProbes(layout, bands, experts + 2);
  const drift = createDrift(layout, spec);

  const { horizon, season } = spec;
  const quantileCount = spec.probabilities.length;
  const allSteps = Int32Array.from({ length: horizon }, (_, i) => i + 1);
  const probedSteps = Array.from({ length: 1 << bands.length }, (_, mask) =>
    Int32Array.from(bands.filter((_, b) => (mask >> b) & 1).map((band) => band.scoredStep)),
  );
  const nextStep = Int32Array.of(1);
  const bandOfStep = Int32Array.from(allSteps, (step) => bands.findIndex(({ toStep }) => step <= toStep));
  const names = external.map(({ name }) => `external(${name}) `).join('');
  const expertForecasts = new Float64Array(experts * horizon);
  const weights = new Float64Array(experts);
  const single = new Float64Array(1);
  const here = new Int32Array(1);

  /** The band whose intervals a band uses: itself, or the nearest shorter one that was scored. */
  function standIn(slab: Slab, at: number, band: number): number {
    let source = band;
    while (source > 0 && prequential.count(slab, at, source) === 0) source--;
    return source;
  }

  /** Writes the weights that a band uses: its own, or those of the band that stands in for it. */
  function takeWeights(slab: Slab, at: number, band: number, out: Float64Array): void {
    const own = combination.begun(slab, at, band);
    combination.weights(slab, at, own ? band : standIn(slab, at, band), out);
  }

  /** Every expert's forecasts of `steps`, held within the range of the series, NaN for silence; a row per expert. */
  function forecastExperts(
    slab: Slab,
    at: number,
    ahead: Int32Array,
    steps: Int32Array,
    paths: ExternalPaths,
  ): void {
    const lowest = range.lowestForecast(slab, at);
    const highest = range.highestForecast(slab, at);
    const total = experts * steps.length;
    for (let k = 0; k < models.length; k++) {
      models[k]!.forecast(slab, at, ahead, steps, expertForecasts, k * steps.length);
    }
    for (let e = 0; e < external.length; e++) {
      const row = (models.length + e) * steps.length;
      for (let i = 0; i < steps.length; i++) {
        expertForecasts[row + i] = paths[e * horizon + steps[i]! - 1] ?? Number.NaN;
      }
    }
    for (let i = 0; i < total; i++) {
      const value = expertForecasts[i]!;
      if (value < lowest) expertForecasts[i] = lowest;
      else if (value > highest) expertForecasts[i] = highest;
    }
  }

  /** Where external experts are silent, in columns `from…to` of rows of `length`: what the others say, weighed. */
  function speakForSilent(length: number, from: number, to: number): void {
    if (external.length === 0) return;
    for (let i = from; i < to; i++) {
      let sum = 0;
      let total = 0;
      for (let k = 0; k < experts; k++) {
        const value = expertForecasts[k * length + i]!;
        if (Number.isNaN(value)) continue;
        sum += weights[k]! * value;
        total += weights[k]!;
      }
      for (let k = models.length; k < experts; k++) {
        if (Number.isNaN(expertForecasts[k * length + i]!)) expertForecasts[k * length + i] = sum / total;
      }
    }
  }

  function scoreBand(
    slab: Slab,
    at: number,
    band: number,
    y: number,
    tamed: number,
    scored: ScoredBuffer,
  ): void {
    const n = slab.f64[at + COUNT]!;
    const place = 2 * at + probes.place(band, n + 1 - bands[band]!.scoredStep);
    const mean = slab.f32[place + MEAN]!;
    const scale = slab.f32[place + SCALE]!;
    const source = standIn(slab, at, band);
    const row = band * quantileCount;
    conformal.quantiles(slab, at, source, mean, scale, scored.quantiles, row);
    const naiveMean = slab.f32[place]!;
    scored.mean[band] = mean;
    scored.seasonalNaive[band] = naiveMean;
    if (source !== band) {
      conformal.inherit(slab, at, band, source);
      if (!combination.begun(slab, at, band)) combination.inherit(slab, at, band, source);
    }
    const before = prequential.count(slab, at, band);
    prequential.update(slab, at, band, y, mean, naiveMean, scored.quantiles, row);
    conformal.learn(slab, at, band, before, mean, scale, scored.quantiles, row, tamed);
    combination.learn(slab, at, band, place, mean, scale, tamed);
  }

  function learn(slab: Slab, at: number, slot: number, y: number): void {
    const { f64 } = slab;
    const n = f64[at + COUNT]!;
    const gainMin = Math.min(1, drift.agility(slab, at) / (MAGNITUDE_CYCLES * season));
    here[0] = slot;
    if (n >= season) {
      naive.forecast(slab, at, here, nextStep, single, 0);
      const gain = Math.max(1 / (n - season + 1), gainMin);
      f64[at + naiveError]! += gain * (Math.abs(y - single[0]!) - f64[at + naiveError]!);
    }
    range.update(slab, at, y, Math.max(1 / (n + 1), gainMin));
    for (let k = 0; k < models.length; k++) models[k]!.update(slab, at, slot, y);
    demand.update(slab, at, n, y);
    f64[at + COUNT] = n + 1;
  }

  function makeProbes(slab: Slab, at: number, ahead: Int32Array, paths: ExternalPaths): void {
    const { f32 } = slab;
    const n = slab.f64[at + COUNT]!;
    let mask = 0;
    for (let b = 0; b < bands.length; b++) if (probes.made(b, n)) mask |= 1 << b;
    const steps = probedSteps[mask]!;
    forecastExperts(slab, at, ahead, steps, paths);
    let column = 0;
    for (let b = 0; b < bands.length; b++) {
      if (((mask >> b) & 1) === 0) continue;
      const source = standIn(slab, at, b);
      const place = 2 * at + probes.place(b, n);
      takeWeights(slab, at, b, weights);
      speakForSilent(steps.length, column, column + 1);
      let mean = 0;
      for (let k = 0; k < experts; k++) {
        const value = expertForecasts[k * steps.length + column]!;
        f32[place + k] = value;
        mean += weights[k]! * value;
      }
      f32[place + MEAN] = mean;
      f32[place + SCALE] = conformal.scale(slab, at, source, mean);
      column++;
    }
  }

  function step(
    slab: Slab,
    at: number,
    y: number,
    calendar: CalendarWindow,
    scored: ScoredBuffer,
    paths = SILENCE,
  ): number {
    if (!Number.isFinite(y)) throw new RangeError(`A bucket of a series must be a finite number, not ${y}.`);
    const actual = Math.min(Y_MAX, Math.max(-Y_MAX, y));
    const n = slab.f64[at + COUNT]!;
    let mask = 0;
    let tamed = actual;
    if (n > 0) {
      const next = 2 * at + probes.place(0, n);
      tamed = range.tame(slab, at, actual, slab.f32[next + MEAN]!, slab.f32[next + SCALE]!);
      for (let b = 0; b < bands.length; b++) {
        if (!probes.due(b, n + 1)) continue;
        scoreBand(slab, at, b, actual, tamed, scored);
        mask |= 1 << b;
      }
      drift.learn(slab, at, calendar.slot, tamed, slab.f32[next + MEAN]!, slab.f32[next + SCALE]!);
    }
    learn(slab, at, calendar.slot, tamed);
    makeProbes(slab, at, calendar.ahead, paths);
    return mask;
  }

  function forecast(
    slab: Slab,
    at: number,
    calendar: CalendarWindow,
    out: ForecastBuffer,
    paths = SILENCE,
  ): void {
    forecastExperts(slab, at, calendar.ahead, allSteps, paths);
    out.mean.fill(0);
    for (let b = 0; b < bands.length; b++) {
      const source = standIn(slab, at, b);
      takeWeights(slab, at, b, weights);
      const { fromStep, toStep } = bands[b]!;
      speakForSilent(horizon, fromStep - 1, toStep);
      for (let k = 0; k < experts; k++) {
        addWeighted(out.mean, expertForecasts, k * horizon, weights[k]!, fromStep - 1, toStep);
      }
      conformal.fan(slab, at, source, out.mean, fromStep - 1, toStep, out.quantiles);
    }
  }

  return {
    spec,
    words: layout.words(),
    layout: `engine ${REVISION} ${spec.granularity} ${season}/${spec.shortSeason}/${horizon} ${names}${layout.text()}`,
    bands,
    experts: voices.map(({ name, family }) => ({ name, family })),
    init(slab, at, standing) {
      slab.f64.fill(0, at, at + layout.words());
      range.init(slab, at);
      for (const model of models) model.init(slab, at);
      demand.init(slab, at);
      combination.init(slab, at);
      if (standing !== undefined) {
        for (let b = 0; b < bands.length; b++) combination.begin(slab, at, b, standing, b * experts);
      }
      conformal.init(slab, at);
      prequential.init(slab, at);
      drift.init(slab, at);
    },
    step,
    forecast,
    expertMeans(slab, at, calendar, out, paths = SILENCE) {
      forecastExperts(slab, at, calendar.ahead, allSteps, paths);
      out.set(expertForecasts);
    },
    weights(slab, at, band, out) {
      takeWeights(slab, at, band, out);
    },
    scores: (slab, at, band) => prequential.read(slab, at, band, slab.f64[at + naiveError]!),
    slotMean: (slab, at, slot) => profile.slotMean(slab, at, slot),
    dispersion: (slab, at) => Math.max(DISPERSION_MIN, conformal.dispersion(slab, at, 0)),
    demandClass: demand.classify,
    variance(slab, at, step, mean) {
      const scale = conformal.scale(slab, at, standIn(slab, at, bandOfStep[step - 1]!), mean);
      return scale * scale;
    },
    count: (slab, at) => slab.f64[at + COUNT]!,
    drift: (slab, at) => drift.read(slab, at),
    driftFound: (slab, at) => drift.found(slab, at),
    agility: (slab, at) => drift.agility(slab, at),
  };
}

/** Adds `weight` times the forecasts of one expert, whose row begins at `row`, to the means of steps from…to. */
function addWeighted(
  means: Float64Array,
  forecasts: Float64Array,
  row: number,
  weight: number,
  from: number,
  to: number,
): void {
  for (let i = from; i < to; i++) means[i]! += weight * forecasts[row + i]!;
}

/** Room for what a step scores. */
export function createScoredBuffer(engine: Engine): ScoredBuffer {
  const bands = engine.bands.length;
  return {
    mean: new Float64Array(bands),
    seasonalNaive: new Float64Array(bands),
    quantiles: new Float64Array(bands * engine.spec.probabilities.length),
  };
}

/** Room for one forecast. */
export function createForecastBuffer(spec: EngineSpec): ForecastBuffer {
  return {
    mean: new Float64Array(spec.horizon),
    quantiles: new Float64Array(spec.horizon * spec.probabilities.length),
  };
}

function assertSpec(spec: EngineSpec): void {
  const { season, shortSeason, horizon, probabilities } = spec;
  const whole = season % shortSeason === 0 && shortSeason >= 1;
  const rising = probabilities.every((p, i) => p > 0 && p < 1 && (i === 0 || p > probabilities[i - 1]!));
  if (!whole || !rising || horizon < 1) {
    throw new RangeError(`Engine: impossible specification ${JSON.stringify(spec)}.`);
  }
}
