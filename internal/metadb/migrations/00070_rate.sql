-- +goose Up
-- Each signal has a rate of its own; span_rate is that of spans. It bound log records too, and no samples.
ALTER TABLE project ADD COLUMN log_rate BIGINT NOT NULL DEFAULT 0;
ALTER TABLE project ADD COLUMN metric_rate BIGINT NOT NULL DEFAULT 0;
UPDATE project SET log_rate = span_rate;

-- +goose Down
ALTER TABLE project DROP COLUMN metric_rate;
ALTER TABLE project DROP COLUMN log_rate;
