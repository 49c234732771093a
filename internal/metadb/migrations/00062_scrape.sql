-- +goose Up
-- Who scrapes for a project, and what became of its targets. Times are unix
-- microseconds, UTC.
CREATE TABLE scrape (
    project_id BIGINT PRIMARY KEY,
    node TEXT NOT NULL,        -- the one node that scrapes, '' none
    beat BIGINT NOT NULL,      -- moves on while it lives
    at BIGINT NOT NULL,        -- of the state
    state TEXT NOT NULL        -- scrape.State as JSON
);

-- +goose Down
DROP TABLE scrape;
