/** What a run has come to, read from where users would: the sales table and the forecast topic. */
import { readTotals } from '../../src/adapters/clickhouse/sales-table.ts';
import type { ForecastMessage } from '../../src/pipeline/messages.ts';
import { TOPICS } from '../../src/pipeline/topics.ts';
import type { Platform } from '../../src/platform.ts';
import type { ExpectedLeaf } from './traffic.ts';

export async function readSales(platform: Platform): Promise<Map<string, ExpectedLeaf>> {
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

/** Latest issue or amendment per series, without what tells when it was issued. */
export async function latestForecasts(platform: Platform): Promise<Map<string, string>> {
  const latest = new Map<string, string>();
  const end = (await platform.log.offsets(TOPICS.forecasts)).get(0)?.end ?? 0;
  if (end === 0) return latest;
  await new Promise<void>((resolve, reject) => {
    const tail = platform.log.tail(
      { topic: TOPICS.forecasts, from: 'earliest', batchRecordsMax: 1_000 },
      {
        async eachBatch(batch) {
          for (const { value } of batch.records)
            if (value !== null) keep(platform.codec.decode(TOPICS.forecasts, value));
          if ((batch.records.at(-1)?.offset ?? 0) + 1 >= end)
            void tail.then((open) => open.stop()).then(resolve, reject);
        },
        onCrash: reject,
      },
    );
    tail.catch(reject);
  });
  function keep(message: ForecastMessage): void {
    if (message.kind === 'NOWCAST') return;
    const { series, origin_ms, points, experts, scores, reconciled } = message;
    latest.set(series, JSON.stringify({ origin_ms, points, experts, scores, reconciled }));
  }
  return latest;
}
