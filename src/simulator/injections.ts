/** What can be brought about in the simulated chain, each for a stretch of its time. */
export type Injection = {
  readonly id: string;
  readonly fromMs: number;
  /** Until it is stopped: Infinity. */
  readonly untilMs: number;
  /** Null: all stores. */
  readonly storeId: string | null;
} & (
  | { readonly kind: 'promotion'; readonly category: string; readonly factor: number }
  | { readonly kind: 'stock-out'; readonly category: string }
  | { readonly kind: 'demand-shift'; readonly factor: number }
  | { readonly kind: 'offline-till'; readonly registerId: string }
  | { readonly kind: 'duplicates'; readonly copies: number }
);

/** Whether it touches what ends at this instant in this store. */
export function isTouched(injection: Injection, storeId: string, endMs: number): boolean {
  return (
    (injection.storeId === null || injection.storeId === storeId) &&
    endMs >= injection.fromMs &&
    endMs < injection.untilMs
  );
}
