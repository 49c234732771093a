-- +goose Up
-- Times are unix microseconds, UTC.
CREATE TABLE rule (
    id BIGINT PRIMARY KEY,
    project_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    service TEXT NOT NULL,     -- '' is any
    environment TEXT NOT NULL, -- '' is any
    threshold_ms BIGINT NOT NULL,
    count BIGINT NOT NULL,
    window_minutes BIGINT NOT NULL,
    quiet_minutes BIGINT NOT NULL,
    channels TEXT NOT NULL,    -- JSON [target id], [] is all of the project
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);
CREATE UNIQUE INDEX rule_name ON rule (project_id, name);

-- What a rule was: one row per version, kept when the rule is deleted.
CREATE TABLE rule_history (
    rule_id BIGINT NOT NULL,
    version BIGINT NOT NULL,
    project_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    author TEXT NOT NULL,
    action TEXT NOT NULL,      -- created, updated, deleted
    body TEXT NOT NULL,        -- JSON of the rule
    PRIMARY KEY (rule_id, version)
);

-- How far a rule was evaluated. watermark is an arrival time; calls that
-- arrived at or before since are none of the rule's: it was not there, was
-- disabled or meant something else.
CREATE TABLE rule_state (
    rule_id BIGINT PRIMARY KEY REFERENCES rule (id) ON DELETE CASCADE,
    since BIGINT NOT NULL,
    watermark BIGINT NOT NULL
);

-- The calls that matched: what makes each count exactly once. A row lives
-- until no window can contain it any more.
CREATE TABLE rule_match (
    rule_id BIGINT NOT NULL REFERENCES rule (id) ON DELETE CASCADE,
    trace_id TEXT NOT NULL,
    span_id TEXT NOT NULL,
    service TEXT NOT NULL,
    environment TEXT NOT NULL,
    instance TEXT NOT NULL,
    started_ns BIGINT NOT NULL,
    duration_ns BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    statement TEXT NOT NULL,   -- 16 hex
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (rule_id, trace_id, span_id)
);
CREATE INDEX rule_match_window ON rule_match (rule_id, service, environment, ended_at);
CREATE INDEX rule_match_expiry ON rule_match (expires_at);

-- +goose Down
DROP TABLE rule_match;
DROP TABLE rule_state;
DROP TABLE rule_history;
DROP TABLE rule;
