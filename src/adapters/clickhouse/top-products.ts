/** The products with the most sales: those that get series of their own. */
import type { Store } from './client.ts';

/** Products by the days and stores they sold in, the most first; equals by name. */
export async function topProducts(store: Store, options: { limit: number }): Promise<string[]> {
  const rows = await store.query<{ sku: string }>(
    `SELECT sku, uniqExact(bucket, store_id) AS selling_days
     FROM sales WHERE granularity = 'day' AND units_thousandths != 0
     GROUP BY sku ORDER BY selling_days DESC, sku LIMIT {limit:UInt32}`,
    { limit: options.limit },
  );
  return rows.map(({ sku }) => sku);
}
