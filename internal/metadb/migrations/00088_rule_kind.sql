-- +goose Up
-- What a kind of rule asks for lies in params, and every match under a key of its
-- own: the call, or the minute of a measure.
ALTER TABLE rule ADD COLUMN params TEXT NOT NULL DEFAULT '{}';   -- JSON rule.Params
ALTER TABLE rule ADD COLUMN severity TEXT NOT NULL DEFAULT 'warning';
ALTER TABLE rule ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE rule ADD COLUMN runbook TEXT NOT NULL DEFAULT '';
ALTER TABLE rule ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';   -- JSON {name: value}
ALTER TABLE rule ADD COLUMN mutes TEXT NOT NULL DEFAULT '[]';    -- JSON [rule.Mute]
UPDATE rule SET params = '{"threshold_ms":' || threshold_ms || '}';
ALTER TABLE rule DROP COLUMN threshold_ms;
-- A body has "threshold_ms":8000,"count":1 in it: quotes within its texts are escaped.
UPDATE rule_history SET body = REPLACE(REPLACE(body, '"threshold_ms":', '"params":{"threshold_ms":'), ',"count":', '},"count":');

-- The first evaluation that failed since one went well, 0 for none.
ALTER TABLE rule_state ADD COLUMN failing_since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE rule_state ADD COLUMN failure TEXT NOT NULL DEFAULT '';

CREATE TABLE rule_matched (
    rule_id BIGINT NOT NULL REFERENCES rule (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    trace_id TEXT NOT NULL,
    span_id TEXT NOT NULL,
    service TEXT NOT NULL,
    environment TEXT NOT NULL,
    subject TEXT NOT NULL,
    instance TEXT NOT NULL,
    started_ns BIGINT NOT NULL,
    duration_ns BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    statement TEXT NOT NULL,   -- 16 hex, '' for none
    value DOUBLE PRECISION NOT NULL,
    usual DOUBLE PRECISION,
    counts BOOLEAN NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (rule_id, key)
);
INSERT INTO rule_matched SELECT rule_id, trace_id || span_id, trace_id, span_id, service, environment, '', instance, started_ns,
    duration_ns, ended_at, statement, duration_ns / 1000000.0, NULL, TRUE, expires_at FROM rule_match;
DROP TABLE rule_match;
ALTER TABLE rule_matched RENAME TO rule_match;
CREATE INDEX rule_match_window ON rule_match (rule_id, service, environment, subject, ended_at);
CREATE INDEX rule_match_expiry ON rule_match (expires_at);

-- +goose Down
ALTER TABLE rule ADD COLUMN threshold_ms BIGINT NOT NULL DEFAULT 8000;
DELETE FROM rule WHERE kind <> 'slow_sql';
UPDATE rule SET threshold_ms = CAST(REPLACE(REPLACE(params, '{"threshold_ms":', ''), '}', '') AS BIGINT);
UPDATE rule_history SET body = REPLACE(REPLACE(body, '"params":{"threshold_ms":', '"threshold_ms":'), '},"count":', ',"count":');
ALTER TABLE rule DROP COLUMN params;
ALTER TABLE rule DROP COLUMN severity;
ALTER TABLE rule DROP COLUMN owner;
ALTER TABLE rule DROP COLUMN runbook;
ALTER TABLE rule DROP COLUMN labels;
ALTER TABLE rule DROP COLUMN mutes;
ALTER TABLE rule_state DROP COLUMN failing_since;
ALTER TABLE rule_state DROP COLUMN failure;
CREATE TABLE rule_matched (
    rule_id BIGINT NOT NULL REFERENCES rule (id) ON DELETE CASCADE,
    trace_id TEXT NOT NULL,
    span_id TEXT NOT NULL,
    service TEXT NOT NULL,
    environment TEXT NOT NULL,
    instance TEXT NOT NULL,
    started_ns BIGINT NOT NULL,
    duration_ns BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    statement TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (rule_id, trace_id, span_id)
);
INSERT INTO rule_matched SELECT rule_id, trace_id, span_id, service, environment, instance, started_ns, duration_ns, ended_at,
    statement, expires_at FROM rule_match WHERE trace_id <> '' AND subject = '';
DROP TABLE rule_match;
ALTER TABLE rule_matched RENAME TO rule_match;
CREATE INDEX rule_match_window ON rule_match (rule_id, service, environment, ended_at);
CREATE INDEX rule_match_expiry ON rule_match (expires_at);
