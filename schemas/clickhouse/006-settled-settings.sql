-- What all figures of the database are kept in: written by the first process that opens it, compared by every other.
-- Of several that were first at once, the earliest entry counts.
CREATE TABLE IF NOT EXISTS settled_settings (
  name        String,
  value       String,
  recorded_at DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY name
SETTINGS non_replicated_deduplication_window = 1000;
