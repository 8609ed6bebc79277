/** How long a bucket is, as far as settings depend on it; coarser ones (months, quarters) go as weeks. */
export type Grain = '15min' | 'hour' | 'day' | 'week';

/**
 * A run of horizon steps that shares weights, interval and scores. Only forecasts of `scoredStep` are kept until
 * their bucket closes, and only from every `originEvery`-th bucket.
 */
export type Band = {
  readonly name: string;
  readonly fromStep: number;
  readonly toStep: number;
  /** the step whose forecasts are scored */
  readonly scoredStep: number;
};

export type ProbedBand = Band & { readonly originEvery: number };

type PlannedBand = { readonly toStep: number; readonly scoredStep: number; readonly originEvery: number };

/**
 * `originEvery` has no factor in common with the cycle (672, 168, 7, 52), so that the scored forecasts visit every slot
 * of it; with a few probes outstanding a band learns as often as the memory of a series allows.
 */
const PLANS: Readonly<Record<Grain, readonly PlannedBand[]>> = {
  '15min': [
    { toStep: 1, scoredStep: 1, originEvery: 1 },
    { toStep: 8, scoredStep: 5, originEvery: 5 },
    { toStep: 96, scoredStep: 71, originEvery: 29 },
    { toStep: 192, scoredStep: 191, originEvery: 67 },
  ],
  hour: [
    { toStep: 1, scoredStep: 1, originEvery: 1 },
    { toStep: 6, scoredStep: 5, originEvery: 5 },
    { toStep: 24, scoredStep: 23, originEvery: 11 },
    { toStep: 48, scoredStep: 47, originEvery: 17 },
  ],
  day: [
    { toStep: 1, scoredStep: 1, originEvery: 1 },
    { toStep: 7, scoredStep: 3, originEvery: 1 },
    { toStep: 14, scoredStep: 13, originEvery: 3 },
    { toStep: 28, scoredStep: 27, originEvery: 5 },
  ],
  week: [
    { toStep: 1, scoredStep: 1, originEvery: 1 },
    { toStep: 4, scoredStep: 3, originEvery: 1 },
    { toStep: 13, scoredStep: 8, originEvery: 3 },
    { toStep: 52, scoredStep: 26, originEvery: 9 },
  ],
};

/** The bands of a horizon, from the next step outwards; the last one reaches to the horizon. */
export function bandsOf(granularity: Grain, horizon: number): readonly ProbedBand[] {
  const plan = PLANS[granularity];
  const bands: ProbedBand[] = [];
  for (const [i, { scoredStep, originEvery }] of plan.entries()) {
    const fromStep = i === 0 ? 1 : plan[i - 1]!.toStep + 1;
    if (fromStep > horizon) break;
    const toStep = i === plan.length - 1 ? horizon : Math.min(plan[i]!.toStep, horizon);
    bands.push({
      name: fromStep === toStep ? `${fromStep}` : `${fromStep}-${toStep}`,
      fromStep,
      toStep,
      scoredStep: Math.min(scoredStep, toStep),
      originEvery,
    });
  }
  return bands;
}
