-- +goose Up
-- Conversations with roles that go on over several calls.
CREATE TABLE ai_thread (
    id      TEXT   PRIMARY KEY,
    version BIGINT NOT NULL, -- 1, 2, … at each turn
    project BIGINT NOT NULL,
    person  BIGINT NOT NULL, -- whose it is
    role    TEXT   NOT NULL,
    sealed  TEXT   NOT NULL, -- the turns and their masking, by package secret
    used_at BIGINT NOT NULL
);
CREATE INDEX ai_thread_used ON ai_thread (used_at);

-- +goose Down
DROP TABLE ai_thread;
