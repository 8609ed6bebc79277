/** How long to wait before what failed is tried again. */

/**
 * Milliseconds before attempt `attempt` + 1 (attempts count from 1): the first pause · 2^(attempt − 1), at most
 * `retryDelayMsMax`, of which the upper half is left to chance so that many clients do not come back at once.
 */
export function pauseMs(
  attempt: number,
  limits: { readonly retryDelayMs: number; readonly retryDelayMsMax: number },
  random: () => number = Math.random,
): number {
  const fullMs = Math.min(limits.retryDelayMs * 2 ** (attempt - 1), limits.retryDelayMsMax);
  return fullMs / 2 + (fullMs / 2) * random();
}
