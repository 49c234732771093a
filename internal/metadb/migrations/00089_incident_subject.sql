-- +goose Up
ALTER TABLE incident ADD COLUMN subject TEXT NOT NULL DEFAULT '';  -- what of the service it is about
ALTER TABLE incident ADD COLUMN severity TEXT NOT NULL DEFAULT 'warning';
ALTER TABLE incident ADD COLUMN owner TEXT NOT NULL DEFAULT '';    -- owner, runbook and labels are the rule's when it fired
ALTER TABLE incident ADD COLUMN runbook TEXT NOT NULL DEFAULT '';
ALTER TABLE incident ADD COLUMN labels TEXT NOT NULL DEFAULT '{}'; -- JSON {name: value}
UPDATE incident SET scope = REPLACE(scope, '"threshold_ms":', '"measure":"SQL Response time","op":">=","unit":"ms","threshold":');
DROP INDEX incident_open;
CREATE UNIQUE INDEX incident_open ON incident (rule_id, service, phase, subject) WHERE state = 'open';

-- +goose Down
DROP INDEX incident_open;
DELETE FROM incident WHERE subject <> '';
CREATE UNIQUE INDEX incident_open ON incident (rule_id, service, phase) WHERE state = 'open';
UPDATE incident SET scope = REPLACE(scope, '"measure":"SQL Response time","op":">=","unit":"ms","threshold":', '"threshold_ms":');
ALTER TABLE incident DROP COLUMN subject;
ALTER TABLE incident DROP COLUMN severity;
ALTER TABLE incident DROP COLUMN owner;
ALTER TABLE incident DROP COLUMN runbook;
ALTER TABLE incident DROP COLUMN labels;
