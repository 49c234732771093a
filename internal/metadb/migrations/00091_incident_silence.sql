-- +goose Up
CREATE TABLE incident_silence (
    id         BIGINT PRIMARY KEY,
    project_id BIGINT NOT NULL,
    matchers   TEXT NOT NULL,  -- JSON incident.Matchers
    reason     TEXT NOT NULL,
    starts_at  BIGINT NOT NULL,
    ends_at    BIGINT NOT NULL, -- exclusive
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    ended_by   TEXT NOT NULL,   -- who ended it early, "" for nobody
    held       BIGINT NOT NULL  -- incidents of which nobody was told
);
CREATE INDEX incident_silence_project ON incident_silence (project_id, ends_at);

CREATE TABLE incident_maintenance (
    id         BIGINT PRIMARY KEY,
    project_id BIGINT NOT NULL,
    name       TEXT NOT NULL,
    matchers   TEXT NOT NULL,  -- JSON incident.Matchers
    timing     TEXT NOT NULL,  -- JSON incident.Timing
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    held       BIGINT NOT NULL, -- firings that opened nothing
    held_at    BIGINT NOT NULL  -- when the last one was, 0 for none
);
CREATE INDEX incident_maintenance_project ON incident_maintenance (project_id);

-- +goose Down
DROP TABLE incident_silence;
DROP TABLE incident_maintenance;
