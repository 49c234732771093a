-- +goose Up
-- What people think of an answer: one row for each person and call.
CREATE TABLE ai_feedback (
    project_id   BIGINT NOT NULL,
    call_id      TEXT   NOT NULL,
    person_id    BIGINT NOT NULL,
    name         TEXT   NOT NULL,
    thumb        BIGINT NOT NULL, -- 1 up, -1 down
    comment      TEXT   NOT NULL,
    at           BIGINT NOT NULL,
    call_at      BIGINT NOT NULL,
    role         TEXT   NOT NULL,
    role_version BIGINT NOT NULL,
    label        TEXT   NOT NULL, -- by which the call found the version, '' for a try of one
    PRIMARY KEY (project_id, call_id, person_id)
);
CREATE INDEX ai_feedback_version ON ai_feedback (project_id, call_at);

-- Which share of a version's answers the judge is asked about; version 0 stands
-- for those without a row of their own.
CREATE TABLE ai_judging (
    role       TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    share      BIGINT NOT NULL, -- percent
    daily      BIGINT NOT NULL, -- at most so many a day
    updated_at BIGINT NOT NULL,
    updated_by TEXT   NOT NULL,
    PRIMARY KEY (role, version)
);
CREATE TABLE ai_judgement (
    project_id   BIGINT NOT NULL,
    call_id      TEXT   NOT NULL, -- that was judged
    call_at      BIGINT NOT NULL,
    role         TEXT   NOT NULL,
    role_version BIGINT NOT NULL,
    at           BIGINT NOT NULL,
    score        BIGINT NOT NULL, -- 1 to 5; 0: the judge gave no valid answer
    reason       TEXT   NOT NULL,
    judge_call   TEXT   NOT NULL, -- '' before the judge has answered
    PRIMARY KEY (project_id, call_id)
);
CREATE INDEX ai_judgement_version ON ai_judgement (role, at);

-- Experiments of the playground and their cells.
CREATE TABLE ai_experiment (
    id         BIGINT PRIMARY KEY,
    project_id BIGINT NOT NULL,
    name       TEXT   NOT NULL,
    role       TEXT   NOT NULL,
    state      TEXT   NOT NULL, -- running, done, cancelled, stopped
    reason     TEXT   NOT NULL, -- why it was stopped
    run        BIGINT NOT NULL, -- 1, and one more each time it is taken up again
    spec       TEXT   NOT NULL, -- quality.Spec as JSON
    person_id  BIGINT NOT NULL,
    created_by TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL  -- 0 while it runs
);
CREATE INDEX ai_experiment_list ON ai_experiment (project_id, id);
CREATE TABLE ai_experiment_cell (
    experiment_id BIGINT NOT NULL REFERENCES ai_experiment (id) ON DELETE CASCADE,
    number        BIGINT NOT NULL, -- from 1
    variant       BIGINT NOT NULL, -- index in the variants
    input         BIGINT NOT NULL, -- index in the inputs
    state         TEXT   NOT NULL, -- waiting, ok, failed
    body          TEXT   NOT NULL, -- quality.Outcome as JSON, '' while it waits
    PRIMARY KEY (experiment_id, number)
);

-- +goose Down
DROP TABLE ai_experiment_cell;
DROP TABLE ai_experiment;
DROP TABLE ai_judgement;
DROP TABLE ai_judging;
DROP TABLE ai_feedback;
