/** Where the tickets of some buckets lie: found first, so that the statements after it read those places only. */
import type { Params, Store } from './client.ts';

/** One business date of one store. */
type Place = { readonly date: string; readonly store_id: string };

/** Places travel in a statement's address, which may be 1 MiB long. */
const PLACES_PER_STATEMENT_MAX = 4_000;

/**
 * Runs `statement` for the places of the stores that `sql` selects (business_date, store_id), at most so many at a
 * time, all places of a store together. Does nothing when there are none.
 */
export async function forTouchedPlaces(
  store: Store,
  select: { readonly sql: string; readonly params: Params },
  statement: (params: {
    readonly dates: string[];
    readonly stores: string[];
    readonly placeDates: string[];
    readonly placeStores: string[];
  }) => Promise<void>,
): Promise<void> {
  const places = await store.query<Place>(
    `SELECT DISTINCT toString(business_date) AS date, store_id FROM (${select.sql}) ORDER BY store_id, date`,
    select.params,
  );
  for (let at = 0; at < places.length;) {
    const chunk = wholeStores(places, at);
    await statement({
      dates: [...new Set(chunk.map(({ date }) => date))],
      stores: [...new Set(chunk.map(({ store_id }) => store_id))],
      placeDates: chunk.map(({ date }) => date),
      placeStores: chunk.map(({ store_id }) => store_id),
    });
    at += chunk.length;
  }
}

/** From `at` on as many places as allowed, but not a part of a store; at least one store. */
function wholeStores(places: readonly Place[], at: number): readonly Place[] {
  let end = Math.min(places.length, at + PLACES_PER_STATEMENT_MAX);
  if (end < places.length) {
    const cut = places[end]!.store_id;
    let back = end;
    while (back > at && places[back - 1]!.store_id === cut) back--;
    if (back > at) end = back;
    else while (end < places.length && places[end]!.store_id === cut) end++;
  }
  return places.slice(at, end);
}
