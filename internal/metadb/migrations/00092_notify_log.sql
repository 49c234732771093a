-- +goose Up
-- In which language a channel is told; '' for that of the message.
ALTER TABLE notify_target ADD COLUMN language TEXT NOT NULL DEFAULT '';

-- What a service knows the thread of a case by, at one channel.
CREATE TABLE notify_thread (
    project_id BIGINT NOT NULL,
    target_id  BIGINT NOT NULL,
    thread     TEXT NOT NULL,
    handle     TEXT NOT NULL,
    body       TEXT NOT NULL, -- the first message, as JSON
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (target_id, thread)
);
CREATE INDEX notify_thread_updated ON notify_thread (updated_at);

-- Every attempt of a delivery, written before it and again after it.
CREATE TABLE notify_attempt (
    delivery_id BIGINT NOT NULL REFERENCES notify_delivery (id) ON DELETE CASCADE,
    number      BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    took_ms     BIGINT NOT NULL,
    outcome     TEXT NOT NULL, -- sending, delivered, retried, failed, lost
    error       TEXT NOT NULL,
    PRIMARY KEY (delivery_id, number)
);

-- A delivery that is held (quiet hours, digests) waits for due_at; one that was
-- joined to others is told by the delivery joined_to.
ALTER TABLE notify_delivery ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE notify_delivery ADD COLUMN joined_to BIGINT NOT NULL DEFAULT 0;
CREATE INDEX notify_delivery_waiting ON notify_delivery (target_id) WHERE state IN ('pending', 'held');
CREATE INDEX notify_delivery_target ON notify_delivery (target_id, id);

-- +goose Down
DROP INDEX notify_delivery_target;
DROP INDEX notify_delivery_waiting;
ALTER TABLE notify_delivery DROP COLUMN joined_to;
ALTER TABLE notify_delivery DROP COLUMN due_at;
DROP TABLE notify_attempt;
DROP TABLE notify_thread;
ALTER TABLE notify_target DROP COLUMN language;
