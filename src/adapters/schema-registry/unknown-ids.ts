import type { Clock } from '../../clock.ts';

/** Ids that the registry did not know when it was asked: it is not asked again for a while, whatever comes in. */
export type UnknownIds = {
  has(id: number): boolean;
  /** No room for another: none may be asked for until the oldest is forgotten. */
  isFull(): boolean;
  add(id: number): void;
};

export function createUnknownIds(options: {
  readonly clock: Clock;
  /** How long an id is remembered. */
  readonly rememberedMs: number;
  readonly idsMax: number;
}): UnknownIds {
  const { clock, rememberedMs, idsMax } = options;
  /** When each was asked for; the oldest first. */
  const askedMs = new Map<number, number>();

  /** A clock that was set back makes an entry look as if it came from the future: it is forgotten, too. */
  const isFresh = (atMs: number): boolean => {
    const ageMs = clock.nowMs() - atMs;
    return ageMs >= 0 && ageMs < rememberedMs;
  };

  return {
    has(id) {
      const atMs = askedMs.get(id);
      return atMs !== undefined && isFresh(atMs);
    },
    isFull() {
      for (const [id, atMs] of askedMs) {
        if (isFresh(atMs)) break;
        askedMs.delete(id);
      }
      return askedMs.size >= idsMax;
    },
    add(id) {
      askedMs.delete(id);
      askedMs.set(id, clock.nowMs());
    },
  };
}
