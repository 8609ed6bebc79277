import type { DemandClass } from '../stats/demand-class.ts';
import type { Grain } from './bands.ts';
import { normalised } from './combine.ts';

/** What experts made for empty buckets stand at together, beside all others, where most buckets may be empty. */
const INTERMITTENT_STANDING = 1;
/** By the hour a shop is empty because it is shut or it is night: a season, which those experts do not know. */
const STEERED: ReadonlySet<Grain> = new Set(['day', 'week']);

type Voice = { readonly family: string; readonly prior: number };

/**
 * Standing of the experts before anything was scored, by how the series is demanded; each adds up to 1. Where demand is
 * intermittent or lumpy, errors are so wild that scores tell experts apart only after years, so half of the standing
 * goes to the experts made for it; else it goes by their priors.
 * Source: Syntetos, Boylan & Croston (2005), On the categorization of demand patterns.
 */
export function standingsOf(
  granularity: Grain,
  voices: readonly Voice[],
): Readonly<Record<DemandClass, Float64Array>> {
  const usual = normalised(voices.map(({ prior }) => prior));
  const rare = STEERED.has(granularity) ? normalised(raised(voices)) : usual;
  return { smooth: usual, erratic: usual, intermittent: rare, lumpy: rare };
}

function raised(voices: readonly Voice[]): readonly number[] {
  const made = voices.filter(isIntermittent).reduce((sum, { prior }) => sum + prior, 0);
  const others = voices.reduce((sum, { prior }) => sum + prior, -made);
  const factor = (INTERMITTENT_STANDING * others) / made;
  return voices.map((voice) => (isIntermittent(voice) ? factor * voice.prior : voice.prior));
}

function isIntermittent({ family }: Voice): boolean {
  return family === 'intermittent';
}
