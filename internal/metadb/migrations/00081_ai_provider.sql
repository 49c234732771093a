-- +goose Up
-- Model services that people add on a screen, beside those of the configuration.
CREATE TABLE ai_provider (
    name       TEXT    PRIMARY KEY,
    version    BIGINT  NOT NULL, -- 1, 2, … at each change, also of a key
    kind       TEXT    NOT NULL,
    base_url   TEXT    NOT NULL, -- '': the kind's own service
    in_house   BOOLEAN NOT NULL,
    enabled    BOOLEAN NOT NULL,
    created_at BIGINT  NOT NULL,
    created_by TEXT    NOT NULL,
    updated_at BIGINT  NOT NULL,
    updated_by TEXT    NOT NULL
);
CREATE TABLE ai_provider_key (
    provider   TEXT    NOT NULL,
    alias      TEXT    NOT NULL,
    sealed     TEXT    NOT NULL, -- by package secret
    last_four  TEXT    NOT NULL, -- characters of the key; '' of a short one
    enabled    BOOLEAN NOT NULL,
    created_at BIGINT  NOT NULL,
    created_by TEXT    NOT NULL,
    updated_at BIGINT  NOT NULL,
    updated_by TEXT    NOT NULL,
    PRIMARY KEY (provider, alias)
);

-- +goose Down
DROP TABLE ai_provider_key;
DROP TABLE ai_provider;
