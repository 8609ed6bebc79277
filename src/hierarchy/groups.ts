/**
 * Which sums every leaf adds to, as numbers. A dimension (stores, categories, the chain) puts each leaf in at most one
 * of its sums; several dimensions cross, so together they are no tree.
 */
export type Dimension = {
  readonly sums: number;
  /** Per leaf its sum in this dimension, from 0; −1: none. */
  readonly sumOf: Int32Array;
};

/** The sums of all dimensions are numbered through: those of the first dimension, those of the second, … */
export type Groups = { readonly leaves: number; readonly dimensions: readonly Dimension[] };

export function sumCount({ dimensions }: Groups): number {
  return dimensions.reduce((count, { sums }) => count + sums, 0);
}

/** Writes every sum of the leaves, added up in their order. */
export function addUp({ leaves, dimensions }: Groups, leaf: Float64Array, sums: Float64Array): void {
  sums.fill(0);
  let first = 0;
  for (const dimension of dimensions) {
    for (let i = 0; i < leaves; i++) {
      const sum = dimension.sumOf[i]!;
      if (sum >= 0) sums[first + sum]! += leaf[i]!;
    }
    first += dimension.sums;
  }
}
