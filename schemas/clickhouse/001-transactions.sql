-- The truth: one row per transaction and revision, its lines as arrays, so that a revision replaces the whole
-- ticket at once (also the lines it no longer has) in whatever order the revisions arrive.
-- `version` = revision * 2^32 + hash of the content: the higher revision wins, and of two different contents with
-- one revision always the same one, whichever came last.
-- An acknowledged insert is on the disk (fsync_after_insert): the log's offsets are committed on the strength of it.
-- Plain strings: dictionaries (LowCardinality) cost a third more on insert and twice the time in a close.
CREATE TABLE IF NOT EXISTS transactions (
  business_date           Date,
  store_id                String,
  transaction_id          String,
  version                 UInt64,
  revision                UInt32,
  event_id                String,
  type                    String,
  training                Bool,
  original_transaction_id String,
  register_id             String,
  channel                 String,
  begin_time              DateTime64(3, 'UTC'),
  end_time                DateTime64(3, 'UTC'),
  time_zone               String,
  currency                String,
  hour                    DateTime('UTC'),
  day_end                 DateTime('UTC'),
  lines Nested (
    line_id               String,
    sku                   String,
    gtin                  String,
    category              String,
    category_path         String,
    quantity_thousandths  Int64,
    unit_of_measure       String,
    net_amount_minor      Int64,
    unit_price_minor      Nullable(Int64),
    list_price_minor      Nullable(Int64),
    discount_minor        Int64,
    promotion_ids         String,
    coupon_ids            String,
    voided                Bool
  ),
  tender_kinds            Array(String),
  tender_amounts_minor    Array(Int64),
  attributes              Map(String, String),
  source                  String,
  recorded_at             DateTime64(3, 'UTC'),
  INDEX hours hour TYPE minmax GRANULARITY 1,
  INDEX day_ends day_end TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(business_date)
ORDER BY (business_date, store_id, transaction_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;
