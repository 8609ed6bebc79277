import { adida } from './adida.ts';
import type { AdidaSettings } from './adida.ts';
import type { Grain } from './bands.ts';
import { holtWinters } from './holt-winters.ts';
import type { HoltWintersSettings } from './holt-winters.ts';
import type { Model, ModelSite } from './model.ts';
import { sba } from './sba.ts';
import type { SbaSettings } from './sba.ts';
import { seasonalAutoregression } from './seasonal-autoregression.ts';
import type { SeasonalAutoregressionSettings } from './seasonal-autoregression.ts';
import { seasonalMean } from './seasonal-mean.ts';
import type { SeasonalMean } from './seasonal-mean.ts';
import { seasonalNaive } from './seasonal-naive.ts';
import { theta } from './theta.ts';
import type { ThetaSettings } from './theta.ts';
import { tsb } from './tsb.ts';
import { twoSeasons } from './two-seasons.ts';
import type { TwoSeasonsSettings } from './two-seasons.ts';

type Settings = {
  readonly seasonalMeanAlpha: number;
  readonly holtWinters: readonly HoltWintersSettings[];
  readonly theta: readonly ThetaSettings[];
  readonly autoregression: SeasonalAutoregressionSettings;
  readonly twoSeasons: readonly TwoSeasonsSettings[];
  readonly sba: readonly SbaSettings[];
  readonly adida: readonly AdidaSettings[];
  readonly tsb: { readonly alpha: number; readonly beta: number };
};

const SETTINGS: Readonly<Record<Grain, Settings>> = {
  '15min': {
    seasonalMeanAlpha: 0.1,
    holtWinters: [
      hw('additive-slow', 'additive', 0.002, 0, 0.03, 0.001, 0.9, 1),
      hw('additive-fast', 'additive', 0.03, 0.0001, 0.05, 0.002, 0.9, 1),
      hw('multiplicative-slow', 'multiplicative', 0.002, 0, 0.03, 0.001, 0.9, 2),
      hw('multiplicative-fast', 'multiplicative', 0.02, 0.0001, 0.05, 0.002, 0.9, 2),
    ],
    theta: [
      { name: 'slow', alpha: 0.003, memory: 1 - 1 / 5376, prior: 2 },
      { name: 'fast', alpha: 0.03, memory: 1 - 1 / 2688, prior: 1 },
    ],
    autoregression: { drift: 0, memory: 1 - 1 / 5376, prior: 1 },
    twoSeasons: [],
    sba: [],
    adida: [],
    tsb: { alpha: 0.1, beta: 0.01 },
  },
  hour: {
    seasonalMeanAlpha: 0.1,
    holtWinters: [
      hw('additive-slow', 'additive', 0.005, 0, 0.04, 0.003, 0.9, 1),
      hw('additive-fast', 'additive', 0.1, 0.0005, 0.06, 0.005, 0.9, 1),
      hw('multiplicative-slow', 'multiplicative', 0.005, 0, 0.03, 0.003, 0.9, 2),
      hw('multiplicative-fast', 'multiplicative', 0.05, 0.0005, 0.06, 0.005, 0.9, 2),
    ],
    theta: [
      { name: 'slow', alpha: 0.01, memory: 1 - 1 / 1344, prior: 2 },
      { name: 'fast', alpha: 0.1, memory: 1 - 1 / 672, prior: 1 },
    ],
    autoregression: { drift: 0, memory: 1 - 1 / 1344, prior: 1 },
    twoSeasons: [],
    sba: [],
    adida: [],
    tsb: { alpha: 0.1, beta: 0.02 },
  },
  day: {
    seasonalMeanAlpha: 0.1,
    holtWinters: [
      hw('additive-slow', 'additive', 0.05, 0.001, 0.03, 0, 0.95, 2),
      hw('additive-fast', 'additive', 0.25, 0.01, 0.08, 0, 0.9, 1),
      hw('multiplicative-slow', 'multiplicative', 0.05, 0.001, 0.03, 0, 0.95, 2),
    ],
    theta: [
      { name: 'slow', alpha: 0.05, memory: 1 - 1 / 120, prior: 2 },
      { name: 'fast', alpha: 0.2, memory: 1 - 1 / 60, prior: 2 },
    ],
    autoregression: { drift: 0, memory: 1 - 1 / 365, prior: 1 },
    twoSeasons: [],
    sba: [{ alpha: 0.1, prior: 0.25 }],
    adida: [{ alpha: 0.2, prior: 0.25 }],
    tsb: { alpha: 0.1, beta: 0.05 },
  },
  week: {
    seasonalMeanAlpha: 0.3,
    holtWinters: [
      hw('additive-slow', 'additive', 0.1, 0, 0.2, 0, 0.95, 2),
      hw('additive-fast', 'additive', 0.4, 0.005, 0.2, 0, 0.9, 1),
      hw('multiplicative-slow', 'multiplicative', 0.1, 0, 0.2, 0, 0.95, 2),
    ],
    theta: [{ name: 'fast', alpha: 0.3, memory: 1 - 1 / 52, prior: 2 }],
    autoregression: { drift: 0.2, memory: 1 - 1 / 156, prior: 2 },
    twoSeasons: [{ alpha: 0.2, prior: 8 }],
    sba: [],
    adida: [],
    tsb: { alpha: 0.1, beta: 0.05 },
  },
};

/** The experts of a series, in the order of their weights; the profile is one of them. */
export type Catalogue = {
  readonly models: readonly Model[];
  readonly naive: Model;
  readonly profile: SeasonalMean;
};

/** Builds every online model of a granularity, each taking its words from the site's layout. */
export function createCatalogue(granularity: Grain, site: ModelSite): Catalogue {
  const settings = SETTINGS[granularity];
  const naive = seasonalNaive(site, 0.5);
  const profile = seasonalMean(site, { alpha: settings.seasonalMeanAlpha, prior: 2 });
  const models = [
    naive,
    profile,
    ...settings.holtWinters.map((each) => holtWinters(site, each)),
    ...settings.theta.map((each) => theta(site, profile, each)),
    seasonalAutoregression(site, naive, settings.autoregression),
    ...settings.twoSeasons.map((each) => twoSeasons(site, naive, each)),
    ...settings.sba.map((each) => sba(site, each)),
    ...settings.adida.map((each) => adida(site, each)),
    tsb(site, { ...settings.tsb, prior: 0.5 }),
  ];
  return { models, naive, profile };
}

function hw(
  name: string,
  seasonal: 'additive' | 'multiplicative',
  ...[alpha, beta, gamma, delta, phi, prior]: [number, number, number, number, number, number]
): HoltWintersSettings {
  return { name, seasonal, alpha, beta, gamma, delta, phi, prior };
}
