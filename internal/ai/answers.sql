ALTER TABLE ai_attempts ADD COLUMN IF NOT EXISTS served_model LowCardinality(String) AFTER model;

ALTER TABLE ai_attempts ADD COLUMN IF NOT EXISTS answer String CODEC(ZSTD(3)) AFTER error;

ALTER TABLE ai_attempts ADD COLUMN IF NOT EXISTS requests UInt8 DEFAULT 1 AFTER answer;
