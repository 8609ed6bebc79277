/** The live engine, and each of its experts alone, as forecasters of a panel: the very code that runs in role forecast. */
import type { Engine, EngineSpec, ExternalExpert } from '../models/engine.ts';
import { createEngine, createScoredBuffer } from '../models/engine.ts';
import type { Slab } from '../stats/slab.ts';
import { createSlab } from '../stats/slab.ts';
import type { FoldSpec, PanelFold, PanelForecaster } from './forecaster.ts';

const POOLED = 'pooled';

/**
 * It forecasts in a stage of its own, see pooled-stage.ts; here it is one voice among the engine's experts. Where
 * covariates are known ahead it is the only one that sees them, and stands higher until scores have told.
 */
export function pooledExpert({ known }: Pick<FoldSpec, 'known'>): ExternalExpert {
  return { name: POOLED, family: 'pooled', prior: known.length > 0 ? 6 : 2 };
}

export const liveEngineForecaster: PanelForecaster = {
  name: 'Foretill',
  kind: 'online',
  pooled: true,
  create(spec) {
    const { engine, slab, learn } = startEngine(spec);
    return {
      learn,
      forecast: (series, { calendar, paths }, out) =>
        engine.forecast(slab, series * engine.words, calendar, out, paths),
    };
  },
};

/**
 * What the engine takes for one of its experts, without the others: means only. It costs a whole engine, so only the
 * accuracy of its row means something, not its time.
 */
export function expertForecaster(name: string): PanelForecaster {
  return {
    name,
    kind: 'online',
    pooled: name === POOLED,
    create(spec) {
      const { engine, slab, learn } = startEngine(spec);
      const { horizon } = spec;
      const row = engine.experts.findIndex((expert) => expert.name === name) * horizon;
      const all = new Float64Array(engine.experts.length * horizon);
      return {
        learn,
        forecast(series, { calendar, paths }, out) {
          engine.expertMeans(slab, series * engine.words, calendar, all, paths);
          out.mean.set(all.subarray(row, row + horizon));
          out.quantiles.fill(Number.NaN);
        },
      };
    },
  };
}

/** Names of the engine's experts at this grain, in its own order. */
export function expertNames(spec: FoldSpec): readonly string[] {
  return createEngine(engineSpec(spec)).experts.map(({ name }) => name);
}

function startEngine(spec: FoldSpec): { engine: Engine; slab: Slab; learn: PanelFold['learn'] } {
  const engine = createEngine(engineSpec(spec));
  const slab = createSlab(engine.words * spec.series);
  const scored = createScoredBuffer(engine);
  for (let series = 0; series < spec.series; series++) engine.init(slab, series * engine.words);
  return {
    engine,
    slab,
    learn(series, { y, calendar, paths }) {
      engine.step(slab, series * engine.words, y, calendar, scored, paths);
    },
  };
}

function engineSpec(spec: FoldSpec): EngineSpec {
  const { grain, season, shortSeason, horizon, probabilities } = spec;
  return {
    granularity: grain,
    season,
    shortSeason,
    horizon,
    probabilities,
    external: [pooledExpert(spec)],
  };
}
