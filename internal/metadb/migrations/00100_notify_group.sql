-- +goose Up
-- What was written at once for one reason, such as a rule that fired for many
-- services, is told in one message; '' = told on its own.
ALTER TABLE notify_delivery ADD COLUMN group_key TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE notify_delivery DROP COLUMN group_key;
