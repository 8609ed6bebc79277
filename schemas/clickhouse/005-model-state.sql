-- Checkpoints of the forecasting state: a generation is complete when all its `parts` are there. `next_offset` is
-- the place in the bucket topic from which a restart goes on; `data` is a part of the shard's memory, base64.
-- A generation is a partition, so that dropping an old one gives its space back at once.
CREATE TABLE IF NOT EXISTS model_state (
  shard       UInt32,
  generation  UInt64,
  part        UInt32,
  parts       UInt32,
  layout      String,
  next_offset UInt64,
  data        String CODEC(ZSTD(1)),
  recorded_at DateTime64(3, 'UTC')
)
ENGINE = MergeTree
PARTITION BY (shard, generation)
ORDER BY (shard, generation, part)
SETTINGS non_replicated_deduplication_window = 1000;
