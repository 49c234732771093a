-- +goose Up
-- How far the records of AI calls have been shipped: a row for each destination,
-- and for each cluster that was found there.
CREATE TABLE ai_ship (
    destination TEXT   NOT NULL, -- prefix of its data streams
    cluster     TEXT   NOT NULL, -- its id; '' holds what went wrong before it was known
    arrived     BIGINT NOT NULL, -- with call_id: the last record that was acknowledged
    call_id     TEXT   NOT NULL,
    holder      TEXT   NOT NULL, -- the process that ships
    held_until  BIGINT NOT NULL,
    shipped     BIGINT NOT NULL, -- documents
    refused     BIGINT NOT NULL, -- documents that the destination will never take
    failures    BIGINT NOT NULL, -- in a row
    retry_at    BIGINT NOT NULL,
    error       TEXT   NOT NULL, -- of the last failure, '' after a success
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (destination, cluster)
);

-- +goose Down
DROP TABLE ai_ship;
