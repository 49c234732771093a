-- +goose Up
-- Prices are edited on a screen. A deleted one stays as a row, so that the
-- next start does not seed it again.
ALTER TABLE ai_price ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0; -- 0: as it was seeded
ALTER TABLE ai_price ADD COLUMN updated_by TEXT NOT NULL DEFAULT 'matrix';
ALTER TABLE ai_price ADD COLUMN deleted BOOLEAN NOT NULL DEFAULT FALSE;
