/**
 * Memory of many series: one buffer seen through two views. A record begins at word `at` (8 bytes a word): its
 * doubles are `f64[at + i]`, its packed singles `f32[2 * at + j]`. Snapshot, restore, growth and hand-over of a series
 * are copies of its words, to any offset of any slab; copying between views of one type keeps every bit.
 */
export type Slab = { readonly f64: Float64Array<ArrayBuffer>; readonly f32: Float32Array<ArrayBuffer> };

/** A slab of `words` zeroed words. */
export function createSlab(words: number): Slab {
  const buffer = new ArrayBuffer(words * Float64Array.BYTES_PER_ELEMENT);
  return { f64: new Float64Array(buffer), f32: new Float32Array(buffer) };
}

/** A slab of at least `words` words that begins with a copy of `slab`. */
export function growSlab(slab: Slab, words: number): Slab {
  const grown = createSlab(Math.max(words, slab.f64.length));
  grown.f64.set(slab.f64);
  return grown;
}
