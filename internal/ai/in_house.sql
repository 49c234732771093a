ALTER TABLE ai_calls ADD COLUMN IF NOT EXISTS originals String CODEC(ZSTD(3)) AFTER masked; -- JSON of what tokens stand for, where a policy keeps it

ALTER TABLE ai_attempts ADD COLUMN IF NOT EXISTS in_house Bool AFTER in_words;
