/** How many letters there are of each topic and reason, and from when to when. */
import type { Log } from '../../pipeline/log.ts';
import type { LetterFilter } from './filter.ts';
import { readLetter } from './letter.ts';
import type { Letter } from './letter.ts';
import type { Replayed } from './replayed.ts';
import { scan } from './scan.ts';
import type { ScanOptions, Stretch } from './scan.ts';

export type SummaryRow = {
  readonly topic: string;
  readonly reason: string;
  readonly letters: number;
  /** Of these, put back already. */
  readonly replayed: number;
  readonly oldestMs: number;
  readonly newestMs: number;
};

/** Reasons are few; where others write letters of ever new ones, the rest is counted together. */
const REASONS_MAX = 1_000;
const OTHER_REASONS = '(other reasons)';

export async function summarise(
  log: Pick<Log, 'tail' | 'offsets'>,
  topics: readonly Stretch[],
  { filter, replayed }: { readonly filter: LetterFilter; readonly replayed: Replayed },
  options: ScanOptions = {},
): Promise<SummaryRow[]> {
  const rows = new Map<string, SummaryRow>();
  for (const stretch of topics) {
    await scan(
      log,
      stretch,
      (place, records) => {
        for (const record of records) {
          const letter = readLetter(place, record);
          if (filter(letter)) count(rows, letter, replayed.has(letter));
        }
      },
      options,
    );
  }
  return [...rows.values()].sort((a, b) => a.topic.localeCompare(b.topic) || b.letters - a.letters);
}

function count(
  rows: Map<string, SummaryRow>,
  { topic, reason, refusedAtMs }: Letter,
  isReplayed: boolean,
): void {
  const named = `${topic} ${reason}`;
  const known = rows.has(named) || rows.size < REASONS_MAX;
  const name = known ? named : `${topic} ${OTHER_REASONS}`;
  const row = rows.get(name);
  rows.set(name, {
    topic,
    reason: known ? reason : OTHER_REASONS,
    letters: (row?.letters ?? 0) + 1,
    replayed: (row?.replayed ?? 0) + (isReplayed ? 1 : 0),
    oldestMs: Math.min(row?.oldestMs ?? refusedAtMs, refusedAtMs),
    newestMs: Math.max(row?.newestMs ?? refusedAtMs, refusedAtMs),
  });
}
