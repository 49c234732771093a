-- +goose Up
-- What a project wants of the analysis of its incidents; without a row, the defaults.
CREATE TABLE incident_analysis (
    project_id  BIGINT PRIMARY KEY,
    investigate TEXT NOT NULL, -- off, unclear, always
    version     BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    updated_by  TEXT NOT NULL
);
ALTER TABLE incident ADD COLUMN investigation TEXT NOT NULL DEFAULT ''; -- JSON incident.inquiry of the latest run that had one

-- +goose Down
ALTER TABLE incident DROP COLUMN investigation;
DELETE FROM incident_event WHERE kind = 'investigated';
DROP TABLE incident_analysis;
