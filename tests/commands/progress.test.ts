import { expect, test } from 'vitest';
import { startProgress } from '../../src/commands/progress.ts';

test('without a terminal: a line every tenth, and the end', () => {
  const lines: string[] = [];
  const progress = startProgress({
    label: 'Reading',
    total: 1_000,
    terminal: false,
    write: (text) => lines.push(text),
  });
  for (let done = 0; done <= 1_000; done += 40) progress.update(done, `${done} rows`);
  progress.stop('all rows');
  expect(lines).toHaveLength(10);
  expect(lines[0]).toBe('Reading: 10%, 120 rows\n');
  expect(lines.at(-1)).toBe('Reading: done, all rows\n');
});

test('a total of nothing is done at once', () => {
  const lines: string[] = [];
  const progress = startProgress({
    label: 'Reading',
    total: 0,
    terminal: false,
    write: (text) => lines.push(text),
  });
  progress.update(0);
  progress.stop();
  expect(lines).toEqual(['Reading: done\n']);
});
