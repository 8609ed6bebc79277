import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { idle, observe, startWatermark } from '../../src/windows/watermark.ts';
import type { Watermark } from '../../src/windows/watermark.ts';

const MINUTE_MS = 60_000;
const LATENESS_MS = 2 * MINUTE_MS;
const IDLE_MS = MINUTE_MS;
/** Some afternoon, event time and clock alike. */
const T = Date.UTC(2026, 2, 1, 15);

type Step =
  | { readonly sees: number; readonly at: number }
  | { readonly silentUntil: number; readonly lead?: number };

/** Minutes after T throughout; the watermark after each step. */
function run(start: { committed: number | null; at: number }, steps: readonly Step[]): (number | null)[] {
  let watermark = startWatermark(minutes(start.committed), T + start.at * MINUTE_MS);
  return steps.map((step) => {
    watermark = take(watermark, step);
    return watermark.ms === null ? null : (watermark.ms - T) / MINUTE_MS;
  });
}

function take(watermark: Watermark, step: Step): Watermark {
  if ('sees' in step) {
    const seen = { maxEndMs: T + step.sees * MINUTE_MS, nowMs: T + step.at * MINUTE_MS };
    return observe(watermark, { ...seen, allowedLatenessMs: LATENESS_MS });
  }
  const leadMs = minutes(step.lead ?? null);
  return idle(watermark, { nowMs: T + step.silentUntil * MINUTE_MS, idleAfterMs: IDLE_MS, leadMs });
}

function minutes(after: number | null): number | null {
  return after === null ? null : T + after * MINUTE_MS;
}

describe('the watermark', () => {
  test.each<[string, { committed: number | null; at: number }, readonly Step[], readonly (number | null)[]]>([
    [
      'is the highest end time less the allowed lateness',
      { committed: null, at: 0 },
      [
        { sees: 0, at: 0 },
        { sees: 10, at: 10 },
      ],
      [-2, 8],
    ],
    [
      'never goes back for a late ticket',
      { committed: null, at: 0 },
      [
        { sees: 10, at: 10 },
        { sees: -300, at: 11 },
      ],
      [8, 8],
    ],
    [
      'is unknown, silence or not, until there is a ticket',
      { committed: null, at: 0 },
      [{ silentUntil: 500 }, { silentUntil: 501, lead: 500 }, { sees: 502, at: 502 }],
      [null, null, 500],
    ],
    [
      'stands through a short silence and flows with the clock in a long one',
      { committed: null, at: 0 },
      [{ sees: 10, at: 10 }, { silentUntil: 10.9 }, { silentUntil: 11 }, { silentUntil: 70 }],
      [8, 8, 9, 68],
    ],
    [
      'waits anew after a ticket of the past, and does not go back for it',
      { committed: null, at: 0 },
      [
        { sees: 10, at: 10 },
        { silentUntil: 70 },
        { sees: 20, at: 71 },
        { silentUntil: 71.5 },
        { silentUntil: 72 },
      ],
      [8, 68, 68, 68, 69],
    ],
    [
      'goes on after a restart from where it was committed, without a jump over the time in between',
      { committed: 0, at: 4_000 },
      [{ silentUntil: 4_000.5 }, { silentUntil: 4_002 }, { sees: 4_010, at: 4_010 }],
      [0, 2, 4_008],
    ],
    [
      'follows the furthest beside it in silence, and only in silence',
      { committed: 0, at: 0 },
      [
        { silentUntil: 0.5, lead: 900 },
        { silentUntil: 2, lead: 900 },
        { sees: 3, at: 3 },
        { silentUntil: 4.5, lead: 500 },
      ],
      [0, 900, 900, 901.5],
    ],
    [
      'does not move when the clock is set back',
      { committed: 100, at: 100 },
      [{ silentUntil: 110 }, { silentUntil: -5_000 }, { silentUntil: 111 }],
      [110, 110, 111],
    ],
    [
      'moves by whole seconds in silence, so that not every look at the clock is a message',
      { committed: 0, at: 0 },
      [{ silentUntil: 1 + 1_499 / MINUTE_MS }, { silentUntil: 1 + 1_999 / MINUTE_MS }, { silentUntil: 2 }],
      [1 + 1_000 / MINUTE_MS, 1 + 1_000 / MINUTE_MS, 2],
    ],
  ])('%s', (_, start, steps, expected) => {
    const found = run(start, steps);
    expect(found).toHaveLength(expected.length);
    for (const [i, ms] of expected.entries()) {
      if (ms === null) expect(found[i]).toBeNull();
      else expect(found[i]).toBeCloseTo(ms, 9);
    }
  });

  test('never goes back, whatever comes in whatever order', () => {
    const minute = fc.integer({ min: -10_000, max: 10_000 });
    const step: fc.Arbitrary<Step> = fc.oneof(
      fc.record({ sees: minute, at: minute }),
      fc.record({ silentUntil: minute, lead: minute }),
    );
    fc.assert(
      fc.property(fc.option(minute, { nil: null }), fc.array(step), (committed, steps) => {
        let last = committed ?? Number.NEGATIVE_INFINITY;
        for (const ms of run({ committed, at: 0 }, steps)) {
          expect(ms ?? Number.NEGATIVE_INFINITY).toBeGreaterThanOrEqual(last);
          last = ms ?? last;
        }
      }),
    );
  });
});
