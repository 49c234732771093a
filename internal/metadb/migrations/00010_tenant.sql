-- +goose Up
CREATE TABLE account (
    id            BIGINT PRIMARY KEY,
    email         TEXT NOT NULL UNIQUE, -- lower case
    name          TEXT NOT NULL,
    password_hash TEXT NOT NULL,        -- argon2id in PHC string format
    system_admin  BOOLEAN NOT NULL,
    disabled      BOOLEAN NOT NULL,
    version       BIGINT NOT NULL,
    created_at    BIGINT NOT NULL
);

CREATE TABLE organisation (
    id         BIGINT PRIMARY KEY,
    kind       TEXT NOT NULL,           -- team | personal
    name       TEXT NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL
);

CREATE TABLE project_group (
    id         BIGINT PRIMARY KEY,
    org_id     BIGINT NOT NULL REFERENCES organisation (id),
    name       TEXT NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (org_id, name)
);

CREATE TABLE project (
    id             BIGINT PRIMARY KEY,
    org_id         BIGINT NOT NULL REFERENCES organisation (id),
    group_id       BIGINT NOT NULL REFERENCES project_group (id),
    name           TEXT NOT NULL,
    language       TEXT NOT NULL,       -- ko | en: what reports are written in
    retention_days BIGINT NOT NULL,
    span_rate      BIGINT NOT NULL,     -- spans a second, 0 = no limit
    version        BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    updated_by     BIGINT NOT NULL,
    archived_at    BIGINT NOT NULL      -- 0 = in use
);
CREATE UNIQUE INDEX project_name ON project (group_id, name) WHERE archived_at = 0;
CREATE INDEX project_org ON project (org_id);

CREATE TABLE membership (
    org_id     BIGINT NOT NULL REFERENCES organisation (id),
    group_id   BIGINT NOT NULL,         -- 0 = the whole organisation
    user_id    BIGINT NOT NULL REFERENCES account (id),
    role       TEXT NOT NULL,           -- owner | admin | editor | viewer
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL,
    PRIMARY KEY (org_id, group_id, user_id)
);
CREATE INDEX membership_user ON membership (user_id);

CREATE TABLE ingest_key (
    id           BIGINT PRIMARY KEY,
    project_id   BIGINT NOT NULL REFERENCES project (id),
    name         TEXT NOT NULL,
    hint         TEXT NOT NULL,         -- the key's first characters, to tell keys apart
    hash         TEXT NOT NULL UNIQUE,  -- SHA-256 of the key, hex
    created_at   BIGINT NOT NULL,
    created_by   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    revoked_at   BIGINT NOT NULL
);
CREATE INDEX ingest_key_project ON ingest_key (project_id);

CREATE TABLE api_token (
    id           BIGINT PRIMARY KEY,
    user_id      BIGINT NOT NULL REFERENCES account (id),
    name         TEXT NOT NULL,
    hint         TEXT NOT NULL,
    hash         TEXT NOT NULL UNIQUE,
    scopes       TEXT NOT NULL,         -- JSON array of strings
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    revoked_at   BIGINT NOT NULL
);
CREATE INDEX api_token_user ON api_token (user_id);

CREATE TABLE login_session (
    hash       TEXT PRIMARY KEY,        -- SHA-256 of the cookie, hex
    user_id    BIGINT NOT NULL REFERENCES account (id),
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX login_session_user ON login_session (user_id);

CREATE TABLE login_failure (
    subject       TEXT PRIMARY KEY,     -- hash of the address, or of address and account
    failures      BIGINT NOT NULL,
    last_at       BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL
);
