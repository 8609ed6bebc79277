-- Checkpoints of the forecasting state: a generation is complete when all its `parts` are there. `next_offset` is
-- the place in the bucket topic from which a restart goes on; `data` is a part of the shard's memory, base64.
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
ORDER BY (shard, generation, part);
