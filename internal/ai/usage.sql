ALTER TABLE ai_calls
  ADD COLUMN IF NOT EXISTS org_id UInt64, -- where the project was when the call was made; 0: made before this was kept
  ADD COLUMN IF NOT EXISTS group_id UInt64,
  ADD COLUMN IF NOT EXISTS person UInt64, -- the account that asked, 0 for none
  ADD COLUMN IF NOT EXISTS token UInt64, -- the API token it asked with, 0 for none
  ADD COLUMN IF NOT EXISTS purpose LowCardinality(String) DEFAULT caller_kind,
  ADD COLUMN IF NOT EXISTS price_version UInt64, -- the newest of the prices it was counted with, 0 for none
  ADD COLUMN IF NOT EXISTS stored_at DateTime64(3), -- of two rows of a call the later one holds
  ADD INDEX IF NOT EXISTS stored stored_at TYPE minmax;

ALTER TABLE ai_attempts
  ADD COLUMN IF NOT EXISTS price_version UInt64,
  ADD COLUMN IF NOT EXISTS stored_at DateTime64(3);

-- Calls added up by hour. A row is made anew when calls of its hour come or are
-- counted again, and replaces the one before it: nothing can be counted twice.
CREATE TABLE IF NOT EXISTS ai_usage (
  project_id UInt32,
  at DateTime,
  org_id UInt64,
  group_id UInt64,
  person UInt64,
  token UInt64,
  purpose LowCardinality(String),
  role LowCardinality(String),
  provider LowCardinality(String),
  model LowCardinality(String),
  calls UInt64,
  failed UInt64,
  input_tokens UInt64,
  cached_tokens UInt64,
  cache_write_tokens UInt64,
  output_tokens UInt64,
  reasoning_tokens UInt64,
  unpriced UInt64,
  unpriced_tokens UInt64,
  cost_usd Float64,
  latency_ms UInt64,
  latency AggregateFunction(quantileTDigest(0.95), UInt32),
  rolled_at DateTime64(3)
) ENGINE = ReplacingMergeTree(rolled_at)
PARTITION BY toDate(at)
ORDER BY (project_id, at, org_id, group_id, person, token, purpose, role, provider, model)
TTL at + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1;
