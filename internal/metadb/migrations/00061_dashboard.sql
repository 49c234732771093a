-- +goose Up
-- Boards of panels that people arrange. Times are unix microseconds, UTC.
CREATE TABLE dashboard (
    id BIGINT PRIMARY KEY,
    project_id BIGINT NOT NULL,
    name TEXT NOT NULL,        -- that of the body
    body TEXT NOT NULL,        -- dashboard.Document as JSON
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);
CREATE UNIQUE INDEX dashboard_name ON dashboard (project_id, name);

-- What a dashboard was: its last versions, kept when it is deleted.
CREATE TABLE dashboard_history (
    dashboard_id BIGINT NOT NULL,
    version BIGINT NOT NULL,
    project_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    author TEXT NOT NULL,
    action TEXT NOT NULL,      -- created, updated, deleted
    body TEXT NOT NULL,
    PRIMARY KEY (dashboard_id, version)
);
CREATE INDEX dashboard_history_project ON dashboard_history (project_id);

-- +goose Down
DROP TABLE dashboard_history;
DROP TABLE dashboard;
