ALTER TABLE ai_calls
  ADD COLUMN IF NOT EXISTS label LowCardinality(String) AFTER role_version,
  ADD COLUMN IF NOT EXISTS finish LowCardinality(String) AFTER answer,
  ADD COLUMN IF NOT EXISTS schema_valid Nullable(Bool) AFTER finish, -- NULL: the role has no schema, or nothing was answered
  ADD COLUMN IF NOT EXISTS dropped Array(LowCardinality(String)) AFTER parameters,
  ADD COLUMN IF NOT EXISTS first_token_ms UInt32 AFTER latency_ms,
  ADD COLUMN IF NOT EXISTS overhead_us UInt32 AFTER first_token_ms, -- of the latency, what no model and no pause took
  ADD COLUMN IF NOT EXISTS cache_write_tokens UInt64 AFTER cached_tokens,
  ADD COLUMN IF NOT EXISTS reasoning_tokens UInt64 AFTER output_tokens;

ALTER TABLE ai_attempts
  ADD COLUMN IF NOT EXISTS key LowCardinality(String) AFTER served_model,
  ADD COLUMN IF NOT EXISTS in_words Bool AFTER repair,
  ADD COLUMN IF NOT EXISTS dropped Array(LowCardinality(String)) AFTER in_words,
  ADD COLUMN IF NOT EXISTS class LowCardinality(String) AFTER status,
  ADD COLUMN IF NOT EXISTS code LowCardinality(String) AFTER class,
  ADD COLUMN IF NOT EXISTS first_token_ms UInt32 AFTER latency_ms,
  ADD COLUMN IF NOT EXISTS wait_ms UInt32 AFTER first_token_ms,
  ADD COLUMN IF NOT EXISTS cache_write_tokens UInt64 AFTER cached_tokens,
  ADD COLUMN IF NOT EXISTS reasoning_tokens UInt64 AFTER output_tokens,
  DROP COLUMN IF EXISTS requests;
