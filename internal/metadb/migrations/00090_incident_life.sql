-- +goose Up
ALTER TABLE incident ADD COLUMN assignee_id BIGINT NOT NULL DEFAULT 0; -- account, 0 for nobody
ALTER TABLE incident ADD COLUMN assignee TEXT NOT NULL DEFAULT '';     -- its name
ALTER TABLE incident ADD COLUMN parent_id BIGINT NOT NULL DEFAULT 0;   -- what it is a part or a symptom of
ALTER TABLE incident ADD COLUMN parent_kind TEXT NOT NULL DEFAULT '';  -- merged, symptom
ALTER TABLE incident ADD COLUMN told BOOLEAN NOT NULL DEFAULT TRUE;    -- its alarm was sent
ALTER TABLE incident ADD COLUMN silence_id BIGINT NOT NULL DEFAULT 0;  -- what kept it from being sent
ALTER TABLE incident ADD COLUMN reopened BIGINT NOT NULL DEFAULT 0;    -- how often it came back
ALTER TABLE incident ADD COLUMN comings TEXT NOT NULL DEFAULT '[]';    -- JSON list of the latest times it did, µs
ALTER TABLE incident ADD COLUMN flapping BOOLEAN NOT NULL DEFAULT FALSE;
-- An incident has ended when resolved_at is set; state says how it stands in words.
UPDATE incident SET state = 'acknowledged' WHERE state = 'open' AND acknowledged_at > 0;
DROP INDEX incident_open;
CREATE UNIQUE INDEX incident_open ON incident (rule_id, service, phase, subject) WHERE resolved_at = 0;
CREATE INDEX incident_parent ON incident (parent_id);

-- +goose Down
DROP INDEX incident_parent;
DROP INDEX incident_open;
UPDATE incident SET state = 'open' WHERE resolved_at = 0;
UPDATE incident SET state = 'resolved' WHERE resolved_at > 0;
CREATE UNIQUE INDEX incident_open ON incident (rule_id, service, phase, subject) WHERE state = 'open';
DELETE FROM incident_event WHERE kind NOT IN ('opened', 'matched', 'analysis_started', 'analysis_requested', 'analyzed', 'acknowledged', 'resolved');
ALTER TABLE incident DROP COLUMN assignee_id;
ALTER TABLE incident DROP COLUMN assignee;
ALTER TABLE incident DROP COLUMN parent_id;
ALTER TABLE incident DROP COLUMN parent_kind;
ALTER TABLE incident DROP COLUMN told;
ALTER TABLE incident DROP COLUMN silence_id;
ALTER TABLE incident DROP COLUMN reopened;
ALTER TABLE incident DROP COLUMN comings;
ALTER TABLE incident DROP COLUMN flapping;
