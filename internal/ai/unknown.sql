-- What looks like a token in an answer and is none of its conversation.
ALTER TABLE ai_calls ADD COLUMN IF NOT EXISTS unknown_tokens Array(String) AFTER masked;
