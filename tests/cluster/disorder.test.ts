/**
 * Tickets that come twice, at once or a day later, and tickets that come after younger ones, by less or by more than is
 * waited for: nothing of it changes a total or a forecast.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRandom } from '../../src/simulator/random.ts';
import type { Sent } from '../simulation/traffic.ts';
import { openClusterSystem } from './system/cluster-system.ts';
import type { ClusterSystem } from './system/cluster-system.ts';
import { makeDays, UNTIL_MS } from './system/days.ts';

const SEED = process.env['FORETILL_SEED'] ?? 'disorder';
const HOUR_MS = 3_600_000;
/** Of all tickets, each of the four. */
const SHARE = 0.05;

let system: ClusterSystem;

beforeEach(async () => {
  // All are sent at once: read in small batches, they still come one after the other.
  system = await openClusterSystem({ seed: SEED, settings: { ingestBatchRecordsMax: 40 } });
});
afterEach(() => system.close());

test(`10 % sent twice and 10 % out of order change nothing (seed ${SEED})`, async () => {
  const { sent, last } = makeDays(SEED, { perHour: 16, config: system.config });
  const disordered = disorder(sent, system.config.allowedLatenessMs);
  const ingest = [system.keep('ingest'), system.keep('ingest')];
  system.keep('forecast');

  await system.send(disordered);
  await system.send(last);
  await system.settled(UNTIL_MS);
  await system.judge([...sent, ...last], UNTIL_MS);

  expect(system.failures()).toEqual([]);
  const counted = await Promise.all(ingest.map(async (each) => counts(await each.current().url())));
  const sum = (of: 'duplicates' | 'late'): number => counted.reduce((total, each) => total + each[of], 0);
  expect(sum('duplicates')).toBeGreaterThan(SHARE * sent.length);
  expect(sum('late')).toBeGreaterThan(SHARE * sent.length);
});

/** In the order of arrival again: behind its neighbour, or where it belongs by its new time. */
function disorder(sent: readonly Sent[], allowedLatenessMs: number): Sent[] {
  const random = createRandom('disorder', SEED);
  const arrivals = sent.flatMap((each): Sent[] => {
    const { arrivalMs } = each;
    const chance = random.uniform();
    const afterMs = random.uniform();
    if (chance < SHARE) return [each, each];
    if (chance < 2 * SHARE) return [each, { ...each, arrivalMs: arrivalMs + 24 * HOUR_MS }];
    if (chance < 3 * SHARE) return [{ ...each, arrivalMs: arrivalMs + afterMs * allowedLatenessMs }];
    if (chance < 4 * SHARE)
      return [{ ...each, arrivalMs: arrivalMs + allowedLatenessMs + afterMs * 12 * HOUR_MS }];
    return [each];
  });
  return arrivals.sort((a, b) => a.arrivalMs - b.arrivalMs);
}

async function counts(url: string): Promise<{ duplicates: number; late: number }> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const value = (name: string): number => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1]);
  return {
    duplicates: value('foretill_ingest_duplicates_total'),
    late: value('foretill_ingest_late_total'),
  };
}
