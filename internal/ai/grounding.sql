ALTER TABLE ai_calls
  ADD COLUMN IF NOT EXISTS grounded Nullable(Bool) AFTER schema_valid; -- of the first answer that was checked; NULL: none was
