-- +goose Up
-- Providers of OpenID Connect that people may sign in with.
CREATE TABLE oidc_provider (
    code       TEXT   PRIMARY KEY,
    version    BIGINT NOT NULL, -- 1, 2, … at each change
    config     TEXT   NOT NULL, -- JSON, without the client's secret
    sealed     TEXT   NOT NULL, -- the client's secret, by package secret; '' of a public client
    created_at BIGINT NOT NULL,
    created_by TEXT   NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT   NOT NULL
);
-- Whose account somebody at a provider is. A provider's subject never changes; an address may.
CREATE TABLE login_identity (
    provider   TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    user_id    BIGINT NOT NULL REFERENCES account (id),
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    PRIMARY KEY (provider, subject)
);
CREATE INDEX login_identity_user ON login_identity (user_id);
-- Memberships that come of a provider's groups. Those that are not in here were given by hand.
CREATE TABLE login_grant (
    user_id  BIGINT NOT NULL REFERENCES account (id),
    org_id   BIGINT NOT NULL,
    group_id BIGINT NOT NULL, -- 0 = the whole organisation
    provider TEXT   NOT NULL,
    role     TEXT   NOT NULL,
    PRIMARY KEY (user_id, org_id, group_id, provider)
);

-- Provisioning of an organisation's people by its directory (SCIM).
CREATE TABLE scim_token (
    id           BIGINT PRIMARY KEY,
    org_id       BIGINT NOT NULL REFERENCES organisation (id),
    name         TEXT   NOT NULL,
    hint         TEXT   NOT NULL,
    hash         TEXT   NOT NULL UNIQUE, -- SHA-256, hex
    role         TEXT   NOT NULL,        -- of people that the directory puts into groups
    created_at   BIGINT NOT NULL,
    created_by   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    revoked_at   BIGINT NOT NULL
);
CREATE INDEX scim_token_org ON scim_token (org_id);
CREATE TABLE scim_user (
    org_id      BIGINT  NOT NULL REFERENCES organisation (id),
    user_id     BIGINT  NOT NULL REFERENCES account (id),
    external_id TEXT    NOT NULL, -- the directory's name for them; '' of none
    active      BOOLEAN NOT NULL, -- in this organisation
    made        BOOLEAN NOT NULL, -- this organisation's directory made the account
    created_at  BIGINT  NOT NULL,
    updated_at  BIGINT  NOT NULL,
    PRIMARY KEY (org_id, user_id)
);
CREATE INDEX scim_user_user ON scim_user (user_id);

-- +goose Down
DROP TABLE scim_user;
DROP TABLE scim_token;
DROP TABLE login_grant;
DROP TABLE login_identity;
DROP TABLE oidc_provider;
