import { describe, expect, test } from 'vitest';
import { createSerial } from '../../src/roles/serial.ts';
import { runSliced } from '../../src/roles/sliced.ts';

describe('serial work', () => {
  test('goes one after another in the order it came, a failure being its own only', async () => {
    const serial = createSerial();
    const heard: string[] = [];
    const task =
      (name: string, fails = false) =>
      async (): Promise<string> => {
        heard.push(`${name} begins`);
        await Promise.resolve();
        heard.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      };
    const [a, b, c] = [serial.run(task('a')), serial.run(task('b', true)), serial.run(task('c'))];
    expect(serial.pending()).toBe(3);
    expect(await Promise.allSettled([a, b, c])).toEqual([
      { status: 'fulfilled', value: 'a' },
      { status: 'rejected', reason: new Error('b') },
      { status: 'fulfilled', value: 'c' },
    ]);
    expect(heard).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
    expect(serial.pending()).toBe(0);
  });
});

describe('sliced work', () => {
  function* steps(): Generator<number, void> {
    for (let i = 0; i < 4; i += 1) yield i;
  }

  test('waits for what a step asks it to wait for, before the next step', async () => {
    const heard: string[] = [];
    await runSliced(steps(), (step) => {
      heard.push(`step ${step}`);
      return step % 2 === 0 ? Promise.resolve().then(() => void heard.push(`waited for ${step}`)) : undefined;
    });
    expect(heard).toEqual(['step 0', 'waited for 0', 'step 1', 'step 2', 'waited for 2', 'step 3']);
  });

  test('ends with what a step throws', async () => {
    const seen: number[] = [];
    const run = runSliced(steps(), (step) => {
      seen.push(step);
      if (step === 1) throw new Error('enough');
      return undefined;
    });
    await expect(run).rejects.toThrow('enough');
    expect(seen).toEqual([0, 1]);
  });

  test('lets timers have their turn when it takes long', async () => {
    const seen = { ticks: 0 };
    const timer = setInterval(() => (seen.ticks += 1), 1);
    function* busy(): Generator<number, void> {
      const untilMs = performance.now() + 10_000;
      // Goes on until it has been let go of, or for ten seconds.
      for (let i = 0; seen.ticks === 0 && performance.now() < untilMs; i += 1) yield i;
    }
    await runSliced(busy());
    clearInterval(timer);
    expect(seen.ticks).toBeGreaterThan(0);
  });
});
