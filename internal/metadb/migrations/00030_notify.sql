-- +goose Up
CREATE TABLE notify_target (
    id         BIGINT PRIMARY KEY,
    project_id BIGINT NOT NULL,
    kind       TEXT NOT NULL,
    name       TEXT NOT NULL,
    config     TEXT NOT NULL, -- sealed: see notify.Sealer
    enabled    BOOLEAN NOT NULL,
    version    BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    UNIQUE (project_id, name)
);

CREATE TABLE notify_message (
    id         BIGINT PRIMARY KEY,
    project_id BIGINT NOT NULL,
    key        TEXT NOT NULL,
    ref        TEXT NOT NULL,
    kind       TEXT NOT NULL,
    body       TEXT NOT NULL, -- notify.Message as JSON
    created_at BIGINT NOT NULL,
    UNIQUE (project_id, key)
);
CREATE INDEX notify_message_ref ON notify_message (project_id, ref);
CREATE INDEX notify_message_created ON notify_message (created_at);

-- One row for each target of a message. It keeps the target's name and kind,
-- so that what happened can be read after the target is gone.
CREATE TABLE notify_delivery (
    id          BIGINT PRIMARY KEY,
    message_id  BIGINT NOT NULL REFERENCES notify_message (id) ON DELETE CASCADE,
    target_id   BIGINT NOT NULL,
    target_name TEXT NOT NULL,
    target_kind TEXT NOT NULL,
    state       TEXT NOT NULL, -- pending, sending, delivered, failed
    attempts    BIGINT NOT NULL,
    error       TEXT NOT NULL, -- of the last attempt
    updated_at  BIGINT NOT NULL,
    lease_until BIGINT NOT NULL, -- while sending: nobody else may send it before
    UNIQUE (message_id, target_id)
);
