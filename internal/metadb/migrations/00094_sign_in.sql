-- +goose Up
-- Where a session was begun, to tell sessions apart.
ALTER TABLE login_session ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE login_session ADD COLUMN agent TEXT NOT NULL DEFAULT '';  -- as the browser named itself
ALTER TABLE login_session ADD COLUMN method TEXT NOT NULL DEFAULT 'password'; -- password | oidc
ALTER TABLE login_session ADD COLUMN provider TEXT NOT NULL DEFAULT ''; -- of OpenID Connect

-- Second factors of passwords: time-based one-time codes (RFC 6238).
CREATE TABLE login_totp (
    user_id      BIGINT PRIMARY KEY REFERENCES account (id),
    sealed       TEXT NOT NULL,   -- the shared secret, by package secret
    last_step    BIGINT NOT NULL, -- of the last code that was taken: none is taken twice
    created_at   BIGINT NOT NULL,
    confirmed_at BIGINT NOT NULL  -- 0 = begun, and not asked for yet
);
CREATE TABLE login_recovery (
    user_id BIGINT NOT NULL REFERENCES account (id),
    hash    TEXT NOT NULL,        -- SHA-256 of the code, hex
    used_at BIGINT NOT NULL,      -- 0 = still good
    PRIMARY KEY (user_id, hash)
);
-- Who demands a second factor of their people: an organisation, or with 0 the installation.
CREATE TABLE login_demand (
    org_id     BIGINT PRIMARY KEY,
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL
);

-- +goose Down
DROP TABLE login_demand;
DROP TABLE login_recovery;
DROP TABLE login_totp;
ALTER TABLE login_session DROP COLUMN provider;
ALTER TABLE login_session DROP COLUMN method;
ALTER TABLE login_session DROP COLUMN agent;
ALTER TABLE login_session DROP COLUMN address;
