-- The ledger: every forecast ever issued at the close of a bucket or after an amendment, one row per series and
-- origin; the n-th step's values are at the n-th place of the arrays, its quantiles at
-- quantiles[(n - 1) * length(probabilities) + 1 …].
CREATE TABLE IF NOT EXISTS forecasts (
  granularity   LowCardinality(String),
  measure       LowCardinality(String),
  level         LowCardinality(String),
  series        String,
  origin        DateTime('UTC'),
  issued_at     DateTime64(3, 'UTC'),
  watermark     DateTime64(3, 'UTC'),
  kind          LowCardinality(String),
  model_version LowCardinality(String),
  reconciled    Bool,
  buckets       Array(DateTime('UTC')),
  mean          Array(Float64),
  probabilities Array(Float64),
  quantiles     Array(Float64)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(origin)
ORDER BY (granularity, measure, level, series, origin, issued_at)
SETTINGS non_replicated_deduplication_window = 1000;

-- What became of them: one row per series, closed bucket and horizon band, scored by a forecast issued before.
CREATE TABLE IF NOT EXISTS scores (
  granularity    LowCardinality(String),
  measure        LowCardinality(String),
  level          LowCardinality(String),
  series         String,
  bucket         DateTime('UTC'),
  step           UInt16,
  actual         Float64,
  mean           Float64,
  seasonal_naive Float64,
  lower80        Float64,
  upper80        Float64,
  lower95        Float64,
  upper95        Float64,
  recorded_at    DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(recorded_at)
PARTITION BY toYYYYMM(bucket)
ORDER BY (granularity, measure, level, bucket, series, step)
SETTINGS non_replicated_deduplication_window = 1000;
