/** A simulated chain: eight weeks of history, then its tills go on selling. */
import { insertProducts, insertPromotions } from '../../adapters/clickhouse/companions-table.ts';
import { instantOfText } from '../../adapters/csv/local-time.ts';
import { createRowProblems } from '../../adapters/csv/row-problems.ts';
import { systemClock } from '../../clock.ts';
import { DAY_MS, HOUR_MS } from '../../sales/durations.ts';
import { ForetillError } from '../../errors.ts';
import type { Platform } from '../../platform.ts';
import { businessDate, dayBounds, dayBucketMs } from '../../sales/calendar.ts';
import { createChain } from '../../simulator/chain.ts';
import type { Chain } from '../../simulator/chain.ts';
import { isPromoted } from '../../simulator/tickets.ts';
import { createTraffic } from '../../simulator/traffic.ts';
import type { Traffic } from '../../simulator/traffic.ts';
import { announceHistory } from '../announce-history.ts';
import { startTicketImport } from '../import-transactions.ts';
import { startProgress } from '../progress.ts';
import { playId } from './play.ts';
import type { Play } from './play.ts';
import { openSimulatedFeed } from './simulated-feed.ts';

export const CHAIN = { timeZone: 'America/New_York', currency: 'USD', ticketsPerStoreDay: 40 } as const;
const HISTORY_DAYS = 56;
/** Days begin at midnight, people in the morning. */
const MORNING_MS = 8 * HOUR_MS;
/** Promotions are known this far ahead. */
const PROMOTION_WEEKS_AHEAD = 26;

export type SimulationOptions = {
  readonly seed: string;
  readonly stores: number;
  readonly liveFrom?: string;
};

export function playSimulation(options: SimulationOptions): Play {
  const chain = createChain({ ...CHAIN, seed: options.seed, stores: options.stores });
  const traffic = createTraffic(chain);
  const liveFromMs = liveFromOf(options.liveFrom);
  return {
    id: playId(['simulated', options.seed, options.stores]),
    label: `Simulated chain of ${options.stores} stores, seed ${options.seed} (no real data)`,
    settings: { currency: chain.currency, timeZone: chain.timeZone },
    liveFromMs,
    startMs: options.liveFrom === undefined ? liveFromMs + MORNING_MS : liveFromMs,
    chain: {
      stores: chain.stores.map(({ id }) => id),
      categories: [...new Set(chain.products.map(({ category }) => category))],
    },
    async importHistory(platform, stop) {
      await importProducts(platform, chain);
      await importTickets(platform, traffic, { liveFromMs, stop });
      return { historyTickets: 0, stores: null };
    },
    importCompanions: (platform) => importPromotions(platform, chain, liveFromMs),
    open: async (state, _platform, injections) =>
      openSimulatedFeed(traffic, { fromMs: state.sentMs, injections }),
  };
}

async function importTickets(
  platform: Platform,
  traffic: Traffic,
  { liveFromMs, stop }: { liveFromMs: number; stop: AbortSignal },
): Promise<void> {
  const { store, config } = platform;
  const importer = await startTicketImport({
    config,
    store,
    nowMs: liveFromMs,
    source: 'simulator',
    problems: createRowProblems(),
    categoryOfSku: () => undefined,
  });
  const progress = startProgress({ label: 'Simulating eight weeks', total: HISTORY_DAYS });
  for (let day = HISTORY_DAYS; day > 0; day -= 1) {
    if (stop.aborted) {
      progress.giveUp();
      await importer.giveUp();
      throw stop.reason;
    }
    const fromMs = liveFromMs - day * DAY_MS;
    const deliveries = traffic.between(fromMs, fromMs + DAY_MS);
    await importer.add(deliveries.map(({ message }) => ({ message, line: 0 })));
    progress.update(HISTORY_DAYS - day, `${importer.counts.tickets.toLocaleString('en')} tickets`);
  }
  progress.stop(`${importer.counts.tickets.toLocaleString('en')} tickets`);
  const totalling = startProgress({ label: 'Adding up hours and days', total: 100 });
  await importer.finish((done, total) => totalling.update((100 * done) / total));
  totalling.stop();
  await announceHistory(platform, { watermarkMs: liveFromMs, amended: [] });
}

async function importProducts({ store, clock }: Platform, chain: Chain): Promise<void> {
  const recordedAtMs = clock.nowMs();
  await insertProducts(
    store,
    chain.products.map(({ sku, name, categoryPath }) => ({
      sku,
      name,
      categoryPath,
      brand: '',
      recordedAtMs,
    })),
  );
}

async function importPromotions({ store }: Platform, chain: Chain, liveFromMs: number): Promise<void> {
  const recordedAtMs = liveFromMs;
  const firstMonday = mondayBefore(liveFromMs - HISTORY_DAYS * DAY_MS, chain);
  const weeks = HISTORY_DAYS / 7 + PROMOTION_WEEKS_AHEAD;
  const promotions = Array.from({ length: weeks }, (_, week) => firstMonday + week * 7 * DAY_MS).flatMap(
    (mondayMs) =>
      chain.products
        .filter(({ sku }) => isPromoted(chain, sku, mondayMs))
        .flatMap(({ sku }) =>
          chain.stores.map(({ id: storeId }) => ({ storeId, sku, ...weekOf(mondayMs), recordedAtMs })),
        ),
  );
  await insertPromotions(store, promotions);
}

function weekOf(mondayMs: number): { promotionId: string; starts: string; ends: string; kind: string } {
  const iso = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  return {
    promotionId: `weekly-${iso(mondayMs)}`,
    starts: iso(mondayMs),
    ends: iso(mondayMs + 6 * DAY_MS),
    kind: 'price',
  };
}

/** Midnight UTC of the Monday on or before the local date. */
function mondayBefore(ms: number, chain: Chain): number {
  const dayMs = dayBucketMs(businessDate(ms, { timeZone: chain.timeZone, businessDayStartMinutes: 0 }));
  return dayMs - ((Math.floor(dayMs / DAY_MS) + 3) % 7) * DAY_MS;
}

/** The last local midnight, or what was asked for. */
function liveFromOf(text: string | undefined): number {
  const calendar = { timeZone: CHAIN.timeZone, businessDayStartMinutes: 0 };
  if (text === undefined) return dayBounds(businessDate(systemClock.nowMs(), calendar), calendar).startMs;
  const ms = instantOfText(text, { timeZone: CHAIN.timeZone, order: 'iso' });
  if (ms !== null) return ms;
  throw new ForetillError('USAGE', `--live-from ${text} is no date.`, {
    remedy: 'Use a date such as 2026-03-02.',
  });
}
