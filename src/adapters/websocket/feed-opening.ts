/** What a subscription begins with: all that is known (in parts, so that none is large), or what was missed. */
import { matches } from './feed-protocol.ts';
import type { FeedFilter } from './feed-protocol.ts';
import type { FeedRing } from './feed-ring.ts';
import type { Latest, LatestEntry } from './latest.ts';

const PART_CHARACTERS = 60_000;

/**
 * `snapshot` messages, at least one, `final` on the last. All bear the number that was the last when the snapshot
 * began: what they show may be newer, and whoever resumes from that number misses nothing.
 */
export function* snapshotOf(options: {
  id: string;
  epoch: string;
  seq: number;
  filter: FeedFilter;
  latest: Latest;
}): Generator<Buffer> {
  const { id, epoch, seq, filter, latest } = options;
  let part = 0;
  let forecasts: string[] = [];
  let nowcasts: string[] = [];
  let characters = 0;
  const message = (final: boolean) => {
    const head = JSON.stringify({ type: 'snapshot', id, epoch, seq, part, final }).slice(0, -1);
    part += 1;
    return Buffer.from(`${head},"forecasts":[${forecasts.join(',')}],"nowcasts":[${nowcasts.join(',')}]}`);
  };
  for (const entry of wanted(filter, latest)) {
    if (entry.forecast !== null) forecasts.push(entry.forecast.json());
    for (const nowcast of entry.nowcasts) nowcasts.push(nowcast.json());
    characters += (forecasts.at(-1)?.length ?? 0) + (nowcasts.at(-1)?.length ?? 0);
    if (characters < PART_CHARACTERS) continue;
    yield message(false);
    forecasts = [];
    nowcasts = [];
    characters = 0;
  }
  yield message(true);
}

/** `resumed`, then every message after `fromSeq` up to `toSeq` that matches, as it was sent at the time. */
export function* replayOf(options: {
  id: string;
  epoch: string;
  filter: FeedFilter;
  ring: FeedRing;
  fromSeq: number;
  toSeq: number;
}): Generator<Buffer> {
  const { id, epoch, filter, ring, fromSeq, toSeq } = options;
  yield Buffer.from(JSON.stringify({ type: 'resumed', id, epoch, seq: toSeq }));
  for (let seq = fromSeq + 1; seq <= toSeq; seq += 1) {
    const message = ring.at(seq);
    if (message === undefined) return;
    if (message.series === null || matches(filter, message.series)) yield message.bytes();
  }
}

function wanted(filter: FeedFilter, latest: Latest): Iterable<LatestEntry> {
  if (filter.series === undefined) return latest.sorted().filter((entry) => matches(filter, entry.series));
  const named = [...new Set(filter.series)].map((series) => latest.get(series));
  return named.filter((entry) => entry !== undefined && matches(filter, entry.series)) as LatestEntry[];
}
