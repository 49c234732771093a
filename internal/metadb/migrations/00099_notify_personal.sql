-- +goose Up
-- What each person wants to be told of, and by which ways.
CREATE TABLE notify_person (
    account_id BIGINT PRIMARY KEY,
    body       TEXT NOT NULL, -- notify.Personal as JSON
    version    BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    tested_at  BIGINT NOT NULL -- when the last test message was asked for, 0 = never
);

-- A way to a person: deliveries and threads know it by its id, as they know a channel.
CREATE TABLE notify_way (
    id         BIGINT PRIMARY KEY, -- from the sequence of notify_target
    account_id BIGINT NOT NULL,
    kind       TEXT NOT NULL,
    UNIQUE (account_id, kind)
);

-- Whether a channel also carries what people want told to themselves.
ALTER TABLE notify_target ADD COLUMN personal BOOLEAN NOT NULL DEFAULT FALSE;

-- To whom a delivery goes; 0 = to a channel of the project.
ALTER TABLE notify_delivery ADD COLUMN account_id BIGINT NOT NULL DEFAULT 0;
CREATE INDEX notify_delivery_person ON notify_delivery (account_id, id) WHERE account_id <> 0;

-- +goose Down
DROP INDEX notify_delivery_person;
ALTER TABLE notify_delivery DROP COLUMN account_id;
ALTER TABLE notify_target DROP COLUMN personal;
DROP TABLE notify_way;
DROP TABLE notify_person;
