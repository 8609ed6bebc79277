import { describe, expect, test } from 'vitest';
import { manualClock } from '../../src/clock.ts';
import { createDemoClock } from '../../src/commands/demo/demo-clock.ts';
import { createControls } from '../../src/commands/demo/demo-controls.ts';
import { INJECTABLE, injectionOf } from '../../src/commands/demo/events.ts';

const HOUR_MS = 3_600_000;
const CHAIN = { stores: ['S01', 'S02'], categories: ['BREAD', 'EGGS'] };
const context = { id: 'e1', nowMs: 1_000, ...CHAIN };

describe('forms become what is brought about', () => {
  test.each<readonly [string, Record<string, string | number>, Record<string, unknown>, string]>([
    [
      'promotion',
      { category: 'BREAD', uplift: 60, hours: 2 },
      {
        kind: 'promotion',
        category: 'BREAD',
        factor: 1.6,
        storeId: null,
        fromMs: 1_000,
        untilMs: 1_000 + 2 * HOUR_MS,
      },
      'Promotion: BREAD in all stores, +60 %',
    ],
    [
      'stock-out',
      { category: 'EGGS', store: 'S02' },
      { kind: 'stock-out', category: 'EGGS', storeId: 'S02', untilMs: 1_000 + 6 * HOUR_MS },
      'Stock-out: EGGS in store S02',
    ],
    [
      'demand-shift',
      { change: '-50', store: 'all' },
      { kind: 'demand-shift', factor: 0.5, storeId: null },
      'Demand -50 % in all stores',
    ],
    [
      'offline-till',
      {},
      { kind: 'offline-till', storeId: 'S01', registerId: '1' },
      'Till 1 of store S01 is offline',
    ],
    [
      'duplicates',
      { copies: 3, store: '' },
      { kind: 'duplicates', copies: 3, storeId: null },
      'Every ticket 4 times from all stores',
    ],
  ])('%s with %j', (kind, values, injection, label) => {
    expect(injectionOf(kind, values, context)).toMatchObject({
      injection: { id: 'e1', ...injection },
      label,
    });
  });

  test('every event of the page can be brought about as it is offered', () => {
    for (const { kind, parameters } of INJECTABLE) {
      const values = Object.fromEntries(
        parameters.map(({ name, initial }) => [name, name === 'category' ? 'BREAD' : (initial ?? '')]),
      );
      expect(injectionOf(kind, values, context).injection.kind).toBe(kind);
    }
  });
});

describe('what does not fit is refused with the choices', () => {
  test.each<readonly [string, Record<string, string | number>, RegExp]>([
    ['earthquake', {}, /no event "earthquake"/],
    ['promotion', {}, /A category must be chosen/],
    ['promotion', { category: 'SNOW' }, /no category "SNOW"/],
    ['promotion', { category: 'BREAD', uplift: 10_000 }, /from 10 to 900/],
    ['stock-out', { category: 'BREAD', store: 'S99' }, /no store "S99"/],
    ['duplicates', { copies: 'many' }, /must be a number/],
    ['duplicates', { colour: 'red' }, /"colour" is no parameter/],
  ])('%s with %j', (kind, values, message) => {
    expect(() => injectionOf(kind, values, context)).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringMatching(message) }),
    );
  });
});

test('an event is active until it ends or is stopped, and what is over is remembered', () => {
  const base = manualClock(0);
  const clock = createDemoClock({ startMs: 0, speed: 3_600, base });
  clock.start();
  const controls = createControls({ label: 'x', clock, feed: () => null, chain: CHAIN, injections: [] });
  const one = controls.inject('stock-out', { category: 'BREAD', hours: 1 });
  const other = controls.inject('demand-shift', { hours: 12 });
  expect(controls.active().map(({ label }) => label)).toEqual([one.label, other.label]);
  base.advance(1_500);
  expect(controls.active().map(({ id }) => id)).toEqual([other.id]);
  expect([controls.stop(one.id), controls.stop(other.id), controls.stop(other.id)]).toEqual([
    false,
    true,
    false,
  ]);
  expect(controls.injections().map(({ untilMs }) => untilMs)).toEqual([HOUR_MS, 1.5 * HOUR_MS]);
});

test('a replay offers nothing to bring about', () => {
  const clock = createDemoClock({ startMs: 0, speed: 77, base: manualClock(0) });
  const controls = createControls({ label: 'x', clock, feed: () => null, chain: null, injections: [] });
  expect([controls.simulated, controls.injectable, controls.progress()]).toEqual([false, [], null]);
  expect(controls.speeds).toContain(77);
});
