/** The judge: what a run has come to, against the same tickets totalled and folded in one go. */
import type { Config } from '../../src/config.ts';
import type { Platform } from '../../src/platform.ts';
import { offlineRun } from './offline.ts';
import { latestForecasts, readSales, readTickets } from './outcome.ts';
import { expectedTickets, expectedTotals } from './traffic.ts';
import type { Sent } from './traffic.ts';

const SHOWN_MAX = 4;
const SHOWN_CHARACTERS = 160;

/**
 * In sentences, what is lost, doubled or otherwise not as it must be once all that was sent up to `untilMs` has been
 * worked through; empty when all is.
 */
export async function faultsOf(
  platform: Pick<Platform, 'store' | 'log' | 'codec'>,
  sent: readonly Sent[],
  { config, untilMs }: { readonly config: Config; readonly untilMs: number },
): Promise<string[]> {
  const totals = expectedTotals(sent);
  return [
    ...differences('tickets', await readTickets(platform), expectedTickets(sent)),
    ...differences('sales', await readSales(platform), totals),
    ...differences(
      'latest forecasts',
      await latestForecasts(platform),
      offlineRun(totals, config, untilMs).forecasts,
    ),
  ];
}

/** The first of them, each with what was found and what should be. */
export function differences<T>(
  what: string,
  found: ReadonlyMap<string, T>,
  expected: ReadonlyMap<string, T>,
): string[] {
  const keys = [...new Set([...expected.keys(), ...found.keys()])].sort();
  const wrong = keys
    .map((key) => ({ key, is: textOf(found.get(key)), should: textOf(expected.get(key)) }))
    .filter(({ is, should }) => is !== should);
  if (wrong.length === 0) return [];
  return [
    `${what}: ${wrong.length} differ; there are ${found.size} and should be ${expected.size}`,
    ...wrong.slice(0, SHOWN_MAX).map(({ key, is, should }) => {
      const from = Math.max(0, firstDifference(is, should) - SHOWN_CHARACTERS / 4);
      const shown = (text: string): string => text.slice(from, from + SHOWN_CHARACTERS);
      return `  ${key}\n    is     ${shown(is)}\n    should ${shown(should)}`;
    }),
  ];
}

function textOf(value: unknown): string {
  if (value === undefined) return 'not there';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function firstDifference(one: string, other: string): number {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  return at;
}
