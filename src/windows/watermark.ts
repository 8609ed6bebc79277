/**
 * The watermark of one source partition: the promise that no ticket ending at or before it is still expected.
 *
 * It is the highest end time seen less the allowed lateness, and never goes back. A partition that has fallen silent
 * goes on with the clock from where it stood, `base + (now − since)`, so that closing waits for no shop that has shut
 * for the night; after a restart it flows on from where it was committed and makes no jump for the time in between. It
 * also follows the furthest of the partitions read beside it: what then comes late amends, so this costs no exactness.
 * Source: Akidau et al., "The Dataflow Model", VLDB 2015, section 2.3; idle sources as in Apache Flink.
 */
export type Watermark = {
  /** Null until the first ticket. UTC milliseconds of event time. */
  readonly ms: number | null;
  /** The watermark and the clock when the last record was read: silence is counted from here. */
  readonly baseMs: number | null;
  readonly sinceMs: number;
};

const STEP_MS = 1_000;

/** What a partition starts with: nothing, or the watermark committed with its offset. */
export function startWatermark(committedMs: number | null, nowMs: number): Watermark {
  return { ms: committedMs, baseMs: committedMs, sinceMs: nowMs };
}

/** After reading tickets: `maxEndMs` is the highest end time among them. */
export function observe(
  watermark: Watermark,
  seen: { maxEndMs: number; nowMs: number; allowedLatenessMs: number },
): Watermark {
  const ms = latest(watermark.ms, seen.maxEndMs - seen.allowedLatenessMs);
  return { ms, baseMs: ms, sinceMs: seen.nowMs };
}

/**
 * When everything written has been read and nothing comes: after `idleAfterMs` of silence it goes on with the clock, and
 * up to `leadMs`, the furthest watermark of the partitions beside it (null: none is known). It then moves by whole
 * seconds: every move is a message, and all buckets end on whole minutes.
 */
export function idle(
  watermark: Watermark,
  now: { nowMs: number; idleAfterMs: number; leadMs: number | null },
): Watermark {
  const silentMs = now.nowMs - watermark.sinceMs;
  if (watermark.baseMs === null || silentMs < now.idleAfterMs) return watermark;
  const reached = Math.max(watermark.baseMs + silentMs, now.leadMs ?? Number.NEGATIVE_INFINITY);
  return { ...watermark, ms: latest(watermark.ms, Math.floor(reached / STEP_MS) * STEP_MS) };
}

function latest(known: number | null, ms: number): number {
  return known === null ? ms : Math.max(known, ms);
}
