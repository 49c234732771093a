-- +goose Up
-- Each signal is kept for a time of its own; retention_days is that of traces.
ALTER TABLE project ADD COLUMN log_retention_days BIGINT NOT NULL DEFAULT 14;
ALTER TABLE project ADD COLUMN metric_retention_days BIGINT NOT NULL DEFAULT 14;
UPDATE project SET log_retention_days = retention_days, metric_retention_days = retention_days;
