-- +goose Up
-- Issues: errors that people work on. Their occurrences are in ClickHouse, by fingerprint.
CREATE TABLE issue (
    id               BIGINT PRIMARY KEY,
    project_id       BIGINT NOT NULL,
    state            TEXT NOT NULL,   -- new, ongoing, regressed, resolved, ignored
    state_since      BIGINT NOT NULL,
    type             TEXT NOT NULL,
    message          TEXT NOT NULL,   -- of its first occurrence
    culprit          TEXT NOT NULL,   -- the frame that names it
    language         TEXT NOT NULL,
    words            TEXT NOT NULL,   -- type, message and culprit in lower case
    first_seen       BIGINT NOT NULL,
    last_seen        BIGINT NOT NULL,
    first_version    TEXT NOT NULL,
    last_version     TEXT NOT NULL,
    resolved_version TEXT NOT NULL,   -- '' when resolved at once
    ignored_until    BIGINT NOT NULL, -- 0: without an end
    ignored_count    BIGINT NOT NULL, -- occurrences that end it, 0: none
    assignee_id      BIGINT NOT NULL, -- account, 0: nobody
    assignee         TEXT NOT NULL,
    merged_into      BIGINT NOT NULL, -- another issue, 0: none
    version          BIGINT NOT NULL
);
CREATE INDEX issue_seen ON issue (project_id, merged_into, last_seen, id);
CREATE INDEX issue_merged ON issue (merged_into);

-- What an issue is made of. The counterpart of error_events.fingerprint.
CREATE TABLE issue_fingerprint (
    project_id  BIGINT NOT NULL,
    fingerprint TEXT NOT NULL,        -- 16 hex
    issue_id    BIGINT NOT NULL REFERENCES issue (id) ON DELETE CASCADE,
    algorithm   BIGINT NOT NULL,
    rules       BIGINT NOT NULL,      -- version of the in-app rules it was made with
    type        TEXT NOT NULL,
    message     TEXT NOT NULL,
    culprit     TEXT NOT NULL,
    language    TEXT NOT NULL,
    PRIMARY KEY (project_id, fingerprint)
);
CREATE INDEX issue_fingerprint_issue ON issue_fingerprint (issue_id);

-- The services, environments and versions an issue has been seen in.
CREATE TABLE issue_tag (
    issue_id   BIGINT NOT NULL REFERENCES issue (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL,         -- service, environment, version
    value      TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    PRIMARY KEY (issue_id, kind, value)
);

-- What happened to an issue, and what people said about it.
CREATE TABLE issue_event (
    id       BIGINT PRIMARY KEY,
    issue_id BIGINT NOT NULL REFERENCES issue (id) ON DELETE CASCADE,
    at       BIGINT NOT NULL,
    author   TEXT NOT NULL,           -- '' is MATRIX
    kind     TEXT NOT NULL,
    data     TEXT NOT NULL            -- JSON object
);
CREATE INDEX issue_event_issue ON issue_event (issue_id, id);

-- What is in-app in a project: one row per version, the newest holds.
CREATE TABLE issue_rules (
    project_id BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    algorithm  BIGINT NOT NULL,       -- of the program that wrote it
    body       TEXT NOT NULL,         -- JSON issue.Rules
    at         BIGINT NOT NULL,
    author     TEXT NOT NULL,
    PRIMARY KEY (project_id, version)
);

-- How far the occurrences have been read, by their arrival.
CREATE TABLE issue_watermark (
    id      BIGINT PRIMARY KEY,       -- 1
    arrived BIGINT NOT NULL
);
INSERT INTO issue_watermark (id, arrived) VALUES (1, 0);

-- +goose Down
DROP TABLE issue_watermark;
DROP TABLE issue_rules;
DROP TABLE issue_event;
DROP TABLE issue_tag;
DROP TABLE issue_fingerprint;
DROP TABLE issue;
