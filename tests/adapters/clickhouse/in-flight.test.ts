import { expect, it } from 'vitest';
import { limitInFlight } from '../../../src/adapters/clickhouse/in-flight.ts';

it('runs so many at once, the others in turn, and refuses what is beyond', async () => {
  const run = limitInFlight({ max: 2, waitingMax: 2, onFull: () => new Error('full') });
  const started: number[] = [];
  const finish: ((error?: Error) => void)[] = [];
  const task = (i: number) =>
    run(
      () =>
        new Promise<number>((resolve, reject) => {
          started.push(i);
          finish[i] = (error) => (error === undefined ? resolve(i) : reject(error));
        }),
    );
  const results = [0, 1, 2, 3].map(task);
  await expect(task(4)).rejects.toThrow('full');
  expect(started).toEqual([0, 1]);

  finish[1]!(new Error('failed'));
  await expect(results[1]).rejects.toThrow('failed');
  await expect.poll(() => started).toEqual([0, 1, 2]);
  finish[0]!();
  await results[0];
  await expect.poll(() => started).toEqual([0, 1, 2, 3]);
  finish[2]!();
  finish[3]!();
  expect(await Promise.all([results[0], results[2], results[3]])).toEqual([0, 2, 3]);

  const again = task(5);
  await expect.poll(() => started.at(-1)).toBe(5);
  finish[5]!();
  expect(await again).toBe(5);
});
