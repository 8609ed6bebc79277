/** What a run has come to, read from where users would: the sales table and the forecast topic. */
import { readTotals } from '../../src/adapters/clickhouse/sales-table.ts';
import type { ForecastMessage } from '../../src/pipeline/messages.ts';
import { TOPICS } from '../../src/pipeline/topics.ts';
import type { Platform } from '../../src/platform.ts';
import { readTopic } from '../read-topic.ts';
import { ticketText } from './traffic.ts';
import type { ExpectedLeaf } from './traffic.ts';

export async function readSales(platform: Pick<Platform, 'store'>): Promise<Map<string, ExpectedLeaf>> {
  const sales = new Map<string, ExpectedLeaf>();
  for (const granularity of ['hour', 'day'] as const) {
    const totals = await readTotals(platform.store, {
      granularity,
      fromMs: 0,
      beforeMs: 4e12,
      products: 'each',
    });
    for (let i = 0; i < totals.bucketMs.length; i += 1) {
      const key = [
        granularity,
        totals.bucketMs[i],
        totals.storeId[i],
        totals.category[i],
        totals.sku[i],
      ].join('|');
      const leaf = { units: totals.unitsThousandths[i] as number, revenue: totals.revenueMinor[i] as number };
      if (leaf.units !== 0 || leaf.revenue !== 0) sales.set(key, leaf);
    }
  }
  return sales;
}

/** Every ticket once, by store and number, with the revision that stands. */
export async function readTickets({ store }: Pick<Platform, 'store'>): Promise<Map<string, string>> {
  const rows = await store.query<{ store_id: string; transaction_id: string; revision: number; n: number }>(
    `SELECT store_id, transaction_id, max(revision) AS revision, count() AS n FROM transactions FINAL
     GROUP BY store_id, transaction_id`,
  );
  return new Map(
    rows.map(({ store_id, transaction_id, revision, n }) => [
      `${store_id}|${transaction_id}`,
      ticketText({ revision, times: n }),
    ]),
  );
}

/** As `latestMessages`, without what tells when they were issued. */
export async function latestForecasts(
  platform: Pick<Platform, 'log' | 'codec'>,
): Promise<Map<string, string>> {
  const latest = await latestMessages(platform);
  return new Map(
    [...latest].map(([series, { origin_ms, points, experts, scores, reconciled }]) => [
      series,
      JSON.stringify({ origin_ms, points, experts, scores, reconciled }),
    ]),
  );
}

/**
 * The issue or amendment per series that was stamped last. A process that was stopped and goes on may tell what it had
 * made before: readers go by the stamp.
 */
export async function latestMessages(
  platform: Pick<Platform, 'log' | 'codec'>,
): Promise<Map<string, ForecastMessage>> {
  const latest = new Map<string, ForecastMessage>();
  for (const { value } of await readTopic(platform.log, TOPICS.forecasts)) {
    if (value === null) continue;
    const message = platform.codec.decode(TOPICS.forecasts, value);
    if (message.kind === 'NOWCAST') continue;
    const known = latest.get(message.series);
    if (known === undefined || known.issued_at_ms <= message.issued_at_ms)
      latest.set(message.series, message);
  }
  return latest;
}
