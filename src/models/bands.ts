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

/**
 * `originEvery` has no factor in common with 24 and 7, so that the scored forecasts visit every slot of the cycle;
 * with a few probes outstanding a band learns as often as the memory of a series allows.
 */
const PLANS = {
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
} as const;

/** The bands of a horizon, from the next step outwards; the last one reaches to the horizon. */
export function bandsOf(granularity: 'hour' | 'day', horizon: number): readonly ProbedBand[] {
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
