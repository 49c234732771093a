-- +goose Up
-- What models cost and since when. Nothing is changed here but that a row is
-- withdrawn: of the rows of a model that hold at a moment, the one with the latest
-- since is its price, and of two with the same since the one of the later version.
CREATE TABLE ai_price_at (
    version      BIGINT  PRIMARY KEY,
    provider     TEXT    NOT NULL,
    model        TEXT    NOT NULL,
    since        BIGINT  NOT NULL, -- 0: always
    input        BIGINT  NOT NULL, -- millionths of a USD per million tokens, as the others
    output       BIGINT  NOT NULL,
    cached       BIGINT,           -- NULL: as input
    cache_write  BIGINT,           -- NULL: as input
    reasoning    BIGINT,           -- NULL: as output
    ended        BOOLEAN NOT NULL, -- from then on the price is not known
    withdrawn_at BIGINT  NOT NULL DEFAULT 0,
    withdrawn_by TEXT    NOT NULL DEFAULT '',
    updated_at   BIGINT  NOT NULL, -- 0: as it was seeded
    updated_by   TEXT    NOT NULL
);
CREATE INDEX ai_price_at_model ON ai_price_at (provider, model);
INSERT INTO ai_price_at (version, provider, model, since, input, output, ended, updated_at, updated_by)
    SELECT ROW_NUMBER() OVER (ORDER BY provider, model), provider, model, 0, input, output, deleted, updated_at, updated_by FROM ai_price;
DROP TABLE ai_price;

CREATE TABLE ai_price_version (
    last BIGINT NOT NULL
);
INSERT INTO ai_price_version (last) SELECT COALESCE(MAX(version), 0) FROM ai_price_at;

-- Costs that are counted again with today's prices, day by day.
CREATE TABLE ai_recount (
    id          BIGINT PRIMARY KEY,
    since       BIGINT NOT NULL, -- begin of the first day
    until       BIGINT NOT NULL, -- end of the last
    next        BIGINT NOT NULL, -- days before it are done
    state       TEXT   NOT NULL, -- running, done, cancelled
    calls       BIGINT NOT NULL DEFAULT 0, -- whose cost was changed
    error       TEXT   NOT NULL DEFAULT '', -- of the last try, '' when it went well
    created_at  BIGINT NOT NULL,
    created_by  TEXT   NOT NULL,
    finished_at BIGINT NOT NULL DEFAULT 0
);

-- +goose Down
DROP TABLE ai_recount;
DROP TABLE ai_price_version;
CREATE TABLE ai_price (
    provider   TEXT    NOT NULL,
    model      TEXT    NOT NULL,
    input      BIGINT  NOT NULL,
    output     BIGINT  NOT NULL,
    updated_at BIGINT  NOT NULL DEFAULT 0,
    updated_by TEXT    NOT NULL DEFAULT 'matrix',
    deleted    BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (provider, model)
);
INSERT INTO ai_price (provider, model, input, output, updated_at, updated_by, deleted)
    SELECT provider, model, input, output, updated_at, updated_by, ended FROM ai_price_at a
    WHERE withdrawn_at = 0 AND NOT EXISTS (SELECT 1 FROM ai_price_at b WHERE b.provider = a.provider AND b.model = a.model
        AND b.withdrawn_at = 0 AND (b.since > a.since OR (b.since = a.since AND b.version > a.version)));
DROP TABLE ai_price_at;
