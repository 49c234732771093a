-- +goose Up
-- Names that calls use for a version of a role, and what was done to them.
CREATE TABLE ai_role_label (
    code           TEXT    NOT NULL,
    label          TEXT    NOT NULL,
    version        BIGINT  NOT NULL,
    canary_version BIGINT  NOT NULL DEFAULT 0, -- 0: none
    canary_share   BIGINT  NOT NULL DEFAULT 0, -- percent of the calls
    protected      BOOLEAN NOT NULL DEFAULT FALSE,
    updated_at     BIGINT  NOT NULL,
    updated_by     TEXT    NOT NULL,
    PRIMARY KEY (code, label)
);
CREATE TABLE ai_role_move (
    code   TEXT   NOT NULL,
    number BIGINT NOT NULL, -- 1, 2, … of the role
    body   TEXT   NOT NULL, -- ai.Move as JSON
    PRIMARY KEY (code, number)
);
INSERT INTO ai_role_label (code, label, version, protected, updated_at, updated_by)
    SELECT code, 'production', version, TRUE, 0, 'matrix' FROM ai_role;

-- What models do not take: ai.Capability as JSON.
CREATE TABLE ai_capability (
    provider TEXT    NOT NULL,
    model    TEXT    NOT NULL,
    body     TEXT    NOT NULL,
    deleted  BOOLEAN NOT NULL,
    PRIMARY KEY (provider, model)
);

-- Circuits that somebody opened by hand, on all nodes.
CREATE TABLE ai_circuit (
    provider TEXT NOT NULL,
    model    TEXT NOT NULL,
    alias    TEXT NOT NULL, -- of the key
    reason   TEXT NOT NULL,
    PRIMARY KEY (provider, model, alias)
);

-- What may be used of models in a period: ai.Budget as JSON, and what was used.
CREATE TABLE ai_budget (
    id      TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    body    TEXT   NOT NULL
);
CREATE TABLE ai_budget_use (
    budget  TEXT   NOT NULL,
    subject TEXT   NOT NULL, -- whom the use is counted for
    since   BIGINT NOT NULL, -- begin of the period
    used    BIGINT NOT NULL, -- requests, tokens or 10^-9 USD, with what calls under way have reserved
    PRIMARY KEY (budget, subject, since)
);

-- Records of calls wait in a file of each node.
DROP TABLE ai_call_spool;

-- +goose Down
DROP TABLE ai_budget_use;
DROP TABLE ai_budget;
CREATE TABLE ai_call_spool (
    call_id TEXT PRIMARY KEY,
    body    TEXT NOT NULL,
    at      BIGINT NOT NULL
);
CREATE INDEX ai_call_spool_at ON ai_call_spool (at);
DROP TABLE ai_circuit;
DROP TABLE ai_capability;
DROP TABLE ai_role_move;
DROP TABLE ai_role_label;
