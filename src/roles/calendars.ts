/**
 * The stores' zones and business days: from the `stores` table, where a store that sells for the first time is entered
 * with its till's zone, so that ingest and forecast go by the same.
 */
import { readStores, insertStores } from '../adapters/clickhouse/companions-table.ts';
import type { Store } from '../adapters/clickhouse/client.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { StoreCalendar } from '../sales/calendar.ts';

export type Calendars = {
  /** The chain's own for `undefined` and for stores not known. */
  of(storeId: string | undefined): StoreCalendar;
  known(storeId: string): StoreCalendar | undefined;
  /** Every calendar in use, the chain's first. */
  all(): readonly StoreCalendar[];
  /** Takes in stores not known yet. One that has moved is taken up by a restart: what is learned goes by one clock. */
  load(): Promise<void>;
  /** Enters stores that are not in the table yet. */
  enter(stores: ReadonlyMap<string, StoreCalendar>): Promise<void>;
};

export function createCalendars(deps: { store: Store; config: Config; clock: Clock }): Calendars {
  const chain: StoreCalendar = {
    timeZone: deps.config.timeZone,
    businessDayStartMinutes: deps.config.businessDayStartMinutes,
  };
  const calendars = new Map<string, StoreCalendar>();
  let distinct: readonly StoreCalendar[] = [chain];

  function set(entries: Iterable<readonly [string, StoreCalendar]>): void {
    for (const [storeId, { timeZone, businessDayStartMinutes }] of entries) {
      if (!calendars.has(storeId)) calendars.set(storeId, { timeZone, businessDayStartMinutes });
    }
    const names = new Map([chain, ...calendars.values()].map((each) => [JSON.stringify(each), each]));
    distinct = [...names.values()];
  }

  async function load(): Promise<void> {
    set((await readStores(deps.store)).map((row) => [row.storeId, row]));
  }

  return {
    of: (storeId) => (storeId === undefined ? chain : (calendars.get(storeId) ?? chain)),
    known: (storeId) => calendars.get(storeId),
    all: () => distinct,
    load,
    async enter(stores) {
      if ([...stores.keys()].every((storeId) => calendars.has(storeId))) return;
      // Another process, or an import, may have entered it.
      await load();
      const missing = [...stores].filter(([storeId]) => !calendars.has(storeId));
      if (missing.length === 0) return;
      const recordedAtMs = deps.clock.nowMs();
      await insertStores(
        deps.store,
        missing.map(([storeId, calendar]) => ({ storeId, name: storeId, ...calendar, recordedAtMs })),
      );
      set(missing);
    },
  };
}
