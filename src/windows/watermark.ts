/**
 * The watermark of one source partition: the promise that no ticket ending at or before it is still expected.
 *
 * It is the highest end time seen less the allowed lateness, and never goes back. A partition that has fallen silent
 * goes on with the clock from where it stood, `base + (now − since)`, so that closing waits for no shop that has shut
 * for the night; as it only ever flows on from its last record it cannot jump, whatever the clock says. It also
 * follows the furthest of the partitions read beside it: what then comes late amends, so this costs no exactness.
 * Source: Akidau et al., "The Dataflow Model", VLDB 2015, section 2.3; idle sources as in Apache Flink.
 */
export type Watermark = {
  /** Null until the first ticket. UTC milliseconds of event time. */
  readonly ms: number | null;
  /** The watermark and the clock when the last record was read: silence is counted from here. */
  readonly baseMs: number | null;
  readonly sinceMs: number;
};

/** What a partition starts with: nothing, or the watermark committed with its offset. */
export function startWatermark(committedMs: number | null, nowMs: number): Watermark {
  return { ms: committedMs, baseMs: committedMs, sinceMs: nowMs };
}

/** After reading records: `maxEndMs` is the highest end time among them, null when none was accepted. */
export function observe(
  watermark: Watermark,
  seen: { maxEndMs: number | null; nowMs: number; allowedLatenessMs: number },
): Watermark {
  const candidate = seen.maxEndMs === null ? null : seen.maxEndMs - seen.allowedLatenessMs;
  const ms = latest(watermark.ms, candidate);
  return { ms, baseMs: ms, sinceMs: seen.nowMs };
}

/**
 * When everything written has been read and nothing comes: after `idleAfterMs` of silence it goes on with the clock, and
 * up to `leadMs`, the furthest watermark of the partitions beside it (null: none is known).
 */
export function idle(
  watermark: Watermark,
  now: { nowMs: number; idleAfterMs: number; leadMs: number | null },
): Watermark {
  const silentMs = now.nowMs - watermark.sinceMs;
  if (watermark.baseMs === null || silentMs < now.idleAfterMs) return watermark;
  return { ...watermark, ms: latest(latest(watermark.ms, watermark.baseMs + silentMs), now.leadMs) };
}

function latest(a: number | null, b: number | null): number | null {
  if (a === null) return b;
  return b === null ? a : Math.max(a, b);
}
