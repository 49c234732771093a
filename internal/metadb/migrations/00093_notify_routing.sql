-- +goose Up
-- Which of a project's channels get a message, and when.
CREATE TABLE notify_routing (
    project_id BIGINT PRIMARY KEY,
    body       TEXT NOT NULL, -- notify.Routing as JSON
    version    BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);

-- +goose Down
DROP TABLE notify_routing;
