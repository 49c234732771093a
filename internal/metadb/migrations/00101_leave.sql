-- +goose Up
-- The ID token of a login at a provider, sealed, where signing out here signs out
-- there: the provider wants to see it again. '' = none.
ALTER TABLE login_session ADD COLUMN id_token TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE login_session DROP COLUMN id_token;
