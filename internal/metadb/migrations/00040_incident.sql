-- +goose Up
CREATE TABLE incident (
    id              BIGINT PRIMARY KEY,
    project_id      BIGINT NOT NULL,
    state           TEXT NOT NULL, -- open, resolved
    title           TEXT NOT NULL,
    rule_id         BIGINT NOT NULL,
    rule_name       TEXT NOT NULL, -- the rule as it was when it fired
    rule_kind       TEXT NOT NULL,
    service         TEXT NOT NULL,
    phase           TEXT NOT NULL,
    alarm           TEXT NOT NULL, -- the text that was sent
    scope           TEXT NOT NULL, -- JSON incident.scope: what the evidence is collected about
    quiet_minutes   BIGINT NOT NULL,
    channels        TEXT NOT NULL, -- JSON list of target ids, [] for all
    opened_at       BIGINT NOT NULL,
    last_match_at   BIGINT NOT NULL, -- when the last match happened
    seen_at         BIGINT NOT NULL, -- when we learned of it
    matches         BIGINT NOT NULL,
    instances       TEXT NOT NULL, -- JSON
    acknowledged_at BIGINT NOT NULL,
    acknowledged_by TEXT NOT NULL,
    resolved_at     BIGINT NOT NULL,
    resolved_by     TEXT NOT NULL, -- "" for the quiet period
    analysis        TEXT NOT NULL, -- pending, running, done, failed
    analysis_run    BIGINT NOT NULL, -- 1 for the first, one more each time a person asks
    analysis_since  BIGINT NOT NULL, -- when this run was asked for
    report          TEXT NOT NULL, -- JSON report.Report, '' before the first
    evidence        TEXT NOT NULL, -- JSON list of ground.Fact
    masking         TEXT NOT NULL -- JSON incident.Masking
);
-- The one open incident per rule and application.
CREATE UNIQUE INDEX incident_open ON incident (rule_id, service, phase) WHERE state = 'open';
CREATE INDEX incident_list ON incident (project_id, opened_at, id);

CREATE TABLE incident_event (
    id          BIGINT PRIMARY KEY,
    incident_id BIGINT NOT NULL REFERENCES incident (id) ON DELETE CASCADE,
    at          BIGINT NOT NULL,
    kind        TEXT NOT NULL,
    data        TEXT NOT NULL -- JSON object
);
CREATE INDEX incident_event_incident ON incident_event (incident_id, id);
