/**
 * Lays a record out by composition: each part says how many words it needs and is told where they begin, counted
 * from the record's own beginning. `text` names every part with its place, so two layouts with the same text hold
 * the same meaning.
 */
export type Layout = {
  /** Reserves `words` words for the part called `name`; returns their offset within the record. */
  take(name: string, words: number): number;
  /** Reserves room for `singles` packed 32-bit floats, rounded up to whole words; returns the offset in words. */
  takeSingles(name: string, singles: number): number;
  words(): number;
  text(): string;
};

export function createLayout(): Layout {
  const parts: string[] = [];
  let next = 0;
  const take = (name: string, words: number): number => {
    const offset = next;
    next += words;
    parts.push(`${name}@${offset}+${words}`);
    return offset;
  };
  return {
    take,
    takeSingles: (name, singles) => take(name, Math.ceil(singles / 2)),
    words: () => next,
    text: () => parts.join(' '),
  };
}
