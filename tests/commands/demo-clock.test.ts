import { expect, test } from 'vitest';
import { manualClock } from '../../src/clock.ts';
import { createDemoClock } from '../../src/commands/demo/demo-clock.ts';

function clocks(speed: number) {
  const base = manualClock(1_000_000);
  return { base, clock: createDemoClock({ startMs: 500, speed, base }) };
}

test('stands until it is started, then runs so many times as fast', () => {
  const { base, clock } = clocks(600);
  base.advance(1_000);
  expect(clock.nowMs()).toBe(500);
  clock.start();
  base.advance(1_000);
  expect(clock.nowMs()).toBe(500 + 600_000);
});

test('a change of speed changes nothing that has passed', () => {
  const { base, clock } = clocks(10);
  clock.start();
  base.advance(1_000);
  clock.setSpeed(100);
  expect([clock.nowMs(), clock.speed()]).toEqual([10_500, 100]);
  base.advance(1_000);
  expect(clock.nowMs()).toBe(110_500);
});

test('after a pause of the machine it goes on from where it was', () => {
  const { base, clock } = clocks(600);
  clock.start();
  base.advance(8 * 3_600_000);
  expect(clock.nowMs()).toBe(500 + 2_000 * 600);
});

test('never goes back, not even when the machine does', () => {
  const { base, clock } = clocks(10);
  clock.start();
  base.advance(100);
  const before = clock.nowMs();
  base.advance(-5_000);
  expect(clock.nowMs()).toBe(before);
  base.advance(100);
  expect(clock.nowMs()).toBe(before + 1_000);
});

test('stands at the end of the data', () => {
  const { base, clock } = clocks(10);
  clock.start();
  clock.stopAt(5_500);
  for (let step = 0; step < 3; step += 1) base.advance(1_000);
  expect([clock.nowMs(), clock.nowMs()]).toEqual([5_500, 5_500]);
});

test('another one goes on from what it shows, and never goes back', () => {
  const { base, clock } = clocks(60);
  const other = createDemoClock({ startMs: 0, speed: 1, base });
  clock.start();
  base.advance(1_000);
  other.follow(clock.reading());
  expect(other.nowMs()).toBe(60_500);
  clock.setSpeed(10);
  other.follow(clock.reading());
  base.advance(100);
  expect([other.nowMs(), clock.nowMs()]).toEqual([61_500, 61_500]);
  other.follow({ nowMs: 1, speed: 10, running: true, endMs: null });
  expect(other.nowMs()).toBe(61_500);
  other.follow({ ...clock.reading(), endMs: 61_600 });
  base.advance(1_000);
  expect(other.nowMs()).toBe(61_600);
});
