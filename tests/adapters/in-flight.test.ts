import { expect, it } from 'vitest';
import { limitInFlight } from '../../src/adapters/in-flight.ts';

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

it('lets go who waits when its signal is aborted, and keeps the others in turn', async () => {
  const run = limitInFlight({ max: 1, waitingMax: 2, onFull: () => new Error('full') });
  const first = Promise.withResolvers<string>();
  const results = [run(() => first.promise)];
  const end = new AbortController();
  const given = run(async () => 'never', end.signal);
  results.push(run(async () => 'third'));
  end.abort(new Error('given up'));
  await expect(given).rejects.toThrow('given up');
  await expect(run(async () => 'never', end.signal)).rejects.toThrow('given up');
  results.push(run(async () => 'fourth'));
  first.resolve('first');
  expect(await Promise.all(results)).toEqual(['first', 'third', 'fourth']);
});
