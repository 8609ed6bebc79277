/** Progress of reading letters, once it has taken a second: most of the time it takes less. */
import type { Progress } from '../progress.ts';
import { startProgress } from '../progress.ts';
import type { Stretch } from './scan.ts';

export type ReadingProgress = {
  /** So many offsets more are behind us. */
  onRead(offsets: number): void;
  end(): void;
};

const SHOWN_AFTER_MS = 1_000;

export function readingProgress(topics: readonly Stretch[]): ReadingProgress {
  const total = topics
    .flatMap(({ ranges }) => [...ranges.values()])
    .reduce((sum, { start, end }) => sum + Math.max(0, end - start), 0);
  const startedMs = performance.now();
  let read = 0;
  let progress: Progress | null = null;
  return {
    onRead(offsets) {
      read += offsets;
      if (performance.now() - startedMs < SHOWN_AFTER_MS) return;
      progress ??= startProgress({ label: 'Reading letters', total });
      progress.update(read, `${read.toLocaleString('en')} letters`);
    },
    end: () => progress?.stop(`${read.toLocaleString('en')} letters`),
  };
}
