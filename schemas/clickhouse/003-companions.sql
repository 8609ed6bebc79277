-- Companion inputs. Every row carries recorded_at, so that any past moment can be asked for as it was known then:
-- the row that holds at a moment is the one with the highest recorded_at up to it.
CREATE TABLE IF NOT EXISTS stores (
  store_id                   String,
  name                       String,
  time_zone                  LowCardinality(String),
  business_day_start_minutes UInt16,
  recorded_at                DateTime64(3, 'UTC')
) ENGINE = MergeTree
ORDER BY (store_id, recorded_at)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS products (
  sku           String,
  name          String,
  category_path Array(String),
  brand         String,
  recorded_at   DateTime64(3, 'UTC')
) ENGINE = MergeTree
ORDER BY (sku, recorded_at)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS promotions (
  promotion_id String,
  store_id     LowCardinality(String),
  sku          String,
  starts       Date,
  ends         Date,
  kind         LowCardinality(String),
  recorded_at  DateTime64(3, 'UTC')
) ENGINE = MergeTree
ORDER BY (store_id, sku, starts, promotion_id, recorded_at)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS calendar_days (
  store_id    LowCardinality(String),
  date        Date,
  kind        LowCardinality(String),
  name        String,
  recorded_at DateTime64(3, 'UTC')
) ENGINE = MergeTree
ORDER BY (store_id, date, kind, recorded_at)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS weather (
  store_id                  LowCardinality(String),
  time                      DateTime('UTC'),
  temperature_millicelsius  Nullable(Int32),
  precipitation_micrometres Nullable(Int32),
  recorded_at               DateTime64(3, 'UTC')
) ENGINE = MergeTree
ORDER BY (store_id, time, recorded_at)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS stock_levels (
  store_id            LowCardinality(String),
  sku                 String,
  time                DateTime('UTC'),
  on_hand_thousandths Int64,
  recorded_at         DateTime64(3, 'UTC')
) ENGINE = MergeTree
ORDER BY (store_id, sku, time, recorded_at)
SETTINGS non_replicated_deduplication_window = 1000;
