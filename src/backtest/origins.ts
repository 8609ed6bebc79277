/** From where forecasts are made. An origin is the number of buckets known: the next one is step 1. */

export type OriginRule =
  /**
   * The last `count` origins, `step` buckets apart, of which the last has `horizon` buckets after it: origin k of
   * 0…count − 1 knows the first n − (horizon + step·(count − 1 − k)) of n buckets.
   */
  | { readonly kind: 'last'; readonly count: number; readonly step: number }
  /** Every origin of the last part: n − T … n − horizon, T = ⌊share·n⌋. The scale of errors is that of the first. */
  | { readonly kind: 'prequential'; readonly share: number }
  /** One origin: the split column says where training ends. */
  | { readonly kind: 'split' };

/** Rising; empty when the series is too short for all of them. */
export function originsOf(
  rule: OriginRule,
  series: { readonly y: { readonly length: number }; readonly trainLength: number },
  horizon: number,
): readonly number[] {
  const { length } = series.y;
  const { trainLength } = series;
  if (rule.kind === 'split') return trainLength >= 1 && trainLength < length ? [trainLength] : [];
  const back =
    rule.kind === 'last' ? horizon + rule.step * (rule.count - 1) : Math.floor(rule.share * length);
  const step = rule.kind === 'last' ? rule.step : 1;
  const first = length - back;
  const count = Math.floor((length - horizon - first) / step) + 1;
  return first < 1 || count < 1 ? [] : Array.from({ length: count }, (_, k) => first + step * k);
}
