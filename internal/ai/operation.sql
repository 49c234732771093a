ALTER TABLE ai_calls
  ADD COLUMN IF NOT EXISTS operation LowCardinality(String) AFTER call_id; -- embeddings or chat; '': logged before this was kept
