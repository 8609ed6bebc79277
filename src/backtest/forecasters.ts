/** Which forecasters there are: by name, and in sets. */
import { ForetillError } from '../errors.ts';
import type { FoldSpec, PanelForecaster } from './forecaster.ts';
import { expertForecaster, expertNames, liveEngineForecaster } from './live-engine.ts';
import { seasonalNaiveForecaster } from './seasonal-naive.ts';

/** Every result is set against it, so it always runs. */
export const YARDSTICK = seasonalNaiveForecaster.name;

const SETS = ['online', 'heavy', 'experts', 'all'] as const;

/** All forecasters for a panel of this kind: the engine first, then the yardstick, then the engine's experts. */
export function forecastersFor(spec: FoldSpec): readonly PanelForecaster[] {
  return [liveEngineForecaster, seasonalNaiveForecaster, ...expertNames(spec).map(expertForecaster)];
}

/**
 * Names and sets, comma separated, to names; the yardstick is always among them. `online`: the engine and the
 * yardstick; `experts`: each of the engine's experts alone; `heavy`: what is fitted at an origin; `all`: everything.
 * Throws USAGE for a name that is none.
 */
export function chooseForecasters(spec: FoldSpec, wanted: string): readonly string[] {
  const all = forecastersFor(spec);
  const experts = new Set(expertNames(spec));
  const sets: Readonly<Record<(typeof SETS)[number], readonly string[]>> = {
    online: all.filter(({ name, kind }) => kind === 'online' && !experts.has(name)).map(nameOf),
    heavy: heavyNames(spec),
    experts: [...experts],
    all: all.map(nameOf),
  };
  const chosen = new Set<string>();
  for (const word of wanted.split(',').map((each) => each.trim())) {
    const known = all.find(({ name }) => name.toLowerCase() === word.toLowerCase());
    const set = SETS.find((name) => name === word.toLowerCase());
    if (known !== undefined) chosen.add(known.name);
    else if (set !== undefined) for (const name of sets[set]) chosen.add(name);
    else throw unknownModel(word, all);
  }
  if (chosen.size === 0) throw noneYet();
  chosen.add(YARDSTICK);
  return all.map(nameOf).filter((name) => chosen.has(name));
}

/** Names of those that are fitted at an origin. */
export function heavyNames(spec: FoldSpec): readonly string[] {
  return forecastersFor(spec)
    .filter(({ kind }) => kind === 'heavy')
    .map(nameOf);
}

function nameOf({ name }: PanelForecaster): string {
  return name;
}

function unknownModel(word: string, all: readonly PanelForecaster[]): ForetillError {
  return new ForetillError('USAGE', `--models: there is no model "${word.slice(0, 60)}".`, {
    remedy: `Models are ${all.map(nameOf).join(', ')}; sets are ${SETS.join(', ')}.`,
  });
}

function noneYet(): ForetillError {
  return new ForetillError('USAGE', '--models heavy: this version has no heavy models yet.', {
    remedy: 'Use --models online, or experts for each of the engine’s experts alone.',
  });
}
