-- +goose Up
CREATE TABLE ai_role (
    code    TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    body    TEXT NOT NULL -- ai.Role as JSON
);

-- Every version of every role, also of those deleted since.
CREATE TABLE ai_role_version (
    code    TEXT NOT NULL,
    version BIGINT NOT NULL,
    body    TEXT NOT NULL,
    deleted BOOLEAN NOT NULL,
    PRIMARY KEY (code, version)
);

-- Micro-dollars per million tokens.
CREATE TABLE ai_price (
    provider TEXT NOT NULL,
    model    TEXT NOT NULL,
    input    BIGINT NOT NULL,
    output   BIGINT NOT NULL,
    PRIMARY KEY (provider, model)
);

-- When a caller last asked a role: its request limit, on all nodes.
CREATE TABLE ai_last_call (
    role   TEXT NOT NULL,
    caller TEXT NOT NULL,
    at     BIGINT NOT NULL,
    PRIMARY KEY (role, caller)
);

-- Call records the telemetry engine could not take yet.
CREATE TABLE ai_call_spool (
    call_id TEXT PRIMARY KEY,
    body    TEXT NOT NULL, -- ai.Call as JSON
    at      BIGINT NOT NULL
);
CREATE INDEX ai_call_spool_at ON ai_call_spool (at);
