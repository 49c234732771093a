ALTER TABLE ai_calls
  ADD COLUMN IF NOT EXISTS parsed String CODEC(ZSTD(3)) AFTER answer; -- JSON of an answer that is valid for the schema of its role, as it is by that schema; '' for others

ALTER TABLE ai_attempts
  ADD COLUMN IF NOT EXISTS usage_raw String CODEC(ZSTD(1)) AFTER reasoning_tokens; -- JSON, as the service told it; '' when it did not
