/**
 * The statement that writes what `sales` says wrongly about some buckets: their totals are computed from
 * `transactions FINAL` and compared with the latest in `sales`; only leaves that differ are written, a leaf that
 * vanished as zeros. Run again it writes nothing.
 *
 * Not counted: VOID tickets, tickets voided by one (same store and business date), training-mode tickets (which void
 * nothing either) and voided lines.
 */
import type { Granularity } from '../../sales/series.ts';

/** How the buckets in question are told from others, as SQL conditions over typed parameters. */
export type BucketCondition = {
  readonly granularity: Granularity;
  /**
   * Of rows of `transactions` in any version, those in the buckets. With `narrow`, only tickets that have such a row
   * are read at all: worth it when the buckets are a small part of the business dates they touch.
   */
  readonly tickets: string;
  readonly narrow: boolean;
  /** Rows of `sales` of the buckets. */
  readonly sales: string;
};

const BUCKET: Readonly<Record<Granularity, string>> = {
  hour: 'hour',
  day: "toDateTime(business_date, 'UTC')",
};

/** The business dates and stores that rows in the buckets lie in; more do no harm. */
const PLACES = 'business_date IN {dates:Array(Date)} AND store_id IN {stores:Array(String)}';

/**
 * Needs the parameters `dates` and `stores` (all that tickets in the buckets lie in), `recorded_at_ms` (Int64) and
 * those of the conditions.
 */
export function differencesSql(condition: BucketCondition): string {
  const { granularity } = condition;
  return `
INSERT INTO sales (granularity, bucket, store_id, category, sku, units_thousandths, revenue_minor, transactions, recorded_at)
WITH
  voided AS (
    SELECT business_date, store_id, original_transaction_id FROM transactions FINAL
    WHERE ${PLACES} AND type = 'VOID' AND NOT training
  ),
  tickets AS (
    SELECT ${BUCKET[granularity]} AS bucket, store_id, lines.category AS categories, lines.sku AS skus,
      lines.quantity_thousandths AS quantities, lines.net_amount_minor AS amounts, lines.voided AS voids,
      arrayEnumerateUniq(categories, skus, voids) AS occurrences
    FROM transactions FINAL
    ${condition.narrow ? narrowed(condition.tickets) : ''}
    WHERE ${PLACES} AND ${condition.tickets} AND NOT training AND type != 'VOID'
      AND (business_date, store_id, transaction_id) NOT IN voided
  ),
  now AS (
    SELECT bucket, store_id, category, sku, sum(quantity) AS units, sum(amount) AS revenue,
      countIf(occurrence = 1) AS tickets
    FROM tickets
    ARRAY JOIN categories AS category, skus AS sku, quantities AS quantity, amounts AS amount,
      voids AS line_voided, occurrences AS occurrence
    WHERE NOT line_voided
    GROUP BY bucket, store_id, category, sku
  ),
  before AS (
    SELECT bucket, store_id, category, sku,
      argMax((units_thousandths, revenue_minor, transactions), recorded_at) AS total, max(recorded_at) AS at
    FROM sales
    WHERE granularity = '${granularity}' AND ${condition.sales}
    GROUP BY bucket, store_id, category, sku
  )
SELECT '${granularity}', bucket, store_id, category, sku,
  sum(units), sum(revenue), sum(tickets),
  greatest(fromUnixTimestamp64Milli({recorded_at_ms:Int64}, 'UTC'), addMilliseconds(max(at), 1))
FROM (
  SELECT bucket, store_id, category, sku, units, revenue, tickets,
    toInt64(0) AS old_units, toInt64(0) AS old_revenue, toUInt64(0) AS old_tickets,
    toDateTime64(0, 3, 'UTC') AS at
  FROM now
  UNION ALL
  SELECT bucket, store_id, category, sku, toInt64(0), toInt64(0), toUInt64(0), total.1, total.2, total.3, at
  FROM before
)
GROUP BY bucket, store_id, category, sku
HAVING (sum(units), sum(revenue), sum(tickets)) != (sum(old_units), sum(old_revenue), sum(old_tickets))`;
}

/**
 * Conditions on the sorting key alone may come before FINAL: they take all versions of a ticket or none. The lines,
 * most of the bytes, are then read for these tickets only.
 */
function narrowed(tickets: string): string {
  return `PREWHERE (business_date, store_id, transaction_id) IN (
      SELECT business_date, store_id, transaction_id FROM transactions WHERE ${PLACES} AND ${tickets})`;
}
