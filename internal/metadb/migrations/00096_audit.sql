-- +goose Up
-- Who did what. Rows are added, their outcome is said once, and they go when the retention is over.
CREATE TABLE audit_entry (
    id          TEXT PRIMARY KEY,     -- hex digits that sort by time
    at          BIGINT NOT NULL,
    last_at     BIGINT NOT NULL,      -- of reads that are counted together, the latest
    times       BIGINT NOT NULL,
    kind        TEXT NOT NULL,        -- change | read
    org_id      BIGINT NOT NULL,      -- 0 = of the installation, or of one's own account
    group_id    BIGINT NOT NULL,
    project_id  BIGINT NOT NULL,
    user_id     BIGINT NOT NULL,      -- 0 = nobody was signed in
    actor_kind  TEXT NOT NULL,        -- person | service | nobody
    actor       TEXT NOT NULL,        -- the name at that time
    token_id    BIGINT NOT NULL,
    token       TEXT NOT NULL,
    address     TEXT NOT NULL,
    operation   TEXT NOT NULL,
    object      TEXT NOT NULL,
    summary     TEXT NOT NULL,        -- JSON object of fields and values
    outcome     TEXT NOT NULL,        -- begun | done | denied | failed
    problem     TEXT NOT NULL,        -- of what failed, the kind
    request_id  TEXT NOT NULL
);
CREATE INDEX audit_entry_org ON audit_entry (org_id, id);

-- +goose Down
DROP TABLE audit_entry;
