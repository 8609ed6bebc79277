import type { CalendarWindow, Engine, EngineSpec } from '../../src/models/engine.ts';
import { createEngine, createForecastBuffer, createScoredBuffer } from '../../src/models/engine.ts';
import { holtWinters } from '../../src/models/holt-winters.ts';
import type { HoltWintersSettings } from '../../src/models/holt-winters.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { createLayout } from '../../src/stats/layout.ts';
import type { Slab } from '../../src/stats/slab.ts';
import { createSlab } from '../../src/stats/slab.ts';
import { plainHoltWinters } from './plain-holt-winters.ts';

const SERIES = 20_000;
const HISTORY = 600;
const BUCKETS = 6;
/** Rounds of which the best counts: the machine may be shared. */
const ROUNDS = 3;

const SPEC: EngineSpec = {
  granularity: 'hour',
  season: 168,
  shortSeason: 24,
  horizon: 48,
  probabilities: [0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975],
};

const SMOOTHING: HoltWintersSettings = {
  name: 'bench',
  seasonal: 'multiplicative',
  alpha: 0.05,
  beta: 0.0005,
  gamma: 0.06,
  delta: 0.005,
  phi: 0.9,
  prior: 1,
};

/**
 * Series closed per second on one core: every hourly series learns a bucket (scores, experts, weights, intervals) and
 * is forecast 48 steps ahead with nine quantiles. In the same run one Holt-Winters on the slab against the same
 * one as an object per series, which says what the engine's form of state is worth on this machine.
 */
export async function benchEngine(): Promise<void> {
  const engine = createEngine(SPEC);
  const slab = manyAlike(engine);
  const scored = createScoredBuffer(engine);
  const out = createForecastBuffer(SPEC);
  const step = (at: number, y: number, calendar: CalendarWindow): unknown =>
    engine.step(slab, at, y, calendar, scored);
  const forecast = (at: number, calendar: CalendarWindow): unknown =>
    engine.forecast(slab, at, calendar, out);

  const whole = best((i, y, calendar) => {
    step(i * engine.words, y, calendar);
    forecast(i * engine.words, calendar);
  });
  const stepAlone = best((i, y, calendar) => step(i * engine.words, y, calendar));
  const forecastAlone = best((i, _, calendar) => forecast(i * engine.words, calendar));
  const onSlab = best(warm(slabHoltWinters()));
  const asObjects = best(warm(objectHoltWinters()));

  print('series closed (step + forecast of 48 steps, 9 quantiles)', whole, '1 core, goal 50,000/s');
  print('step alone', stepAlone, `${(whole / stepAlone).toFixed(2)} of it is reached by the whole`);
  print(
    'forecast alone',
    forecastAlone,
    `${(whole / forecastAlone).toFixed(2)} of it is reached by the whole`,
  );
  print('one Holt-Winters on the slab', onSlab, `${(onSlab / asObjects).toFixed(2)} of the plain one`);
  print(
    'one Holt-Winters, an object per series',
    asObjects,
    `the engine runs ${engine.experts.length} experts`,
  );
  const bytes = engine.words * Float64Array.BYTES_PER_ELEMENT;
  console.log(
    `memory: ${bytes} bytes a series (goal 4,096), ${SERIES} series, ${engine.experts.length} experts`,
  );
}

/** A slab of series that have all seen the same weeks: a series is handed over by copying its words. */
function manyAlike(engine: Engine): Slab {
  const slab = createSlab(SERIES * engine.words);
  engine.init(slab, 0);
  const scored = createScoredBuffer(engine);
  const random = createRandom('bench engine');
  for (let i = 0; i < HISTORY; i++) {
    engine.step(slab, 0, random.poisson(3 + 2 * Math.sin((2 * Math.PI * i) / 24)), calendarAt(i), scored);
  }
  for (let i = 1; i < SERIES; i++) slab.f64.copyWithin(i * engine.words, 0, engine.words);
  return slab;
}

/** Two days of history: the models are past their start. */
function warm(work: Work): Work {
  for (let b = 0; b < 48; b++) {
    const calendar = calendarAt(HISTORY - 48 + b);
    for (let i = 0; i < SERIES; i++) work(i, 2 + (b % 24), calendar);
  }
  return work;
}

type Work = (series: number, y: number, calendar: CalendarWindow) => void;

/** Series per second in the best of the rounds. */
function best(work: Work): number {
  let rate = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const begin = performance.now();
    for (let b = 0; b < BUCKETS; b++) {
      const calendar = calendarAt(HISTORY + round * BUCKETS + b);
      for (let i = 0; i < SERIES; i++) work(i, (7 * i + 13 * b) % 11, calendar);
    }
    rate = Math.max(rate, (1000 * SERIES * BUCKETS) / (performance.now() - begin));
  }
  return rate;
}

function slabHoltWinters(): Work {
  const layout = createLayout();
  const count = layout.take('count', 1);
  const model = holtWinters({ cycle: SPEC, horizon: SPEC.horizon, layout }, SMOOTHING);
  const words = layout.words();
  const slab = createSlab(SERIES * words);
  for (let i = 0; i < SERIES; i++) model.init(slab, i * words);
  const steps = Int32Array.from({ length: SPEC.horizon }, (_, h) => h + 1);
  const out = new Float64Array(SPEC.horizon);
  return (i, y, { slot, ahead }) => {
    const at = i * words;
    model.update(slab, at, slot, y);
    slab.f64[at + count]! += 1;
    model.forecast(slab, at, ahead, steps, out, 0);
  };
}

function objectHoltWinters(): Work {
  const models = Array.from({ length: SERIES }, () => plainHoltWinters(SMOOTHING));
  return (i, y, { slot, ahead }) => {
    const model = models[i]!;
    model.update(slot, y);
    model.forecast(ahead);
  };
}

function calendarAt(i: number): CalendarWindow {
  const ahead = Int32Array.from({ length: SPEC.horizon }, (_, h) => (i + 1 + h) % SPEC.season);
  return { slot: i % SPEC.season, ahead };
}

function print(what: string, perSecond: number, note: string): void {
  console.log(`${what.padEnd(58)} ${Math.round(perSecond).toLocaleString('en').padStart(11)}/s  ${note}`);
}
