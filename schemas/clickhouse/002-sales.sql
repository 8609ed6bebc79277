-- Exact totals of closed buckets, append only: the latest version of a leaf is the one with the highest recorded_at,
-- and the state at any past moment the highest up to it. `bucket` is the UTC instant at which a store's local hour
-- begins ('hour'), or the business date as midnight UTC ('day'). A leaf that lost all its sales gets a row of zeros.
CREATE TABLE IF NOT EXISTS sales (
  granularity       LowCardinality(String),
  bucket            DateTime('UTC'),
  store_id          LowCardinality(String),
  category          LowCardinality(String),
  sku               String,
  units_thousandths Int64,
  revenue_minor     Int64,
  transactions      UInt32,
  recorded_at       DateTime64(3, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(bucket)
ORDER BY (granularity, bucket, store_id, category, sku, recorded_at)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;
