-- +goose Up
-- What people look at again and again: a search with a name. Times are unix
-- microseconds, UTC.
CREATE TABLE saved_view (
    id BIGINT PRIMARY KEY,
    project_id BIGINT NOT NULL,
    kind TEXT NOT NULL,        -- the screen it belongs to: transactions, logs
    name TEXT NOT NULL,
    query TEXT NOT NULL,
    owner_id BIGINT NOT NULL,  -- account
    owner TEXT NOT NULL,       -- their name when they saved it
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX saved_view_name ON saved_view (project_id, kind, name);

-- +goose Down
DROP TABLE saved_view;
